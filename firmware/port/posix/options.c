#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: petiole-sim --broker HOST:PORT --flash DIR [--sensor SOCKET] [--log]\n"
    "                   [--trial-ms N] [--trial-answers N] [--keepalive SECONDS]\n"
    "                   [--connects-per-second N] [--feed N] [--feed-seed N] [--events FILE]\n"
    "                   [--fault WHAT[@DIGEST]:KIND[:ARG]]... [--faults FILE] [--fault-seed N]\n"
    "Runs one device for every DIR/NAME.flash. See firmware/README.md.\n";

static const struct option KNOWN[] = {
    {"broker", required_argument, NULL, 'b'},
    {"flash", required_argument, NULL, 'f'},
    {"sensor", required_argument, NULL, 's'},
    {"events", required_argument, NULL, 'e'},
    {"faults", required_argument, NULL, 'X'},
    {"fault", required_argument, NULL, 'x'},
    {"fault-seed", required_argument, NULL, 'S'},
    {"trial-ms", required_argument, NULL, 't'},
    {"trial-answers", required_argument, NULL, 'a'},
    {"keepalive", required_argument, NULL, 'k'},
    {"connects-per-second", required_argument, NULL, 'c'},
    {"feed", required_argument, NULL, 'n'},
    {"feed-seed", required_argument, NULL, 'N'},
    {"log", no_argument, NULL, 'l'},
    {NULL, 0, NULL, 0},
};

static bool number(double *out, double least, double most) {
    char *end;
    *out = strtod(optarg, &end);
    if (end == optarg || *end != 0 || !(*out >= least && *out <= most)) {
        fprintf(stderr, "%s: want a number between %g and %g\n", optarg, least, most);
        return false;
    }
    return true;
}

static bool take_number(struct fleet_options *o, int option) {
    double value;
    bool any = option == 'n' || option == 'N' || option == 'S';
    if (!number(&value, any ? 0 : 1, option == 'k' ? 65535 : 4294967295.0)) {
        return false;
    }
    switch (option) {
    case 'S':
        o->fault_seed = (uint64_t)value;
        return true;
    case 't':
        o->device.trial_ms = (uint32_t)value;
        return true;
    case 'a':
        o->device.trial_answers = (uint32_t)value;
        return true;
    case 'k':
        o->device.keepalive_s = (uint16_t)value;
        return true;
    case 'c':
        o->connects_per_second = (uint32_t)value;
        return true;
    case 'n':
        o->feed = value;
        return true;
    default:
        o->feed_seed = (uint64_t)value;
        return true;
    }
}

static bool take_option(struct options *o, int option) {
    switch (option) {
    case 'b':
        o->broker = optarg;
        return true;
    case 'f':
        o->flash = optarg;
        return true;
    case 's':
        o->sensor = optarg;
        return true;
    case 'e':
        o->events = optarg;
        return true;
    case 'X':
        o->faults = optarg;
        return true;
    case 'x':
        return rules_add(&o->rules, optarg, now_us()) == 0;
    case 'l':
        o->fleet.logging = true;
        return true;
    case '?':
        return false;
    default:
        return take_number(&o->fleet, option);
    }
}

bool options_parse(struct options *o, int argc, char **argv) {
    int option;
    bool good = true;
    while (good && (option = getopt_long(argc, argv, "", KNOWN, NULL)) != -1) {
        good = take_option(o, option);
    }
    good = good && o->broker != NULL && o->flash != NULL && optind == argc;
    if (!good) {
        fputs(USAGE, stderr);
    }
    return good;
}

int options_rules(const struct options *o, struct rules *out) {
    uint64_t now = now_us();
    *out = (struct rules){0};
    if (o->rules.count > 0) {
        out->rule = malloc(o->rules.count * sizeof *out->rule);
        if (out->rule == NULL) {
            return -1;
        }
        memcpy(out->rule, o->rules.rule, o->rules.count * sizeof *out->rule);
        out->count = o->rules.count;
    }
    if (o->faults != NULL && rules_read(out, o->faults, now) != 0) {
        rules_clear(out);
        return -1;
    }
    return 0;
}
