/* Bytes of the sensor link. */
#include "frame.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *exact = exact_copy(data, size);
    size_t at = 0, used;
    struct frame frame;
    while ((used = frame_read(exact + at, size - at, &frame)) > 0) {
        REQUIRE(used <= size - at);
        if (frame.payload != NULL) {
            REQUIRE(frame.payload >= exact + at);
            REQUIRE(frame.payload + frame.size <= exact + size);
        }
        at += used;
    }
    free(exact);
    return 0;
}
