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

struct histogram {
	uint32_t histogram_tally_m[16];
	size_t histogram_tally_m_count;
};

struct stats_latency_sum {
	uint64_t stats_latency_sum;
};

struct stats_inputs {
	struct histogram stats_inputs;
};

struct stats_latency {
	struct histogram stats_latency;
};

struct stats_drift {
	uint32_t stats_drift;
};

struct shadow_run {
	struct zcbor_string shadow_run_shadow_digest;
	uint32_t shadow_run_shadow_count;
	uint32_t shadow_run_shadow_disagreed;
	uint64_t shadow_run_shadow_confidence_sum;
};

struct stats_shadow {
	struct shadow_run stats_shadow;
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
	struct stats_inputs stats_inputs;
	bool stats_inputs_present;
	struct stats_latency stats_latency;
	bool stats_latency_present;
	struct stats_drift stats_drift;
	bool stats_drift_present;
	struct stats_shadow stats_shadow;
	bool stats_shadow_present;
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
		phase_shadow_m_c = 8,
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
		reason_crashed_m_c = 18,
		reason_hung_m_c = 19,
		reason_unreachable_m_c = 20,
		reason_wrong_slot_m_c = 21,
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

struct caps_firmware {
	uint32_t caps_firmware;
};

struct caps_block {
	uint32_t caps_block;
};

struct caps {
	struct zcbor_string caps_target;
	uint32_t caps_slot;
	uint32_t caps_arena;
	uint32_t caps_abi;
	uint32_t caps_ops;
	struct zcbor_string caps_agent;
	struct caps_firmware caps_firmware;
	bool caps_firmware_present;
	struct caps_block caps_block;
	bool caps_block_present;
};

struct state_attempt {
	uint32_t state_attempt;
};

struct firmware_state_firmware_standby {
	struct zcbor_string firmware_state_firmware_standby;
};

struct firmware_state {
	struct zcbor_string firmware_state_firmware_active;
	struct firmware_state_firmware_standby firmware_state_firmware_standby;
	bool firmware_state_firmware_standby_present;
	uint32_t firmware_state_firmware_floor;
};

struct state_firmware {
	struct firmware_state state_firmware;
};

struct cause_r {
	enum {
		cause_fault_m_c = 0,
		cause_watchdog_m_c = 1,
		cause_assertion_m_c = 2,
	} cause_choice;
};

struct crash {
	uint32_t crash_boot;
	struct cause_r crash_cause;
	uint32_t crash_pc;
	uint32_t crash_lr;
	uint32_t crash_fault;
	struct zcbor_string crash_firmware;
};

struct state_crash {
	struct crash state_crash;
};

struct state_score {
	uint32_t state_score;
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
	struct state_firmware state_firmware;
	bool state_firmware_present;
	struct state_crash state_crash;
	bool state_crash_present;
	struct state_score state_score;
	bool state_score_present;
};

struct patch {
	struct zcbor_string patch_base;
	struct zcbor_string patch_digest;
	uint32_t patch_size;
};

struct artefact_patch {
	struct patch artefact_patch;
};

struct artefact {
	struct zcbor_string artefact_digest;
	uint32_t artefact_size;
	uint32_t artefact_block;
	struct artefact_patch artefact_patch;
	bool artefact_patch_present;
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

struct grant_shadow {
	uint32_t grant_shadow;
};

struct firmware_hold {
	bool firmware_hold;
};

struct firmware_attempt {
	uint32_t firmware_attempt;
};

struct firmware {
	struct artefact firmware_a;
	struct artefact firmware_b;
	struct firmware_hold firmware_hold;
	bool firmware_hold_present;
	struct firmware_attempt firmware_attempt;
	bool firmware_attempt_present;
};

struct grant_firmware {
	struct firmware grant_firmware;
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
	struct grant_shadow grant_shadow;
	bool grant_shadow_present;
	struct grant_firmware grant_firmware;
	bool grant_firmware_present;
};

#ifdef __cplusplus
}
#endif

#endif /* WIRE_CODEC_TYPES_H__ */
