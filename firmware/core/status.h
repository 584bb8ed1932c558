/* What a device says about itself: the numbers are those of operator/petiole/wire/messages.cddl. */
#ifndef PETIOLE_STATUS_H
#define PETIOLE_STATUS_H

enum phase {
    PHASE_IDLE = 0,
    PHASE_DOWNLOADING = 1,
    PHASE_VERIFYING = 2,
    PHASE_TRIAL = 3,
    PHASE_CONFIRMED = 4,
    PHASE_FAILED = 5,
    PHASE_ROLLEDBACK = 6,
    PHASE_READY = 7,
    PHASE_SHADOW = 8,
};

enum reason {
    REASON_NONE = 0,
    REASON_DIGEST_MISMATCH = 1,
    REASON_BAD_IMAGE = 2,
    REASON_WRONG_KEY = 3,
    REASON_BAD_SIGNATURE = 4,
    REASON_COUNTER_TOO_LOW = 5,
    REASON_WRONG_TARGET = 6,
    REASON_WRONG_KIND = 7,
    REASON_ABI_UNSUPPORTED = 8,
    REASON_ARENA_TOO_LARGE = 9,
    REASON_OP_UNSUPPORTED = 10,
    REASON_MODEL_INVALID = 11,
    REASON_GOLDEN_MISMATCH = 12,
    REASON_SLOT_TOO_SMALL = 13,
    REASON_FLASH_ERROR = 14,
    REASON_HALTED = 15,
    REASON_TRIAL_EXPIRED = 16,
    REASON_TIMEOUT = 17,
    REASON_CRASHED = 18,
    REASON_HUNG = 19,
    REASON_UNREACHABLE = 20,
    REASON_WRONG_SLOT = 21,
};

enum cause {
    CAUSE_FAULT = 0,
    CAUSE_WATCHDOG = 1,
    CAUSE_ASSERTION = 2,
};

/* The words of messages.cddl, for logs. */
const char *phase_name(enum phase phase);
const char *reason_name(enum reason reason);

#endif
