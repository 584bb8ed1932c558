/*
 * Generated from operator/petiole/wire/messages.cddl: run make -C firmware generate.
 *
 * Generated using zcbor version 0.9.1
 * https://github.com/NordicSemiconductor/zcbor
 * Generated with a --default-max-qty of 3
 */

#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "zcbor_encode.h"
#include "wire_codec_encode.h"
#include "zcbor_print.h"

#if DEFAULT_MAX_QTY != 3
#error "The type file was generated with a different default_max_qty than this file"
#endif

#define log_result(state, result, func) do { \
	if (!result) { \
		zcbor_trace_file(state); \
		zcbor_log("%s error: %s\r\n", func, zcbor_error_str(zcbor_peek_error(state))); \
	} else { \
		zcbor_log("%s success\r\n", func); \
	} \
} while(0)

static bool encode_repeated_halt_digest_m(zcbor_state_t *state, const struct zcbor_string *input);
static bool encode_repeated_ack_hash_m(zcbor_state_t *state, const struct zcbor_string *input);
static bool encode_repeated_histogram_tally_m(zcbor_state_t *state, const uint32_t *input);
static bool encode_histogram(zcbor_state_t *state, const struct histogram *input);
static bool encode_repeated_stats_classes_tally_m(zcbor_state_t *state, const uint32_t *input);
static bool encode_repeated_stats_latency_sum(zcbor_state_t *state, const struct stats_latency_sum *input);
static bool encode_repeated_stats_inputs(zcbor_state_t *state, const struct stats_inputs *input);
static bool encode_repeated_stats_latency(zcbor_state_t *state, const struct stats_latency *input);
static bool encode_repeated_stats_drift(zcbor_state_t *state, const struct stats_drift *input);
static bool encode_shadow_run(zcbor_state_t *state, const struct shadow_run *input);
static bool encode_repeated_stats_shadow(zcbor_state_t *state, const struct stats_shadow *input);
static bool encode_why(zcbor_state_t *state, const struct why_r *input);
static bool encode_phase(zcbor_state_t *state, const struct phase_r *input);
static bool encode_reason(zcbor_state_t *state, const struct reason_r *input);
static bool encode_repeated_state_active(zcbor_state_t *state, const struct state_active *input);
static bool encode_repeated_state_target(zcbor_state_t *state, const struct state_target *input);
static bool encode_repeated_state_standby(zcbor_state_t *state, const struct state_standby *input);
static bool encode_repeated_caps_firmware(zcbor_state_t *state, const struct caps_firmware *input);
static bool encode_repeated_caps_block(zcbor_state_t *state, const struct caps_block *input);
static bool encode_caps(zcbor_state_t *state, const struct caps *input);
static bool encode_repeated_state_attempt(zcbor_state_t *state, const struct state_attempt *input);
static bool encode_repeated_firmware_state_firmware_standby(zcbor_state_t *state, const struct firmware_state_firmware_standby *input);
static bool encode_firmware_state(zcbor_state_t *state, const struct firmware_state *input);
static bool encode_repeated_state_firmware(zcbor_state_t *state, const struct state_firmware *input);
static bool encode_cause(zcbor_state_t *state, const struct cause_r *input);
static bool encode_crash(zcbor_state_t *state, const struct crash *input);
static bool encode_repeated_state_crash(zcbor_state_t *state, const struct state_crash *input);
static bool encode_repeated_state_score(zcbor_state_t *state, const struct state_score *input);
static bool encode_patch(zcbor_state_t *state, const struct patch *input);
static bool encode_repeated_artefact_patch(zcbor_state_t *state, const struct artefact_patch *input);
static bool encode_artefact(zcbor_state_t *state, const struct artefact *input);
static bool encode_repeated_grant_artefact(zcbor_state_t *state, const struct grant_artefact *input);
static bool encode_repeated_grant_hold(zcbor_state_t *state, const struct grant_hold *input);
static bool encode_repeated_grant_attempt(zcbor_state_t *state, const struct grant_attempt *input);
static bool encode_repeated_grant_shadow(zcbor_state_t *state, const struct grant_shadow *input);
static bool encode_repeated_firmware_hold(zcbor_state_t *state, const struct firmware_hold *input);
static bool encode_repeated_firmware_attempt(zcbor_state_t *state, const struct firmware_attempt *input);
static bool encode_firmware(zcbor_state_t *state, const struct firmware *input);
static bool encode_repeated_grant_firmware(zcbor_state_t *state, const struct grant_firmware *input);
static bool encode_online(zcbor_state_t *state, const bool *input);
static bool encode_ack(zcbor_state_t *state, const struct ack *input);
static bool encode_halt(zcbor_state_t *state, const struct halt *input);
static bool encode_grant(zcbor_state_t *state, const struct grant *input);
static bool encode_sample(zcbor_state_t *state, const struct sample *input);
static bool encode_stats(zcbor_state_t *state, const struct stats *input);
static bool encode_state(zcbor_state_t *state, const struct state *input);


