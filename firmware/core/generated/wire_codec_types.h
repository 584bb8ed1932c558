/*
 * Generated from operator/petiole/wire/messages.cddl: run make -C firmware generate.
 *
 * Generated using zcbor version 0.9.1
 * https://github.com/NordicSemiconductor/zcbor
 * Generated with a --default-max-qty of 3
 */

#ifndef WIRE_CODEC_TYPES_H__
#define WIRE_CODEC_TYPES_H__

#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>
#include <zcbor_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which value for --default-max-qty this file was created with.
 *
 *  The define is used in the other generated file to do a build-time
 *  compatibility check.
 *
 *  See `zcbor --help` for more information about --default-max-qty
 */
#define DEFAULT_MAX_QTY 3

struct halt {
	struct zcbor_string halt_digest_m[8];
	size_t halt_digest_m_count;
};

struct ack {
	struct zcbor_string ack_hash_m[16];
	size_t ack_hash_m_count;
};

struct phase_r {
	enum {
		phase_idle_m_c = 0,
		phase_downloading_m_c = 1,
		phase_verifying_m_c = 2,
		phase_trial_m_c = 3,
		phase_confirmed_m_c = 4,
		phase_failed_m_c = 5,
		phase_rolledback_m_c = 6,
		phase_ready_m_c = 7,
	} phase_choice;
};

struct reason_r {
	enum {
		reason_none_m_c = 0,
		reason_digest_mismatch_m_c = 1,
		reason_bad_image_m_c = 2,
		reason_wrong_key_m_c = 3,
		reason_bad_signature_m_c = 4,
		reason_counter_too_low_m_c = 5,
		reason_wrong_target_m_c = 6,
		reason_wrong_kind_m_c = 7,
		reason_abi_unsupported_m_c = 8,
		reason_arena_too_large_m_c = 9,
		reason_op_unsupported_m_c = 10,
		reason_model_invalid_m_c = 11,
		reason_golden_mismatch_m_c = 12,
		reason_slot_too_small_m_c = 13,
		reason_flash_error_m_c = 14,
		reason_halted_m_c = 15,
		reason_trial_expired_m_c = 16,
		reason_timeout_m_c = 17,
	} reason_choice;
};

struct state_active {
	struct zcbor_string state_active;
};

struct state_target {
	struct zcbor_string state_target;
};

struct state_standby {
	struct zcbor_string state_standby;
};

struct caps {
	struct zcbor_string caps_target;
	uint32_t caps_slot;
	uint32_t caps_arena;
	uint32_t caps_abi;
	uint32_t caps_ops;
	struct zcbor_string caps_agent;
};

struct state_attempt {
	uint32_t state_attempt;
};

struct state {
	uint32_t state_boot;
	uint32_t state_seq;
	struct phase_r state_phase;
	struct reason_r state_reason;
	struct state_active state_active;
	bool state_active_present;
	struct state_target state_target;
	bool state_target_present;
	struct state_standby state_standby;
	bool state_standby_present;
	uint32_t state_got;
	uint32_t state_total;
	uint32_t state_floor;
	struct caps state_caps;
	struct state_attempt state_attempt;
	bool state_attempt_present;
};

struct histogram {
	uint32_t histogram_tally_m[16];
	size_t histogram_tally_m_count;
};

struct stats_latency_sum {
	uint64_t stats_latency_sum;
};

struct stats {
	uint32_t stats_boot;
	uint32_t stats_seq;
	struct zcbor_string stats_digest;
	uint32_t stats_count;
	struct histogram stats_confidence;
	struct histogram stats_margin;
	uint32_t stats_classes_tally_m[32];
	size_t stats_classes_tally_m_count;
	uint64_t stats_confidence_sum;
	uint64_t stats_confidence_squares;
	uint64_t stats_input_sum;
	struct stats_latency_sum stats_latency_sum;
	bool stats_latency_sum_present;
};

struct why_r {
	enum {
		why_uncertain_m_c = 0,
		why_random_m_c = 1,
	} why_choice;
};

struct sample {
	struct zcbor_string sample_digest;
	struct zcbor_string sample_input;
	uint32_t sample_class;
	uint32_t sample_confidence;
	uint32_t sample_margin;
	struct why_r sample_why;
};

struct artefact {
	struct zcbor_string artefact_digest;
	uint32_t artefact_size;
	uint32_t artefact_block;
};

struct grant_artefact {
	struct artefact grant_artefact;
};

struct grant_hold {
	bool grant_hold;
};

struct grant_attempt {
	uint32_t grant_attempt;
};

struct grant {
	uint32_t grant_serial;
	struct zcbor_string grant_fleet;
	struct grant_artefact grant_artefact;
	bool grant_artefact_present;
	uint32_t grant_interval;
	uint32_t grant_samples;
	struct grant_hold grant_hold;
	bool grant_hold_present;
	struct grant_attempt grant_attempt;
	bool grant_attempt_present;
};

#ifdef __cplusplus
}
#endif

#endif /* WIRE_CODEC_TYPES_H__ */
