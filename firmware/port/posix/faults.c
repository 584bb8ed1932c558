#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "sha256.h"

#define LINE_MAX_SIZE 512

static const struct {
    const char *name;
    bool wants_arg;
    uint32_t arg; /* when none is given */
} KINDS[FAULT_KINDS] = {
    [FAULT_TRIAL_CRASH] = {"trial-crash", false, 0},
    [FAULT_SILENT] = {"silent", false, 0},
    [FAULT_SLOW] = {"slow", true, 0},
    [FAULT_DUPLICATE] = {"duplicate", false, 0},
    [FAULT_LATE] = {"late", true, 0},
    [FAULT_FLAPPING] = {"flapping", true, 0},
    [FAULT_WRONG_CLOCK] = {"wrong-clock", false, 100},
    [FAULT_DARK] = {"dark", false, 0},
    [FAULT_SELF_TEST] = {"self-test", false, 0},
    [FAULT_TRIAL_HANG] = {"trial-hang", false, 1000},
    [FAULT_TRIAL_UNREACHABLE] = {"trial-unreachable", false, 0},
};

static int complain(const char *text, const char *why) {
    fprintf(stderr, "fault %s: %s; want WHAT[@DIGEST]:KIND[:ARG]\n", text, why);
    return -1;
}

static int take_kind(struct rule *rule, const char *text, const char *kind, const char *arg) {
    int n = 0;
    while (n < FAULT_KINDS && strcmp(KINDS[n].name, kind) != 0) {
        n++;
    }
    if (n == FAULT_KINDS) {
        return complain(text, "unknown kind");
    }
    rule->kind = (enum fault)n;
    rule->arg = KINDS[n].arg;
    if (arg == NULL) {
        return KINDS[n].wants_arg ? complain(text, "this kind needs an ARG in milliseconds") : 0;
    }
    char *end;
    unsigned long value = strtoul(arg, &end, 10);
    if (*arg < '0' || *arg > '9' || *end != 0 || value > 86400000ul) {
        return complain(text, "ARG is no number of at most a day");
    }
    rule->arg = (uint32_t)value;
    if (rule->kind == FAULT_FLAPPING && value == 0) {
        return complain(text, "ARG is 0");
    }
    return 0;
}

/* An id or a glob, or a share as in 12.5%. */
static int take_what(struct rule *rule, const char *text, const char *what) {
    size_t n = strlen(what);
    char *end;
    if (n == 0 || n >= sizeof rule->what) {
        return complain(text, "WHAT is empty or too long");
    }
    memcpy(rule->what, what, n + 1);
    rule->share = -1;
    if (what[n - 1] == '%') {
        rule->share = strtod(what, &end) / 100;
        if (end != what + n - 1 || !(rule->share >= 0 && rule->share <= 1)) {
            return complain(text, "the share is not between 0% and 100%");
        }
    }
    return 0;
}

static int take_digest(struct rule *rule, const char *text, const char *digest) {
    size_t n = digest == NULL ? 0 : strlen(digest);
    if (n > 64 || (digest != NULL && (n == 0 || strspn(digest, "0123456789abcdef") != n))) {
        return complain(text, "DIGEST is not 1 to 64 digits of lower-case hex");
    }
    memcpy(rule->digest, digest == NULL ? "" : digest, n);
    return 0;
}

static int parse(struct rule *rule, const char *text, char *copy) {
    char *kind = strchr(copy, ':');
    if (kind == NULL) {
        return complain(text, "no KIND");
    }
    *kind++ = 0;
    char *arg = strchr(kind, ':'), *digest = strchr(copy, '@');
    if (arg != NULL) {
        *arg++ = 0;
    }
    if (digest != NULL) {
        *digest++ = 0;
    }
    if (take_what(rule, text, copy) != 0 || take_digest(rule, text, digest) != 0) {
        return -1;
    }
    return take_kind(rule, text, kind, arg);
}

int rules_add(struct rules *r, const char *text, uint64_t now) {
    struct rule rule = {.since = now}, *more;
    char copy[LINE_MAX_SIZE];
    if (strlen(text) >= sizeof copy) {
        return complain(text, "too long");
    }
    strcpy(copy, text);
    if (parse(&rule, text, copy) != 0) {
        return -1;
    }
    more = realloc(r->rule, (r->count + 1) * sizeof rule);
    if (more == NULL) {
        return complain(text, "no memory");
    }
    r->rule = more;
    r->rule[r->count++] = rule;
    return 0;
}

int rules_read(struct rules *r, const char *path, uint64_t now) {
    char line[LINE_MAX_SIZE];
    FILE *file = fopen(path, "re");
    int error = 0;
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    while (error == 0 && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, " \t\r\n#")] = 0;
        error = line[0] == 0 ? 0 : rules_add(r, line, now);
    }
    fclose(file);
    return error;
}

void rules_clear(struct rules *r) {
    free(r->rule);
    *r = (struct rules){0};
}

uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t hash_text(uint64_t seed, const char *text) {
    uint64_t hash = 0xCBF29CE484222325u ^ mix(seed);
    for (; *text != 0; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001B3u;
    }
    return mix(hash);
}

static bool means_device(const struct rule *rule, const char *device, uint64_t seed) {
    if (rule->share < 0) {
        return fnmatch(rule->what, device, 0) == 0;
    }
    uint64_t hash = hash_text(seed * FAULT_KINDS + (uint64_t)rule->kind, device);
    return (double)(hash >> 11) / 9007199254740992.0 < rule->share; /* of 2^53 */
}

const struct rule *rules_find(const struct rules *r, const char *device, enum fault kind,
                              uint64_t seed) {
    for (size_t i = r->count; i > 0; i--) {
        const struct rule *rule = &r->rule[i - 1];
        if (rule->kind == kind && means_device(rule, device, seed)) {
            return rule;
        }
    }
    return NULL;
}

bool rule_means(const struct rule *rule, const uint8_t *digest) {
    char hex[2 * SHA256_SIZE];
    if (rule->digest[0] == 0) {
        return true;
    }
    if (digest == NULL) {
        return false;
    }
    put_hex(hex, digest, SHA256_SIZE);
    return strncmp(hex, rule->digest, strlen(rule->digest)) == 0;
}
