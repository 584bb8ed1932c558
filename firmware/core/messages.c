#include "messages.h"

#include <string.h>

#include "generated/wire_codec_decode.h"
#include "generated/wire_codec_encode.h"

_Static_assert((int)PHASE_READY == (int)phase_ready_m_c, "phases as in the protocol");
_Static_assert((int)REASON_TIMEOUT == (int)reason_timeout_m_c, "reasons as in the protocol");
_Static_assert((int)SAMPLE_RANDOM == (int)why_random_m_c, "kinds of samples as in the protocol");

static struct zcbor_string bytes(const uint8_t *p, size_t n) {
    return (struct zcbor_string){.value = p, .len = n};
}

static struct zcbor_string text(const char *s) {
    return bytes((const uint8_t *)s, strlen(s));
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
    out->has_artefact = g.grant_artefact_present;
    if (out->has_artefact) {
        const struct artefact *artefact = &g.grant_artefact.grant_artefact;
        memcpy(out->artefact.digest, artefact->artefact_digest.value, SHA256_SIZE);
        out->artefact.size = artefact->artefact_size;
        out->artefact.block_size = artefact->artefact_block;
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
    };
    size_t used = 0;
    return cbor_encode_state(p, room, &s, &used) == 0 ? (int)used : E_MESSAGE;
}

static void fill_histogram(struct histogram *to, const uint32_t from[STATS_BINS]) {
    memcpy(to->histogram_tally_m, from, sizeof to->histogram_tally_m);
    to->histogram_tally_m_count = STATS_BINS;
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
    };
    size_t used = 0;
    fill_histogram(&s.stats_confidence, from->confidence);
    fill_histogram(&s.stats_margin, from->margin);
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
