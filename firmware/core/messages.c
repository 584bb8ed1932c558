#include "messages.h"

#include <string.h>

#include "generated/wire_codec_decode.h"

_Static_assert((int)PHASE_SHADOW == (int)phase_shadow_m_c, "phases as in the protocol");
_Static_assert((int)REASON_WRONG_SLOT == (int)reason_wrong_slot_m_c, "reasons as in the protocol");
_Static_assert((int)CAUSE_ASSERTION == (int)cause_assertion_m_c, "causes as in the protocol");
_Static_assert((int)SAMPLE_RANDOM == (int)why_random_m_c, "kinds of samples as in the protocol");

static void take_artefact(struct artefact_ref *out, const struct artefact *from) {
    memcpy(out->digest, from->artefact_digest.value, SHA256_SIZE);
    out->size = from->artefact_size;
    out->block_size = from->artefact_block;
}

static void take_model(struct grant_message *out, const struct artefact *from) {
    take_artefact(&out->artefact, from);
    if (from->artefact_patch_present) {
        const struct patch *patch = &from->artefact_patch.artefact_patch;
        memcpy(out->patch.base, patch->patch_base.value, SHA256_SIZE);
        memcpy(out->patch.digest, patch->patch_digest.value, SHA256_SIZE);
        out->patch.size = patch->patch_size;
    }
}

static void take_firmware(struct firmware_grant *out, const struct firmware *from) {
    take_artefact(&out->linked[0], &from->firmware_a);
    take_artefact(&out->linked[1], &from->firmware_b);
    out->hold = from->firmware_hold_present && from->firmware_hold.firmware_hold;
    out->attempt = from->firmware_attempt_present
                       ? (uint16_t)from->firmware_attempt.firmware_attempt
                       : (uint16_t)0;
}

int grant_decode(const uint8_t *p, size_t n, struct grant_message *out) {
    struct grant g;
    size_t used = 0;
    if (cbor_decode_grant(p, n, &g, &used) != 0 || used != n) {
        return E_MESSAGE;
    }
    memset(out, 0, sizeof *out);
    out->serial = g.grant_serial;
    memcpy(out->fleet, g.grant_fleet.value, g.grant_fleet.len);
    out->interval_ms = g.grant_interval;
    out->samples_per_day = g.grant_samples;
    out->hold = g.grant_hold_present && g.grant_hold.grant_hold;
    out->attempt = g.grant_attempt_present ? (uint16_t)g.grant_attempt.grant_attempt : (uint16_t)0;
    out->shadow = g.grant_shadow_present ? g.grant_shadow.grant_shadow : 0;
    out->has_artefact = g.grant_artefact_present;
    if (out->has_artefact) {
        take_model(out, &g.grant_artefact.grant_artefact);
    }
    out->has_firmware = g.grant_firmware_present;
    if (out->has_firmware) {
        take_firmware(&out->firmware, &g.grant_firmware.grant_firmware);
    }
    return 0;
}

int halt_decode(const uint8_t *p, size_t n, struct halt_list *out) {
    struct halt h;
    size_t used = 0;
    out->count = 0;
    if (n == 0) {
        return 0;
    }
    if (cbor_decode_halt(p, n, &h, &used) != 0 || used != n) {
        return E_MESSAGE;
    }
    for (size_t i = 0; i < h.halt_digest_m_count; i++) {
        memcpy(out->digest[out->count++], h.halt_digest_m[i].value, SHA256_SIZE);
    }
    return 0;
}

int ack_decode(const uint8_t *p, size_t n, struct ack_list *out) {
    struct ack a;
    size_t used = 0;
    if (cbor_decode_ack(p, n, &a, &used) != 0 || used != n) {
        return E_MESSAGE;
    }
    out->count = 0;
    for (size_t i = 0; i < a.ack_hash_m_count; i++) {
        memcpy(out->hash[out->count++], a.ack_hash_m[i].value, SAMPLE_HASH_SIZE);
    }
    return 0;
}

bool halt_names(const struct halt_list *halt, const uint8_t digest[SHA256_SIZE]) {
    for (uint32_t i = 0; i < halt->count; i++) {
        if (memcmp(halt->digest[i], digest, SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}