static bool encode_repeated_halt_digest_m(
		zcbor_state_t *state, const struct zcbor_string *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((((((*input).len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input))))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_ack_hash_m(
		zcbor_state_t *state, const struct zcbor_string *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((((((*input).len == 16)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input))))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_histogram_tally_m(
		zcbor_state_t *state, const uint32_t *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((((((*input) <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input))))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_histogram(
		zcbor_state_t *state, const struct histogram *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_list_start_encode(state, 16) && ((zcbor_multi_encode_minmax(16, 16, &(*input).histogram_tally_m_count, (zcbor_encoder_t *)encode_repeated_histogram_tally_m, state, (*&(*input).histogram_tally_m), sizeof(uint32_t))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_list_end_encode(state, 16))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_stats_classes_tally_m(
		zcbor_state_t *state, const uint32_t *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((((((*input) <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input))))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_stats_latency_sum(
		zcbor_state_t *state, const struct stats_latency_sum *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (11))))
	&& (zcbor_uint64_encode(state, (&(*input).stats_latency_sum)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_stats_inputs(
		zcbor_state_t *state, const struct stats_inputs *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (12))))
	&& (encode_histogram(state, (&(*input).stats_inputs)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_stats_latency(
		zcbor_state_t *state, const struct stats_latency *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (13))))
	&& (encode_histogram(state, (&(*input).stats_latency)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_stats_drift(
		zcbor_state_t *state, const struct stats_drift *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (14))))
	&& ((((*input).stats_drift <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).stats_drift)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_shadow_run(
		zcbor_state_t *state, const struct shadow_run *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 4) && (((((zcbor_uint32_put(state, (1))))
	&& ((((((*input).shadow_run_shadow_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).shadow_run_shadow_digest))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).shadow_run_shadow_count <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).shadow_run_shadow_count))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).shadow_run_shadow_disagreed <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).shadow_run_shadow_disagreed))))
	&& (((zcbor_uint32_put(state, (4))))
	&& (zcbor_uint64_encode(state, (&(*input).shadow_run_shadow_confidence_sum))))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 4))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_stats_shadow(
		zcbor_state_t *state, const struct stats_shadow *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (15))))
	&& (encode_shadow_run(state, (&(*input).stats_shadow)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_why(
		zcbor_state_t *state, const struct why_r *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((*input).why_choice == why_uncertain_m_c) ? ((zcbor_uint32_put(state, (0))))
	: (((*input).why_choice == why_random_m_c) ? ((zcbor_uint32_put(state, (1))))
	: false))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_phase(
		zcbor_state_t *state, const struct phase_r *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((*input).phase_choice == phase_idle_m_c) ? ((zcbor_uint32_put(state, (0))))
	: (((*input).phase_choice == phase_downloading_m_c) ? ((zcbor_uint32_put(state, (1))))
	: (((*input).phase_choice == phase_verifying_m_c) ? ((zcbor_uint32_put(state, (2))))
	: (((*input).phase_choice == phase_trial_m_c) ? ((zcbor_uint32_put(state, (3))))
	: (((*input).phase_choice == phase_confirmed_m_c) ? ((zcbor_uint32_put(state, (4))))
	: (((*input).phase_choice == phase_failed_m_c) ? ((zcbor_uint32_put(state, (5))))
	: (((*input).phase_choice == phase_rolledback_m_c) ? ((zcbor_uint32_put(state, (6))))
	: (((*input).phase_choice == phase_ready_m_c) ? ((zcbor_uint32_put(state, (7))))
	: (((*input).phase_choice == phase_shadow_m_c) ? ((zcbor_uint32_put(state, (8))))
	: false)))))))))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_reason(
		zcbor_state_t *state, const struct reason_r *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((*input).reason_choice == reason_none_m_c) ? ((zcbor_uint32_put(state, (0))))
	: (((*input).reason_choice == reason_digest_mismatch_m_c) ? ((zcbor_uint32_put(state, (1))))
	: (((*input).reason_choice == reason_bad_image_m_c) ? ((zcbor_uint32_put(state, (2))))
	: (((*input).reason_choice == reason_wrong_key_m_c) ? ((zcbor_uint32_put(state, (3))))
	: (((*input).reason_choice == reason_bad_signature_m_c) ? ((zcbor_uint32_put(state, (4))))
	: (((*input).reason_choice == reason_counter_too_low_m_c) ? ((zcbor_uint32_put(state, (5))))
	: (((*input).reason_choice == reason_wrong_target_m_c) ? ((zcbor_uint32_put(state, (6))))
	: (((*input).reason_choice == reason_wrong_kind_m_c) ? ((zcbor_uint32_put(state, (7))))
	: (((*input).reason_choice == reason_abi_unsupported_m_c) ? ((zcbor_uint32_put(state, (8))))
	: (((*input).reason_choice == reason_arena_too_large_m_c) ? ((zcbor_uint32_put(state, (9))))
	: (((*input).reason_choice == reason_op_unsupported_m_c) ? ((zcbor_uint32_put(state, (10))))
	: (((*input).reason_choice == reason_model_invalid_m_c) ? ((zcbor_uint32_put(state, (11))))
	: (((*input).reason_choice == reason_golden_mismatch_m_c) ? ((zcbor_uint32_put(state, (12))))
	: (((*input).reason_choice == reason_slot_too_small_m_c) ? ((zcbor_uint32_put(state, (13))))
	: (((*input).reason_choice == reason_flash_error_m_c) ? ((zcbor_uint32_put(state, (14))))
	: (((*input).reason_choice == reason_halted_m_c) ? ((zcbor_uint32_put(state, (15))))
	: (((*input).reason_choice == reason_trial_expired_m_c) ? ((zcbor_uint32_put(state, (16))))
	: (((*input).reason_choice == reason_timeout_m_c) ? ((zcbor_uint32_put(state, (17))))
	: (((*input).reason_choice == reason_crashed_m_c) ? ((zcbor_uint32_put(state, (18))))
	: (((*input).reason_choice == reason_hung_m_c) ? ((zcbor_uint32_put(state, (19))))
	: (((*input).reason_choice == reason_unreachable_m_c) ? ((zcbor_uint32_put(state, (20))))
	: (((*input).reason_choice == reason_wrong_slot_m_c) ? ((zcbor_uint32_put(state, (21))))
	: false))))))))))))))))))))))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_state_active(
		zcbor_state_t *state, const struct state_active *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (5))))
	&& ((((((*input).state_active.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).state_active)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_state_target(
		zcbor_state_t *state, const struct state_target *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (6))))
	&& ((((((*input).state_target.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).state_target)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_state_standby(
		zcbor_state_t *state, const struct state_standby *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (7))))
	&& ((((((*input).state_standby.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).state_standby)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_caps_firmware(
		zcbor_state_t *state, const struct caps_firmware *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (7))))
	&& ((((*input).caps_firmware <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).caps_firmware)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_caps_block(
		zcbor_state_t *state, const struct caps_block *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (8))))
	&& ((((*input).caps_block <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).caps_block)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_caps(
		zcbor_state_t *state, const struct caps *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 8) && (((((zcbor_uint32_put(state, (1))))
	&& ((((*input).caps_target.len >= 1)
	&& ((*input).caps_target.len <= 24)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_tstr_encode(state, (&(*input).caps_target))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).caps_slot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).caps_slot))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).caps_arena <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).caps_arena))))
	&& (((zcbor_uint32_put(state, (4))))
	&& ((((*input).caps_abi <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).caps_abi))))
	&& (((zcbor_uint32_put(state, (5))))
	&& ((((*input).caps_ops <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).caps_ops))))
	&& (((zcbor_uint32_put(state, (6))))
	&& ((((*input).caps_agent.len >= 1)
	&& ((*input).caps_agent.len <= 24)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_tstr_encode(state, (&(*input).caps_agent))))
	&& (!(*input).caps_firmware_present || encode_repeated_caps_firmware(state, (&(*input).caps_firmware)))
	&& (!(*input).caps_block_present || encode_repeated_caps_block(state, (&(*input).caps_block)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 8))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_state_attempt(
		zcbor_state_t *state, const struct state_attempt *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (12))))
	&& ((((*input).state_attempt <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).state_attempt)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_firmware_state_firmware_standby(
		zcbor_state_t *state, const struct firmware_state_firmware_standby *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (2))))
	&& ((((((*input).firmware_state_firmware_standby.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).firmware_state_firmware_standby)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_firmware_state(
		zcbor_state_t *state, const struct firmware_state *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 3) && (((((zcbor_uint32_put(state, (1))))
	&& ((((((*input).firmware_state_firmware_active.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).firmware_state_firmware_active))))
	&& (!(*input).firmware_state_firmware_standby_present || encode_repeated_firmware_state_firmware_standby(state, (&(*input).firmware_state_firmware_standby)))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).firmware_state_firmware_floor <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).firmware_state_firmware_floor))))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 3))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_state_firmware(
		zcbor_state_t *state, const struct state_firmware *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (13))))
	&& (encode_firmware_state(state, (&(*input).state_firmware)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_cause(
		zcbor_state_t *state, const struct cause_r *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((*input).cause_choice == cause_fault_m_c) ? ((zcbor_uint32_put(state, (0))))
	: (((*input).cause_choice == cause_watchdog_m_c) ? ((zcbor_uint32_put(state, (1))))
	: (((*input).cause_choice == cause_assertion_m_c) ? ((zcbor_uint32_put(state, (2))))
	: false)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_crash(
		zcbor_state_t *state, const struct crash *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 6) && (((((zcbor_uint32_put(state, (1))))
	&& ((((*input).crash_boot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).crash_boot))))
	&& (((zcbor_uint32_put(state, (2))))
	&& (encode_cause(state, (&(*input).crash_cause))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).crash_pc <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).crash_pc))))
	&& (((zcbor_uint32_put(state, (4))))
	&& ((((*input).crash_lr <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).crash_lr))))
	&& (((zcbor_uint32_put(state, (5))))
	&& ((((*input).crash_fault <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).crash_fault))))
	&& (((zcbor_uint32_put(state, (6))))
	&& ((((*input).crash_firmware.len == 8)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).crash_firmware))))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 6))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_state_crash(
		zcbor_state_t *state, const struct state_crash *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (14))))
	&& (encode_crash(state, (&(*input).state_crash)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_state_score(
		zcbor_state_t *state, const struct state_score *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (15))))
	&& ((((*input).state_score <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).state_score)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_patch(
		zcbor_state_t *state, const struct patch *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 3) && (((((zcbor_uint32_put(state, (1))))
	&& ((((((*input).patch_base.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).patch_base))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((((*input).patch_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).patch_digest))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).patch_size <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).patch_size))))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 3))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_artefact_patch(
		zcbor_state_t *state, const struct artefact_patch *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (4))))
	&& (encode_patch(state, (&(*input).artefact_patch)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_artefact(
		zcbor_state_t *state, const struct artefact *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 4) && (((((zcbor_uint32_put(state, (1))))
	&& ((((((*input).artefact_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).artefact_digest))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).artefact_size <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).artefact_size))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).artefact_block <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).artefact_block))))
	&& (!(*input).artefact_patch_present || encode_repeated_artefact_patch(state, (&(*input).artefact_patch)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 4))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_grant_artefact(
		zcbor_state_t *state, const struct grant_artefact *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (3))))
	&& (encode_artefact(state, (&(*input).grant_artefact)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_grant_hold(
		zcbor_state_t *state, const struct grant_hold *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (6))))
	&& (zcbor_bool_encode(state, (&(*input).grant_hold)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_grant_attempt(
		zcbor_state_t *state, const struct grant_attempt *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (7))))
	&& ((((*input).grant_attempt <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).grant_attempt)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_grant_shadow(
		zcbor_state_t *state, const struct grant_shadow *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (8))))
	&& ((((*input).grant_shadow <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).grant_shadow)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_firmware_hold(
		zcbor_state_t *state, const struct firmware_hold *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (3))))
	&& (zcbor_bool_encode(state, (&(*input).firmware_hold)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_firmware_attempt(
		zcbor_state_t *state, const struct firmware_attempt *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (4))))
	&& ((((*input).firmware_attempt <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).firmware_attempt)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_firmware(
		zcbor_state_t *state, const struct firmware *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 4) && (((((zcbor_uint32_put(state, (1))))
	&& (encode_artefact(state, (&(*input).firmware_a))))
	&& (((zcbor_uint32_put(state, (2))))
	&& (encode_artefact(state, (&(*input).firmware_b))))
	&& (!(*input).firmware_hold_present || encode_repeated_firmware_hold(state, (&(*input).firmware_hold)))
	&& (!(*input).firmware_attempt_present || encode_repeated_firmware_attempt(state, (&(*input).firmware_attempt)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 4))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_repeated_grant_firmware(
		zcbor_state_t *state, const struct grant_firmware *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_put(state, (9))))
	&& (encode_firmware(state, (&(*input).grant_firmware)))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_online(
		zcbor_state_t *state, const bool *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_bool_encode(state, (&(*input))))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_ack(
		zcbor_state_t *state, const struct ack *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_list_start_encode(state, 16) && ((zcbor_multi_encode_minmax(1, 16, &(*input).ack_hash_m_count, (zcbor_encoder_t *)encode_repeated_ack_hash_m, state, (*&(*input).ack_hash_m), sizeof(struct zcbor_string))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_list_end_encode(state, 16))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_halt(
		zcbor_state_t *state, const struct halt *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_list_start_encode(state, 8) && ((zcbor_multi_encode_minmax(0, 8, &(*input).halt_digest_m_count, (zcbor_encoder_t *)encode_repeated_halt_digest_m, state, (*&(*input).halt_digest_m), sizeof(struct zcbor_string))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_list_end_encode(state, 8))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_grant(
		zcbor_state_t *state, const struct grant *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 9) && (((((zcbor_uint32_put(state, (1))))
	&& ((((*input).grant_serial <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).grant_serial))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).grant_fleet.len >= 1)
	&& ((*input).grant_fleet.len <= INT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_tstr_encode(state, (&(*input).grant_fleet))))
	&& (!(*input).grant_artefact_present || encode_repeated_grant_artefact(state, (&(*input).grant_artefact)))
	&& (((zcbor_uint32_put(state, (4))))
	&& ((((*input).grant_interval <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).grant_interval))))
	&& (((zcbor_uint32_put(state, (5))))
	&& ((((*input).grant_samples <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).grant_samples))))
	&& (!(*input).grant_hold_present || encode_repeated_grant_hold(state, (&(*input).grant_hold)))
	&& (!(*input).grant_attempt_present || encode_repeated_grant_attempt(state, (&(*input).grant_attempt)))
	&& (!(*input).grant_shadow_present || encode_repeated_grant_shadow(state, (&(*input).grant_shadow)))
	&& (!(*input).grant_firmware_present || encode_repeated_grant_firmware(state, (&(*input).grant_firmware)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 9))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_sample(
		zcbor_state_t *state, const struct sample *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 6) && (((((zcbor_uint32_put(state, (1))))
	&& ((((((*input).sample_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).sample_digest))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).sample_input.len >= 1)
	&& ((*input).sample_input.len <= 4096)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).sample_input))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).sample_class <= UINT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).sample_class))))
	&& (((zcbor_uint32_put(state, (4))))
	&& ((((*input).sample_confidence <= UINT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).sample_confidence))))
	&& (((zcbor_uint32_put(state, (5))))
	&& ((((*input).sample_margin <= UINT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).sample_margin))))
	&& (((zcbor_uint32_put(state, (6))))
	&& (encode_why(state, (&(*input).sample_why))))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 6))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_stats(
		zcbor_state_t *state, const struct stats *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 15) && (((((zcbor_uint32_put(state, (1))))
	&& ((((*input).stats_boot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).stats_boot))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).stats_seq <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).stats_seq))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((((*input).stats_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).stats_digest))))
	&& (((zcbor_uint32_put(state, (4))))
	&& ((((*input).stats_count <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).stats_count))))
	&& (((zcbor_uint32_put(state, (5))))
	&& (encode_histogram(state, (&(*input).stats_confidence))))
	&& (((zcbor_uint32_put(state, (6))))
	&& (encode_histogram(state, (&(*input).stats_margin))))
	&& (((zcbor_uint32_put(state, (7))))
	&& (zcbor_list_start_encode(state, 32) && ((zcbor_multi_encode_minmax(1, 32, &(*input).stats_classes_tally_m_count, (zcbor_encoder_t *)encode_repeated_stats_classes_tally_m, state, (*&(*input).stats_classes_tally_m), sizeof(uint32_t))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_list_end_encode(state, 32)))
	&& (((zcbor_uint32_put(state, (8))))
	&& (zcbor_uint64_encode(state, (&(*input).stats_confidence_sum))))
	&& (((zcbor_uint32_put(state, (9))))
	&& (zcbor_uint64_encode(state, (&(*input).stats_confidence_squares))))
	&& (((zcbor_uint32_put(state, (10))))
	&& (zcbor_uint64_encode(state, (&(*input).stats_input_sum))))
	&& (!(*input).stats_latency_sum_present || encode_repeated_stats_latency_sum(state, (&(*input).stats_latency_sum)))
	&& (!(*input).stats_inputs_present || encode_repeated_stats_inputs(state, (&(*input).stats_inputs)))
	&& (!(*input).stats_latency_present || encode_repeated_stats_latency(state, (&(*input).stats_latency)))
	&& (!(*input).stats_drift_present || encode_repeated_stats_drift(state, (&(*input).stats_drift)))
	&& (!(*input).stats_shadow_present || encode_repeated_stats_shadow(state, (&(*input).stats_shadow)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 15))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_state(
		zcbor_state_t *state, const struct state *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 15) && (((((zcbor_uint32_put(state, (1))))
	&& ((((*input).state_boot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).state_boot))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).state_seq <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).state_seq))))
	&& (((zcbor_uint32_put(state, (3))))
	&& (encode_phase(state, (&(*input).state_phase))))
	&& (((zcbor_uint32_put(state, (4))))
	&& (encode_reason(state, (&(*input).state_reason))))
	&& (!(*input).state_active_present || encode_repeated_state_active(state, (&(*input).state_active)))
	&& (!(*input).state_target_present || encode_repeated_state_target(state, (&(*input).state_target)))
	&& (!(*input).state_standby_present || encode_repeated_state_standby(state, (&(*input).state_standby)))
	&& (((zcbor_uint32_put(state, (8))))
	&& ((((*input).state_got <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).state_got))))
	&& (((zcbor_uint32_put(state, (9))))
	&& ((((*input).state_total <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).state_total))))
	&& (((zcbor_uint32_put(state, (10))))
	&& ((((*input).state_floor <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).state_floor))))
	&& (((zcbor_uint32_put(state, (11))))
	&& (encode_caps(state, (&(*input).state_caps))))
	&& (!(*input).state_attempt_present || encode_repeated_state_attempt(state, (&(*input).state_attempt)))
	&& (!(*input).state_firmware_present || encode_repeated_state_firmware(state, (&(*input).state_firmware)))
	&& (!(*input).state_crash_present || encode_repeated_state_crash(state, (&(*input).state_crash)))
	&& (!(*input).state_score_present || encode_repeated_state_score(state, (&(*input).state_score)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 15))));

	log_result(state, res, __func__);
	return res;
}



