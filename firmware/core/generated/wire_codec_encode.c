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
static bool encode_phase(zcbor_state_t *state, const struct phase_r *input);
static bool encode_reason(zcbor_state_t *state, const struct reason_r *input);
static bool encode_repeated_state_active(zcbor_state_t *state, const struct state_active *input);
static bool encode_repeated_state_target(zcbor_state_t *state, const struct state_target *input);
static bool encode_repeated_state_standby(zcbor_state_t *state, const struct state_standby *input);
static bool encode_caps(zcbor_state_t *state, const struct caps *input);
static bool encode_repeated_state_attempt(zcbor_state_t *state, const struct state_attempt *input);
static bool encode_repeated_histogram_tally_m(zcbor_state_t *state, const uint32_t *input);
static bool encode_histogram(zcbor_state_t *state, const struct histogram *input);
static bool encode_repeated_stats_classes_tally_m(zcbor_state_t *state, const uint32_t *input);
static bool encode_repeated_stats_latency_sum(zcbor_state_t *state, const struct stats_latency_sum *input);
static bool encode_why(zcbor_state_t *state, const struct why_r *input);
static bool encode_artefact(zcbor_state_t *state, const struct artefact *input);
static bool encode_repeated_grant_artefact(zcbor_state_t *state, const struct grant_artefact *input);
static bool encode_repeated_grant_hold(zcbor_state_t *state, const struct grant_hold *input);
static bool encode_repeated_grant_attempt(zcbor_state_t *state, const struct grant_attempt *input);
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
	: false))))))))));

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
	: false))))))))))))))))))));

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

static bool encode_caps(
		zcbor_state_t *state, const struct caps *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 6) && (((((zcbor_uint32_put(state, (1))))
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
	&& (zcbor_tstr_encode(state, (&(*input).caps_agent))))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 6))));

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

static bool encode_artefact(
		zcbor_state_t *state, const struct artefact *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 3) && (((((zcbor_uint32_put(state, (1))))
	&& ((((((*input).artefact_digest.len == 32)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_bstr_encode(state, (&(*input).artefact_digest))))
	&& (((zcbor_uint32_put(state, (2))))
	&& ((((*input).artefact_size <= UINT32_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).artefact_size))))
	&& (((zcbor_uint32_put(state, (3))))
	&& ((((*input).artefact_block <= UINT16_MAX)) || (zcbor_error(state, ZCBOR_ERR_WRONG_RANGE), false))
	&& (zcbor_uint32_encode(state, (&(*input).artefact_block))))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 3))));

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

	bool res = (((zcbor_map_start_encode(state, 7) && (((((zcbor_uint32_put(state, (1))))
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
	&& (!(*input).grant_attempt_present || encode_repeated_grant_attempt(state, (&(*input).grant_attempt)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 7))));

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

	bool res = (((zcbor_map_start_encode(state, 11) && (((((zcbor_uint32_put(state, (1))))
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
	&& (!(*input).stats_latency_sum_present || encode_repeated_stats_latency_sum(state, (&(*input).stats_latency_sum)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 11))));

	log_result(state, res, __func__);
	return res;
}

static bool encode_state(
		zcbor_state_t *state, const struct state *input)
{
	zcbor_log("%s\r\n", __func__);

	bool res = (((zcbor_map_start_encode(state, 12) && (((((zcbor_uint32_put(state, (1))))
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
	&& (!(*input).state_attempt_present || encode_repeated_state_attempt(state, (&(*input).state_attempt)))) || (zcbor_list_map_end_force_encode(state), false)) && zcbor_map_end_encode(state, 12))));

	log_result(state, res, __func__);
	return res;
}



int cbor_encode_state(
		uint8_t *payload, size_t payload_len,
		const struct state *input,
		size_t *payload_len_out)
{
	zcbor_state_t states[4];

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
	zcbor_state_t states[4];

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
