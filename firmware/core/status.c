#include "status.h"

const char *phase_name(enum phase phase) {
    static const char *const names[] = {
        "idle",   "downloading", "verifying", "trial",  "confirmed",
        "failed", "rolledback",  "ready",     "shadow",
    };
    return names[phase];
}

const char *reason_name(enum reason reason) {
    static const char *const names[] = {
        "none",
        "digest-mismatch",
        "bad-image",
        "wrong-key",
        "bad-signature",
        "counter-too-low",
        "wrong-target",
        "wrong-kind",
        "abi-unsupported",
        "arena-too-large",
        "op-unsupported",
        "model-invalid",
        "golden-mismatch",
        "slot-too-small",
        "flash-error",
        "halted",
        "trial-expired",
        "timeout",
        "crashed",
        "hung",
        "unreachable",
        "wrong-slot",
    };
    return names[reason];
}