int cbor_encode_state(
		uint8_t *payload, size_t payload_len,
		const struct state *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[5];

	return zcbor_entry_function(payload, payload_len, (void *)input, payload_len_out, states,
		(zcbor_decoder_t *)encode_state, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_encode_stats(
		uint8_t *payload, size_t payload_len,
		const struct stats *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[4];

	return zcbor_entry_function(payload, payload_len, (void *)input, payload_len_out, states,
		(zcbor_decoder_t *)encode_stats, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_encode_sample(
		uint8_t *payload, size_t payload_len,
		const struct sample *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[4];

	return zcbor_entry_function(payload, payload_len, (void *)input, payload_len_out, states,
		(zcbor_decoder_t *)encode_sample, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_encode_grant(
		uint8_t *payload, size_t payload_len,
		const struct grant *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[6];

	return zcbor_entry_function(payload, payload_len, (void *)input, payload_len_out, states,
		(zcbor_decoder_t *)encode_grant, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_encode_halt(
		uint8_t *payload, size_t payload_len,
		const struct halt *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[3];

	return zcbor_entry_function(payload, payload_len, (void *)input, payload_len_out, states,
		(zcbor_decoder_t *)encode_halt, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_encode_ack(
		uint8_t *payload, size_t payload_len,
		const struct ack *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[3];

	return zcbor_entry_function(payload, payload_len, (void *)input, payload_len_out, states,
		(zcbor_decoder_t *)encode_ack, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_encode_online(
		uint8_t *payload, size_t payload_len,
		const bool *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[2];

	return zcbor_entry_function(payload, payload_len, (void *)input, payload_len_out, states,
		(zcbor_decoder_t *)encode_online, sizeof(states) / sizeof(zcbor_state_t), 1);
}
