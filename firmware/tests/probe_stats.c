/* Lets tests in Python look at numbers: probe_stats drift SEEN... REFERENCE..., 16 counts each. */
#include <string.h>

#include "check.h"
#include "drift.h"

static uint32_t number(const char *text) {
    return (uint32_t)strtoul(text, NULL, 10);
}

static void show_drift(char **text) {
    uint32_t bins[2][DRIFT_BINS];
    for (uint32_t i = 0; i < 2 * DRIFT_BINS; i++) {
        bins[i / DRIFT_BINS][i % DRIFT_BINS] = number(text[i]);
    }
    printf("%u\n", drift_score(bins[0], bins[1]));
}

/* Several pairs of histograms may follow each other. */
int main(int argc, char **argv) {
    CHECK(argc > 2 && strcmp(argv[1], "drift") == 0 && (argc - 2) % (2 * (int)DRIFT_BINS) == 0);
    for (int i = 2; i < argc; i += 2 * (int)DRIFT_BINS) {
        show_drift(argv + i);
    }
    return 0;
}
