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
#include "zcbor_decode.h"
#include "wire_codec_decode.h"
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

static bool decode_repeated_halt_digest_m(zcbor_state_t *state, struct zcbor_string *result);
static bool decode_repeated_ack_hash_m(zcbor_state_t *state, struct zcbor_string *result);
static bool decode_repeated_histogram_tally_m(zcbor_state_t *state, uint32_t *result);
static bool decode_histogram(zcbor_state_t *state, struct histogram *result);
static bool decode_repeated_stats_classes_tally_m(zcbor_state_t *state, uint32_t *result);
static bool decode_repeated_stats_latency_sum(zcbor_state_t *state, struct stats_latency_sum *result);
static bool decode_repeated_stats_inputs(zcbor_state_t *state, struct stats_inputs *result);
static bool decode_repeated_stats_latency(zcbor_state_t *state, struct stats_latency *result);
static bool decode_repeated_stats_drift(zcbor_state_t *state, struct stats_drift *result);
static bool decode_shadow_run(zcbor_state_t *state, struct shadow_run *result);
static bool decode_repeated_stats_shadow(zcbor_state_t *state, struct stats_shadow *result);
static bool decode_why(zcbor_state_t *state, struct why_r *result);
static bool decode_phase(zcbor_state_t *state, struct phase_r *result);
static bool decode_reason(zcbor_state_t *state, struct reason_r *result);
static bool decode_repeated_state_active(zcbor_state_t *state, struct state_active *result);
static bool decode_repeated_state_target(zcbor_state_t *state, struct state_target *result);
static bool decode_repeated_state_standby(zcbor_state_t *state, struct state_standby *result);
static bool decode_repeated_caps_firmware(zcbor_state_t *state, struct caps_firmware *result);
static bool decode_repeated_caps_block(zcbor_state_t *state, struct caps_block *result);
static bool decode_caps(zcbor_state_t *state, struct caps *result);
static bool decode_repeated_state_attempt(zcbor_state_t *state, struct state_attempt *result);
static bool decode_repeated_firmware_state_firmware_standby(zcbor_state_t *state, struct firmware_state_firmware_standby *result);
static bool decode_firmware_state(zcbor_state_t *state, struct firmware_state *result);
static bool decode_repeated_state_firmware(zcbor_state_t *state, struct state_firmware *result);
static bool decode_cause(zcbor_state_t *state, struct cause_r *result);
static bool decode_crash(zcbor_state_t *state, struct crash *result);
static bool decode_repeated_state_crash(zcbor_state_t *state, struct state_crash *result);
static bool decode_repeated_state_score(zcbor_state_t *state, struct state_score *result);
static bool decode_patch(zcbor_state_t *state, struct patch *result);
static bool decode_repeated_artefact_patch(zcbor_state_t *state, struct artefact_patch *result);
static bool decode_artefact(zcbor_state_t *state, struct artefact *result);
static bool decode_repeated_grant_artefact(zcbor_state_t *state, struct grant_artefact *result);
static bool decode_repeated_grant_hold(zcbor_state_t *state, struct grant_hold *result);
static bool decode_repeated_grant_attempt(zcbor_state_t *state, struct grant_attempt *result);
static bool decode_repeated_grant_shadow(zcbor_state_t *state, struct grant_shadow *result);
static bool decode_repeated_firmware_hold(zcbor_state_t *state, struct firmware_hold *result);
static bool decode_repeated_firmware_attempt(zcbor_state_t *state, struct firmware_attempt *result);
static bool decode_firmware(zcbor_state_t *state, struct firmware *result);
static bool decode_repeated_grant_firmware(zcbor_state_t *state, struct grant_firmware *result);
static bool decode_online(zcbor_state_t *state, bool *result);
static bool decode_ack(zcbor_state_t *state, struct ack *result);
static bool decode_halt(zcbor_state_t *state, struct halt *result);
static bool decode_grant(zcbor_state_t *state, struct grant *result);
static bool decode_sample(zcbor_state_t *state, struct sample *result);
static bool decode_stats(zcbor_state_t *state, struct stats *result);
static bool decode_state(zcbor_state_t *state, struct state *result);


