/*
 * Generated from operator/petiole/wire/messages.cddl: run make -C firmware generate.
 *
 * Generated using zcbor version 0.9.1
 * https://github.com/NordicSemiconductor/zcbor
 * Generated with a --default-max-qty of 3
 */

#ifndef WIRE_CODEC_ENCODE_H__
#define WIRE_CODEC_ENCODE_H__

#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "wire_codec_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#if DEFAULT_MAX_QTY != 3
#error "The type file was generated with a different default_max_qty than this file"
#endif


int cbor_encode_state(
		uint8_t *payload, size_t payload_len,
		const struct state *input,
		size_t *payload_len_out);


int cbor_encode_stats(
		uint8_t *payload, size_t payload_len,
		const struct stats *input,
		size_t *payload_len_out);


int cbor_encode_sample(
		uint8_t *payload, size_t payload_len,
		const struct sample *input,
		size_t *payload_len_out);


int cbor_encode_grant(
		uint8_t *payload, size_t payload_len,
		const struct grant *input,
		size_t *payload_len_out);


int cbor_encode_halt(
		uint8_t *payload, size_t payload_len,
		const struct halt *input,
		size_t *payload_len_out);


int cbor_encode_ack(
		uint8_t *payload, size_t payload_len,
		const struct ack *input,
		size_t *payload_len_out);


int cbor_encode_online(
		uint8_t *payload, size_t payload_len,
		const bool *input,
		size_t *payload_len_out);


#ifdef __cplusplus
}
#endif

#endif /* WIRE_CODEC_ENCODE_H__ */
