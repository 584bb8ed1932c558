#include "generated.h"

#include <string.h>

#include "generated/wire_codec_encode.h"

static struct zcbor_string bytes(const uint8_t *p, size_t n) {
    return (struct zcbor_string){.value = p, .len = n};
}

static struct zcbor_string text(const char *s) {
    return bytes((const uint8_t *)s, strlen(s));
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

int generated_state(uint8_t *p, size_t room, const struct state_report *r) {
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

int generated_stats(uint8_t *p, size_t room, const struct stats_report *r) {
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

int generated_sample(uint8_t *p, size_t room, const struct sampled *s) {
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
