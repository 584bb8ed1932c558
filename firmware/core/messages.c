#include "messages.h"

#include <string.h>

#include "generated/wire_codec_decode.h"
#include "generated/wire_codec_encode.h"

_Static_assert((int)PHASE_SHADOW == (int)phase_shadow_m_c, "phases as in the protocol");
_Static_assert((int)REASON_WRONG_SLOT == (int)reason_wrong_slot_m_c, "reasons as in the protocol");
_Static_assert((int)CAUSE_ASSERTION == (int)cause_assertion_m_c, "causes as in the protocol");
_Static_assert((int)SAMPLE_RANDOM == (int)why_random_m_c, "kinds of samples as in the protocol");

static struct zcbor_string bytes(const uint8_t *p, size_t n) {
    return (struct zcbor_string){.value = p, .len = n};
}

static struct zcbor_string text(const char *s) {
    return bytes((const uint8_t *)s, strlen(s));
}

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

static struct caps caps_of(const struct capabilities *c) {
    return (struct caps){
        .caps_target = text(c->target),
        .caps_slot = c->slot,
        .caps_arena = c->arena,
        .caps_abi = c->abi,
        .caps_ops = c->ops,
        .caps_agent = text(c->agent),
        .caps_firmware = {c->firmware},
        .caps_firmware_present = c->firmware > 0,
        .caps_block = {c->block},
        .caps_block_present = c->block > 0,
    };
}

static struct firmware_state firmware_of(const struct state_report *r) {
    return (struct firmware_state){
        .firmware_state_firmware_active = bytes(r->firmware, SHA256_SIZE),
        .firmware_state_firmware_standby = {bytes(r->firmware_standby, SHA256_SIZE)},
        .firmware_state_firmware_standby_present = r->firmware_standby != NULL,
        .firmware_state_firmware_floor = r->firmware_floor,
    };
}

static void fill_crash(struct state *s, const struct crash_report *c) {
    s->state_crash_present = true;
    s->state_crash.state_crash = (struct crash){
        .crash_boot = c->boot,
        .crash_cause.cause_choice = (int)c->cause,
        .crash_pc = c->pc,
        .crash_lr = c->lr,
        .crash_fault = c->fault,
        .crash_firmware = bytes(c->firmware, CRASH_FIRMWARE_SIZE),
    };
}

int state_encode(uint8_t *p, size_t room, const struct state_report *r) {
    struct state s = {
        .state_boot = r->boot,
        .state_seq = r->sequence,
        .state_phase.phase_choice = (int)r->phase,
        .state_reason.reason_choice = (int)r->reason,
        .state_active = {bytes(r->active, SHA256_SIZE)},
        .state_active_present = r->active != NULL,
        .state_target = {bytes(r->target, SHA256_SIZE)},
        .state_target_present = r->target != NULL,
        .state_standby = {bytes(r->standby, SHA256_SIZE)},
        .state_standby_present = r->standby != NULL,
        .state_got = r->got,
        .state_total = r->total,
        .state_floor = r->floor,
        .state_caps = caps_of(&r->caps),
        .state_attempt = {r->attempt},
        .state_attempt_present = r->attempt > 0,
        .state_firmware = {firmware_of(r)},
        .state_firmware_present = r->firmware != NULL,
        .state_score = {r->score},
        .state_score_present = r->score > 0,
    };
    size_t used = 0;
    if (r->crash != NULL) {
        fill_crash(&s, r->crash);
    }
    return cbor_encode_state(p, room, &s, &used) == 0 ? (int)used : E_MESSAGE;
}

static void fill_histogram(struct histogram *to, const uint32_t from[STATS_BINS]) {
    memcpy(to->histogram_tally_m, from, sizeof to->histogram_tally_m);
    to->histogram_tally_m_count = STATS_BINS;
}

static void fill_shadow(struct stats *s, const struct shadow *from) {
    s->stats_shadow_present = true;
    s->stats_shadow.stats_shadow = (struct shadow_run){
        .shadow_run_shadow_digest = bytes(from->digest, SHA256_SIZE),
        .shadow_run_shadow_count = from->count,
        .shadow_run_shadow_disagreed = from->disagreed,
        .shadow_run_shadow_confidence_sum = from->confidence_sum,
    };
}

int stats_encode(uint8_t *p, size_t room, const struct stats_report *r) {
    const struct statistics *from = r->stats;
    struct stats s = {
        .stats_boot = r->boot,
        .stats_seq = r->sequence,
        .stats_digest = bytes(r->artefact, SHA256_SIZE),
        .stats_count = from->count,
        .stats_classes_tally_m_count = r->classes,
        .stats_confidence_sum = from->confidence_sum,
        .stats_confidence_squares = from->confidence_squares,
        .stats_input_sum = from->input_sum,
        .stats_latency_sum = {from->latency_sum},
        .stats_latency_sum_present = r->timed,
        .stats_inputs_present = true,
        .stats_latency_present = r->timed,
        .stats_drift_present = r->reference != NULL,
    };
    size_t used = 0;
    fill_histogram(&s.stats_confidence, from->confidence);
    fill_histogram(&s.stats_margin, from->margin);
    fill_histogram(&s.stats_inputs.stats_inputs, from->inputs);
    fill_histogram(&s.stats_latency.stats_latency, from->latency);
    if (r->reference != NULL) {
        s.stats_drift.stats_drift = stats_drift(from, r->reference);
    }
    if (r->shadow != NULL) {
        fill_shadow(&s, r->shadow);
    }
    memcpy(s.stats_classes_tally_m, from->classes, sizeof s.stats_classes_tally_m);
    return cbor_encode_stats(p, room, &s, &used) == 0 ? (int)used : E_MESSAGE;
}

int sample_encode(uint8_t *p, size_t room, const struct sampled *s) {
    struct sample message = {
        .sample_digest = bytes(s->artefact, SHA256_SIZE),
        .sample_input = bytes(s->input, s->input_size),
        .sample_class = s->verdict.label,
        .sample_confidence = s->verdict.confidence,
        .sample_margin = s->verdict.margin,
        .sample_why.why_choice = s->why,
    };
    size_t used = 0;
    return cbor_encode_sample(p, room, &message, &used) == 0 ? (int)used : E_MESSAGE;
}

bool halt_names(const struct halt_list *halt, const uint8_t digest[SHA256_SIZE]) {
    for (uint32_t i = 0; i < halt->count; i++) {
        if (memcmp(halt->digest[i], digest, SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}