static bool decode_repeated_halt_digest_m(
		zcbor_state_t *state, struct zcbor_string *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_bstr_decode(state, (&(*result))))
	&& ((((((*result).len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_ack_hash_m(
		zcbor_state_t *state, struct zcbor_string *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_bstr_decode(state, (&(*result))))
	&& ((((((*result).len == 16)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_histogram_tally_m(
		zcbor_state_t *state, uint32_t *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_uint32_decode(state, (&(*result))))
	&& ((((((*result) <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_histogram(
		zcbor_state_t *state, struct histogram *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_list_start_decode(state) && ((zcbor_multi_decode(16, 16, &(*result).histogram_tally_m_count, (zcbor_decoder_t *)decode_repeated_histogram_tally_m, state, (*&(*result).histogram_tally_m), sizeof(uint32_t))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_list_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_histogram_tally_m(state, (*&(*result).histogram_tally_m));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_stats_classes_tally_m(
		zcbor_state_t *state, uint32_t *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_uint32_decode(state, (&(*result))))
	&& ((((((*result) <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_stats_latency_sum(
		zcbor_state_t *state, struct stats_latency_sum *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (11))))
	&& (zcbor_uint64_decode(state, (&(*result).stats_latency_sum)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_stats_inputs(
		zcbor_state_t *state, struct stats_inputs *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (12))))
	&& (decode_histogram(state, (&(*result).stats_inputs)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_stats_latency(
		zcbor_state_t *state, struct stats_latency *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (13))))
	&& (decode_histogram(state, (&(*result).stats_latency)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_stats_drift(
		zcbor_state_t *state, struct stats_drift *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (14))))
	&& (zcbor_uint32_decode(state, (&(*result).stats_drift)))
	&& ((((*result).stats_drift <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_shadow_run(
		zcbor_state_t *state, struct shadow_run *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_bstr_decode(state, (&(*result).shadow_run_shadow_digest)))
	&& ((((((*result).shadow_run_shadow_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_uint32_decode(state, (&(*result).shadow_run_shadow_count)))
	&& ((((*result).shadow_run_shadow_count <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_uint32_decode(state, (&(*result).shadow_run_shadow_disagreed)))
	&& ((((*result).shadow_run_shadow_disagreed <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (4))))
	&& (zcbor_uint64_decode(state, (&(*result).shadow_run_shadow_confidence_sum))))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_stats_shadow(
		zcbor_state_t *state, struct stats_shadow *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (15))))
	&& (decode_shadow_run(state, (&(*result).stats_shadow)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_why(
		zcbor_state_t *state, struct why_r *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((zcbor_uint_decode(state, &(*result).why_choice, sizeof((*result).why_choice)))) && ((((((*result).why_choice == why_uncertain_m_c) && ((1)))
	|| (((*result).why_choice == why_random_m_c) && ((1)))) || (zcbor_error(state, ZCBOR_ERR_WRONG_VALUE), false))))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_phase(
		zcbor_state_t *state, struct phase_r *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((zcbor_uint_decode(state, &(*result).phase_choice, sizeof((*result).phase_choice)))) && ((((((*result).phase_choice == phase_idle_m_c) && ((1)))
	|| (((*result).phase_choice == phase_downloading_m_c) && ((1)))
	|| (((*result).phase_choice == phase_verifying_m_c) && ((1)))
	|| (((*result).phase_choice == phase_trial_m_c) && ((1)))
	|| (((*result).phase_choice == phase_confirmed_m_c) && ((1)))
	|| (((*result).phase_choice == phase_failed_m_c) && ((1)))
	|| (((*result).phase_choice == phase_rolledback_m_c) && ((1)))
	|| (((*result).phase_choice == phase_ready_m_c) && ((1)))
	|| (((*result).phase_choice == phase_shadow_m_c) && ((1)))) || (zcbor_error(state, ZCBOR_ERR_WRONG_VALUE), false))))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_reason(
		zcbor_state_t *state, struct reason_r *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((zcbor_uint_decode(state, &(*result).reason_choice, sizeof((*result).reason_choice)))) && ((((((*result).reason_choice == reason_none_m_c) && ((1)))
	|| (((*result).reason_choice == reason_digest_mismatch_m_c) && ((1)))
	|| (((*result).reason_choice == reason_bad_image_m_c) && ((1)))
	|| (((*result).reason_choice == reason_wrong_key_m_c) && ((1)))
	|| (((*result).reason_choice == reason_bad_signature_m_c) && ((1)))
	|| (((*result).reason_choice == reason_counter_too_low_m_c) && ((1)))
	|| (((*result).reason_choice == reason_wrong_target_m_c) && ((1)))
	|| (((*result).reason_choice == reason_wrong_kind_m_c) && ((1)))
	|| (((*result).reason_choice == reason_abi_unsupported_m_c) && ((1)))
	|| (((*result).reason_choice == reason_arena_too_large_m_c) && ((1)))
	|| (((*result).reason_choice == reason_op_unsupported_m_c) && ((1)))
	|| (((*result).reason_choice == reason_model_invalid_m_c) && ((1)))
	|| (((*result).reason_choice == reason_golden_mismatch_m_c) && ((1)))
	|| (((*result).reason_choice == reason_slot_too_small_m_c) && ((1)))
	|| (((*result).reason_choice == reason_flash_error_m_c) && ((1)))
	|| (((*result).reason_choice == reason_halted_m_c) && ((1)))
	|| (((*result).reason_choice == reason_trial_expired_m_c) && ((1)))
	|| (((*result).reason_choice == reason_timeout_m_c) && ((1)))
	|| (((*result).reason_choice == reason_crashed_m_c) && ((1)))
	|| (((*result).reason_choice == reason_hung_m_c) && ((1)))
	|| (((*result).reason_choice == reason_unreachable_m_c) && ((1)))
	|| (((*result).reason_choice == reason_wrong_slot_m_c) && ((1)))) || (zcbor_error(state, ZCBOR_ERR_WRONG_VALUE), false))))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_state_active(
		zcbor_state_t *state, struct state_active *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (5))))
	&& (zcbor_bstr_decode(state, (&(*result).state_active)))
	&& ((((((*result).state_active.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_state_target(
		zcbor_state_t *state, struct state_target *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (6))))
	&& (zcbor_bstr_decode(state, (&(*result).state_target)))
	&& ((((((*result).state_target.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_state_standby(
		zcbor_state_t *state, struct state_standby *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (7))))
	&& (zcbor_bstr_decode(state, (&(*result).state_standby)))
	&& ((((((*result).state_standby.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_caps_firmware(
		zcbor_state_t *state, struct caps_firmware *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (7))))
	&& (zcbor_uint32_decode(state, (&(*result).caps_firmware)))
	&& ((((*result).caps_firmware <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_caps_block(
		zcbor_state_t *state, struct caps_block *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (8))))
	&& (zcbor_uint32_decode(state, (&(*result).caps_block)))
	&& ((((*result).caps_block <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_caps(
		zcbor_state_t *state, struct caps *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_tstr_decode(state, (&(*result).caps_target)))
	&& ((((*result).caps_target.len >= 1)
	&& ((*result).caps_target.len <= 24)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_uint32_decode(state, (&(*result).caps_slot)))
	&& ((((*result).caps_slot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_uint32_decode(state, (&(*result).caps_arena)))
	&& ((((*result).caps_arena <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (4))))
	&& (zcbor_uint32_decode(state, (&(*result).caps_abi)))
	&& ((((*result).caps_abi <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (5))))
	&& (zcbor_uint32_decode(state, (&(*result).caps_ops)))
	&& ((((*result).caps_ops <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (6))))
	&& (zcbor_tstr_decode(state, (&(*result).caps_agent)))
	&& ((((*result).caps_agent.len >= 1)
	&& ((*result).caps_agent.len <= 24)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& zcbor_present_decode(&((*result).caps_firmware_present), (zcbor_decoder_t *)decode_repeated_caps_firmware, state, (&(*result).caps_firmware))
	&& zcbor_present_decode(&((*result).caps_block_present), (zcbor_decoder_t *)decode_repeated_caps_block, state, (&(*result).caps_block))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_caps_firmware(state, (&(*result).caps_firmware));
		decode_repeated_caps_block(state, (&(*result).caps_block));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_state_attempt(
		zcbor_state_t *state, struct state_attempt *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (12))))
	&& (zcbor_uint32_decode(state, (&(*result).state_attempt)))
	&& ((((*result).state_attempt <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_firmware_state_firmware_standby(
		zcbor_state_t *state, struct firmware_state_firmware_standby *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (2))))
	&& (zcbor_bstr_decode(state, (&(*result).firmware_state_firmware_standby)))
	&& ((((((*result).firmware_state_firmware_standby.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_firmware_state(
		zcbor_state_t *state, struct firmware_state *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_bstr_decode(state, (&(*result).firmware_state_firmware_active)))
	&& ((((((*result).firmware_state_firmware_active.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& zcbor_present_decode(&((*result).firmware_state_firmware_standby_present), (zcbor_decoder_t *)decode_repeated_firmware_state_firmware_standby, state, (&(*result).firmware_state_firmware_standby))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_uint32_decode(state, (&(*result).firmware_state_firmware_floor)))
	&& ((((*result).firmware_state_firmware_floor <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_firmware_state_firmware_standby(state, (&(*result).firmware_state_firmware_standby));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_state_firmware(
		zcbor_state_t *state, struct state_firmware *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (13))))
	&& (decode_firmware_state(state, (&(*result).state_firmware)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_cause(
		zcbor_state_t *state, struct cause_r *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((zcbor_uint_decode(state, &(*result).cause_choice, sizeof((*result).cause_choice)))) && ((((((*result).cause_choice == cause_fault_m_c) && ((1)))
	|| (((*result).cause_choice == cause_watchdog_m_c) && ((1)))
	|| (((*result).cause_choice == cause_assertion_m_c) && ((1)))) || (zcbor_error(state, ZCBOR_ERR_WRONG_VALUE), false))))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_crash(
		zcbor_state_t *state, struct crash *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_uint32_decode(state, (&(*result).crash_boot)))
	&& ((((*result).crash_boot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (decode_cause(state, (&(*result).crash_cause))))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_uint32_decode(state, (&(*result).crash_pc)))
	&& ((((*result).crash_pc <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (4))))
	&& (zcbor_uint32_decode(state, (&(*result).crash_lr)))
	&& ((((*result).crash_lr <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (5))))
	&& (zcbor_uint32_decode(state, (&(*result).crash_fault)))
	&& ((((*result).crash_fault <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (6))))
	&& (zcbor_bstr_decode(state, (&(*result).crash_firmware)))
	&& ((((*result).crash_firmware.len == 8)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_state_crash(
		zcbor_state_t *state, struct state_crash *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (14))))
	&& (decode_crash(state, (&(*result).state_crash)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_state_score(
		zcbor_state_t *state, struct state_score *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (15))))
	&& (zcbor_uint32_decode(state, (&(*result).state_score)))
	&& ((((*result).state_score <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_patch(
		zcbor_state_t *state, struct patch *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_bstr_decode(state, (&(*result).patch_base)))
	&& ((((((*result).patch_base.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_bstr_decode(state, (&(*result).patch_digest)))
	&& ((((((*result).patch_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_uint32_decode(state, (&(*result).patch_size)))
	&& ((((*result).patch_size <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_artefact_patch(
		zcbor_state_t *state, struct artefact_patch *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (4))))
	&& (decode_patch(state, (&(*result).artefact_patch)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_artefact(
		zcbor_state_t *state, struct artefact *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_bstr_decode(state, (&(*result).artefact_digest)))
	&& ((((((*result).artefact_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_uint32_decode(state, (&(*result).artefact_size)))
	&& ((((*result).artefact_size <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_uint32_decode(state, (&(*result).artefact_block)))
	&& ((((*result).artefact_block <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& zcbor_present_decode(&((*result).artefact_patch_present), (zcbor_decoder_t *)decode_repeated_artefact_patch, state, (&(*result).artefact_patch))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_artefact_patch(state, (&(*result).artefact_patch));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_grant_artefact(
		zcbor_state_t *state, struct grant_artefact *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (3))))
	&& (decode_artefact(state, (&(*result).grant_artefact)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_grant_hold(
		zcbor_state_t *state, struct grant_hold *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (6))))
	&& (zcbor_bool_decode(state, (&(*result).grant_hold)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_grant_attempt(
		zcbor_state_t *state, struct grant_attempt *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (7))))
	&& (zcbor_uint32_decode(state, (&(*result).grant_attempt)))
	&& ((((*result).grant_attempt <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_grant_shadow(
		zcbor_state_t *state, struct grant_shadow *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (8))))
	&& (zcbor_uint32_decode(state, (&(*result).grant_shadow)))
	&& ((((*result).grant_shadow <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_firmware_hold(
		zcbor_state_t *state, struct firmware_hold *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (3))))
	&& (zcbor_bool_decode(state, (&(*result).firmware_hold)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_firmware_attempt(
		zcbor_state_t *state, struct firmware_attempt *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (4))))
	&& (zcbor_uint32_decode(state, (&(*result).firmware_attempt)))
	&& ((((*result).firmware_attempt <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_firmware(
		zcbor_state_t *state, struct firmware *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (decode_artefact(state, (&(*result).firmware_a))))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (decode_artefact(state, (&(*result).firmware_b))))
	&& zcbor_present_decode(&((*result).firmware_hold_present), (zcbor_decoder_t *)decode_repeated_firmware_hold, state, (&(*result).firmware_hold))
	&& zcbor_present_decode(&((*result).firmware_attempt_present), (zcbor_decoder_t *)decode_repeated_firmware_attempt, state, (&(*result).firmware_attempt))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_firmware_hold(state, (&(*result).firmware_hold));
		decode_repeated_firmware_attempt(state, (&(*result).firmware_attempt));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_repeated_grant_firmware(
		zcbor_state_t *state, struct grant_firmware *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = ((((zcbor_uint32_expect(state, (9))))
	&& (decode_firmware(state, (&(*result).grant_firmware)))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_online(
		zcbor_state_t *state, bool *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_bool_decode(state, (&(*result))))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_ack(
		zcbor_state_t *state, struct ack *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_list_start_decode(state) && ((zcbor_multi_decode(1, 16, &(*result).ack_hash_m_count, (zcbor_decoder_t *)decode_repeated_ack_hash_m, state, (*&(*result).ack_hash_m), sizeof(struct zcbor_string))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_list_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_ack_hash_m(state, (*&(*result).ack_hash_m));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_halt(
		zcbor_state_t *state, struct halt *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_list_start_decode(state) && ((zcbor_multi_decode(0, 8, &(*result).halt_digest_m_count, (zcbor_decoder_t *)decode_repeated_halt_digest_m, state, (*&(*result).halt_digest_m), sizeof(struct zcbor_string))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_list_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_halt_digest_m(state, (*&(*result).halt_digest_m));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_grant(
		zcbor_state_t *state, struct grant *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_uint32_decode(state, (&(*result).grant_serial)))
	&& ((((*result).grant_serial <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_tstr_decode(state, (&(*result).grant_fleet)))
	&& ((((*result).grant_fleet.len >= 1)
	&& ((*result).grant_fleet.len <= INT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& zcbor_present_decode(&((*result).grant_artefact_present), (zcbor_decoder_t *)decode_repeated_grant_artefact, state, (&(*result).grant_artefact))
	&& (((zcbor_uint32_expect(state, (4))))
	&& (zcbor_uint32_decode(state, (&(*result).grant_interval)))
	&& ((((*result).grant_interval <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (5))))
	&& (zcbor_uint32_decode(state, (&(*result).grant_samples)))
	&& ((((*result).grant_samples <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& zcbor_present_decode(&((*result).grant_hold_present), (zcbor_decoder_t *)decode_repeated_grant_hold, state, (&(*result).grant_hold))
	&& zcbor_present_decode(&((*result).grant_attempt_present), (zcbor_decoder_t *)decode_repeated_grant_attempt, state, (&(*result).grant_attempt))
	&& zcbor_present_decode(&((*result).grant_shadow_present), (zcbor_decoder_t *)decode_repeated_grant_shadow, state, (&(*result).grant_shadow))
	&& zcbor_present_decode(&((*result).grant_firmware_present), (zcbor_decoder_t *)decode_repeated_grant_firmware, state, (&(*result).grant_firmware))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_grant_artefact(state, (&(*result).grant_artefact));
		decode_repeated_grant_hold(state, (&(*result).grant_hold));
		decode_repeated_grant_attempt(state, (&(*result).grant_attempt));
		decode_repeated_grant_shadow(state, (&(*result).grant_shadow));
		decode_repeated_grant_firmware(state, (&(*result).grant_firmware));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_sample(
		zcbor_state_t *state, struct sample *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_bstr_decode(state, (&(*result).sample_digest)))
	&& ((((((*result).sample_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_bstr_decode(state, (&(*result).sample_input)))
	&& ((((*result).sample_input.len >= 1)
	&& ((*result).sample_input.len <= 4096)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_uint32_decode(state, (&(*result).sample_class)))
	&& ((((*result).sample_class <= UINT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (4))))
	&& (zcbor_uint32_decode(state, (&(*result).sample_confidence)))
	&& ((((*result).sample_confidence <= UINT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (5))))
	&& (zcbor_uint32_decode(state, (&(*result).sample_margin)))
	&& ((((*result).sample_margin <= UINT8_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (6))))
	&& (decode_why(state, (&(*result).sample_why))))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	log_result(state, res, __func__);
	return res;
}

static bool decode_stats(
		zcbor_state_t *state, struct stats *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_uint32_decode(state, (&(*result).stats_boot)))
	&& ((((*result).stats_boot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_uint32_decode(state, (&(*result).stats_seq)))
	&& ((((*result).stats_seq <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (zcbor_bstr_decode(state, (&(*result).stats_digest)))
	&& ((((((*result).stats_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (4))))
	&& (zcbor_uint32_decode(state, (&(*result).stats_count)))
	&& ((((*result).stats_count <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (5))))
	&& (decode_histogram(state, (&(*result).stats_confidence))))
	&& (((zcbor_uint32_expect(state, (6))))
	&& (decode_histogram(state, (&(*result).stats_margin))))
	&& (((zcbor_uint32_expect(state, (7))))
	&& (zcbor_list_start_decode(state) && ((zcbor_multi_decode(1, 32, &(*result).stats_classes_tally_m_count, (zcbor_decoder_t *)decode_repeated_stats_classes_tally_m, state, (*&(*result).stats_classes_tally_m), sizeof(uint32_t))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_list_end_decode(state)))
	&& (((zcbor_uint32_expect(state, (8))))
	&& (zcbor_uint64_decode(state, (&(*result).stats_confidence_sum))))
	&& (((zcbor_uint32_expect(state, (9))))
	&& (zcbor_uint64_decode(state, (&(*result).stats_confidence_squares))))
	&& (((zcbor_uint32_expect(state, (10))))
	&& (zcbor_uint64_decode(state, (&(*result).stats_input_sum))))
	&& zcbor_present_decode(&((*result).stats_latency_sum_present), (zcbor_decoder_t *)decode_repeated_stats_latency_sum, state, (&(*result).stats_latency_sum))
	&& zcbor_present_decode(&((*result).stats_inputs_present), (zcbor_decoder_t *)decode_repeated_stats_inputs, state, (&(*result).stats_inputs))
	&& zcbor_present_decode(&((*result).stats_latency_present), (zcbor_decoder_t *)decode_repeated_stats_latency, state, (&(*result).stats_latency))
	&& zcbor_present_decode(&((*result).stats_drift_present), (zcbor_decoder_t *)decode_repeated_stats_drift, state, (&(*result).stats_drift))
	&& zcbor_present_decode(&((*result).stats_shadow_present), (zcbor_decoder_t *)decode_repeated_stats_shadow, state, (&(*result).stats_shadow))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_stats_classes_tally_m(state, (*&(*result).stats_classes_tally_m));
		decode_repeated_stats_latency_sum(state, (&(*result).stats_latency_sum));
		decode_repeated_stats_inputs(state, (&(*result).stats_inputs));
		decode_repeated_stats_latency(state, (&(*result).stats_latency));
		decode_repeated_stats_drift(state, (&(*result).stats_drift));
		decode_repeated_stats_shadow(state, (&(*result).stats_shadow));
	}

	log_result(state, res, __func__);
	return res;
}

static bool decode_state(
		zcbor_state_t *state, struct state *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_decode(state) && (((((zcbor_uint32_expect(state, (1))))
	&& (zcbor_uint32_decode(state, (&(*result).state_boot)))
	&& ((((*result).state_boot <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (2))))
	&& (zcbor_uint32_decode(state, (&(*result).state_seq)))
	&& ((((*result).state_seq <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (3))))
	&& (decode_phase(state, (&(*result).state_phase))))
	&& (((zcbor_uint32_expect(state, (4))))
	&& (decode_reason(state, (&(*result).state_reason))))
	&& zcbor_present_decode(&((*result).state_active_present), (zcbor_decoder_t *)decode_repeated_state_active, state, (&(*result).state_active))
	&& zcbor_present_decode(&((*result).state_target_present), (zcbor_decoder_t *)decode_repeated_state_target, state, (&(*result).state_target))
	&& zcbor_present_decode(&((*result).state_standby_present), (zcbor_decoder_t *)decode_repeated_state_standby, state, (&(*result).state_standby))
	&& (((zcbor_uint32_expect(state, (8))))
	&& (zcbor_uint32_decode(state, (&(*result).state_got)))
	&& ((((*result).state_got <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (9))))
	&& (zcbor_uint32_decode(state, (&(*result).state_total)))
	&& ((((*result).state_total <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (10))))
	&& (zcbor_uint32_decode(state, (&(*result).state_floor)))
	&& ((((*result).state_floor <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))
	&& (((zcbor_uint32_expect(state, (11))))
	&& (decode_caps(state, (&(*result).state_caps))))
	&& zcbor_present_decode(&((*result).state_attempt_present), (zcbor_decoder_t *)decode_repeated_state_attempt, state, (&(*result).state_attempt))
	&& zcbor_present_decode(&((*result).state_firmware_present), (zcbor_decoder_t *)decode_repeated_state_firmware, state, (&(*result).state_firmware))
	&& zcbor_present_decode(&((*result).state_crash_present), (zcbor_decoder_t *)decode_repeated_state_crash, state, (&(*result).state_crash))
	&& zcbor_present_decode(&((*result).state_score_present), (zcbor_decoder_t *)decode_repeated_state_score, state, (&(*result).state_score))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_state_active(state, (&(*result).state_active));
		decode_repeated_state_target(state, (&(*result).state_target));
		decode_repeated_state_standby(state, (&(*result).state_standby));
		decode_repeated_state_attempt(state, (&(*result).state_attempt));
		decode_repeated_state_firmware(state, (&(*result).state_firmware));
		decode_repeated_state_crash(state, (&(*result).state_crash));
		decode_repeated_state_score(state, (&(*result).state_score));
	}

	log_result(state, res, __func__);
	return res;
}



int cbor_decode_state(
		const uint8_t *payload, size_t payload_len,
		struct state *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[5];

	return zcbor_entry_function(payload, payload_len, (void *)result, payload_len_out, states,
		(zcbor_decoder_t *)decode_state, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_decode_stats(
		const uint8_t *payload, size_t payload_len,
		struct stats *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[4];

	return zcbor_entry_function(payload, payload_len, (void *)result, payload_len_out, states,
		(zcbor_decoder_t *)decode_stats, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_decode_sample(
		const uint8_t *payload, size_t payload_len,
		struct sample *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[4];

	return zcbor_entry_function(payload, payload_len, (void *)result, payload_len_out, states,
		(zcbor_decoder_t *)decode_sample, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_decode_grant(
		const uint8_t *payload, size_t payload_len,
		struct grant *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[6];

	return zcbor_entry_function(payload, payload_len, (void *)result, payload_len_out, states,
		(zcbor_decoder_t *)decode_grant, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_decode_halt(
		const uint8_t *payload, size_t payload_len,
		struct halt *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[3];

	return zcbor_entry_function(payload, payload_len, (void *)result, payload_len_out, states,
		(zcbor_decoder_t *)decode_halt, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_decode_ack(
		const uint8_t *payload, size_t payload_len,
		struct ack *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[3];

	return zcbor_entry_function(payload, payload_len, (void *)result, payload_len_out, states,
		(zcbor_decoder_t *)decode_ack, sizeof(states) / sizeof(zcbor_state_t), 1);
}


int cbor_decode_online(
		const uint8_t *payload, size_t payload_len,
		bool *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[2];

	return zcbor_entry_function(payload, payload_len, (void *)result, payload_len_out, states,
		(zcbor_decoder_t *)decode_online, sizeof(states) / sizeof(zcbor_state_t), 1);
}
