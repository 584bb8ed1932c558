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
static bool decode_phase(zcbor_state_t *state, struct phase_r *result);
static bool decode_reason(zcbor_state_t *state, struct reason_r *result);
static bool decode_repeated_state_active(zcbor_state_t *state, struct state_active *result);
static bool decode_repeated_state_target(zcbor_state_t *state, struct state_target *result);
static bool decode_repeated_state_standby(zcbor_state_t *state, struct state_standby *result);
static bool decode_caps(zcbor_state_t *state, struct caps *result);
static bool decode_repeated_state_attempt(zcbor_state_t *state, struct state_attempt *result);
static bool decode_repeated_histogram_tally_m(zcbor_state_t *state, uint32_t *result);
static bool decode_histogram(zcbor_state_t *state, struct histogram *result);
static bool decode_repeated_stats_classes_tally_m(zcbor_state_t *state, uint32_t *result);
static bool decode_repeated_stats_latency_sum(zcbor_state_t *state, struct stats_latency_sum *result);
static bool decode_why(zcbor_state_t *state, struct why_r *result);
static bool decode_artefact(zcbor_state_t *state, struct artefact *result);
static bool decode_repeated_grant_artefact(zcbor_state_t *state, struct grant_artefact *result);
static bool decode_repeated_grant_hold(zcbor_state_t *state, struct grant_hold *result);
static bool decode_repeated_grant_attempt(zcbor_state_t *state, struct grant_attempt *result);
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
	|| (((*result).phase_choice == phase_ready_m_c) && ((1)))) || (zcbor_error(state, ZCBOR_ERR_WRONG_VALUE), false))))));

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
	|| (((*result).reason_choice == reason_timeout_m_c) && ((1)))) || (zcbor_error(state, ZCBOR_ERR_WRONG_VALUE), false))))));

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
	&& ((*result).caps_agent.len <= 24)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

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

static bool decode_why(
		zcbor_state_t *state, struct why_r *result)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((((zcbor_uint_decode(state, &(*result).why_choice, sizeof((*result).why_choice)))) && ((((((*result).why_choice == why_uncertain_m_c) && ((1)))
	|| (((*result).why_choice == why_random_m_c) && ((1)))) || (zcbor_error(state, ZCBOR_ERR_WRONG_VALUE), false))))));

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
	&& ((((*result).artefact_block <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false)))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

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
	&& zcbor_present_decode(&((*result).grant_attempt_present), (zcbor_decoder_t *)decode_repeated_grant_attempt, state, (&(*result).grant_attempt))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_grant_artefact(state, (&(*result).grant_artefact));
		decode_repeated_grant_hold(state, (&(*result).grant_hold));
		decode_repeated_grant_attempt(state, (&(*result).grant_attempt));
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
	&& zcbor_present_decode(&((*result).stats_latency_sum_present), (zcbor_decoder_t *)decode_repeated_stats_latency_sum, state, (&(*result).stats_latency_sum))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_stats_classes_tally_m(state, (*&(*result).stats_classes_tally_m));
		decode_repeated_stats_latency_sum(state, (&(*result).stats_latency_sum));
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
	&& zcbor_present_decode(&((*result).state_attempt_present), (zcbor_decoder_t *)decode_repeated_state_attempt, state, (&(*result).state_attempt))) || (zcbor_list_map_end_force_decode(state), false)) && zcbor_map_end_decode(state))));

	if (false) {
		/* For testing that the types of the arguments are correct.
		 * A compiler error here means a bug in zcbor.
		 */
		decode_repeated_state_active(state, (&(*result).state_active));
		decode_repeated_state_target(state, (&(*result).state_target));
		decode_repeated_state_standby(state, (&(*result).state_standby));
		decode_repeated_state_attempt(state, (&(*result).state_attempt));
	}

	log_result(state, res, __func__);
	return res;
}



int cbor_decode_state(
		const uint8_t *payload, size_t payload_len,
		struct state *result,
		size_t *payload_len_out)
{
	zcbor_state_t states[4];

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
	zcbor_state_t states[4];

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
