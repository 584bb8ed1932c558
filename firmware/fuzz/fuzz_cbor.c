/* Messages of the gateway. The first byte says which; what decodes must keep its limits. */
#include <stdlib.h>

#include "fuzz.h"
#include "messages.h"

static void try_grant(const uint8_t *p, size_t n) {
    struct grant_message grant;
    if (grant_decode(p, n, &grant) == 0) {
        REQUIRE(memchr(grant.fleet, 0, sizeof grant.fleet) != NULL);
    }
}

static void try_halt(const uint8_t *p, size_t n) {
    struct halt_list halt;
    if (halt_decode(p, n, &halt) == 0) {
        REQUIRE(halt.count <= HALTED_MAX);
        (void)halt_names(&halt, halt.digest[0]);
    }
}

static void try_ack(const uint8_t *p, size_t n) {
    struct ack_list ack;
    if (ack_decode(p, n, &ack) == 0) {
        REQUIRE(ack.count <= ACKED_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    static void (*const TRY[])(const uint8_t *, size_t) = {try_grant, try_halt, try_ack};
    uint8_t *exact = exact_copy(data + 1, size - 1);
    TRY[data[0] % 3u](exact, size - 1);
    free(exact);
    return 0;
}
