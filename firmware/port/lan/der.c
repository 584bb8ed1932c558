#include "der.h"

#include <stddef.h>

#define SEQUENCE 0x30u

/* Certificates have lengths of one or two bytes behind their first. */
struct bytes der_next(struct bytes *list) {
    struct bytes none = {NULL, 0};
    if (list->size < 4 || list->at[0] != SEQUENCE) {
        return none;
    }
    uint32_t header = 2, size = list->at[1];
    if (size == 0x81) {
        header = 3;
        size = list->at[2];
    } else if (size == 0x82) {
        header = 4;
        size = (uint32_t)list->at[2] << 8 | list->at[3];
    } else if (size > 0x7F) {
        return none;
    }
    if (size > list->size - header) {
        return none;
    }
    struct bytes first = {list->at, header + size};
    list->at += first.size;
    list->size -= first.size;
    return first;
}
