/*
 * Generated from operator/petiole/wire/messages.cddl: run make -C firmware generate.
 *
 * Generated using zcbor version 0.9.1
 * https://github.com/NordicSemiconductor/zcbor
 * Generated with a --default-max-qty of 3
 */

#ifndef WIRE_CODEC_DECODE_H__
#define WIRE_CODEC_DECODE_H__

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


int cbor_decode_state(
		const uint8_t *payload, size_t payload_len,
		struct state *result,
		size_t *payload_len_out);


int cbor_decode_stats(
		const uint8_t *payload, size_t payload_len,
		struct stats *result,
		size_t *payload_len_out);


int cbor_decode_sample(
		const uint8_t *payload, size_t payload_len,
		struct sample *result,
		size_t *payload_len_out);


int cbor_decode_grant(
		const uint8_t *payload, size_t payload_len,
		struct grant *result,
		size_t *payload_len_out);


int cbor_decode_halt(
		const uint8_t *payload, size_t payload_len,
		struct halt *result,
		size_t *payload_len_out);


int cbor_decode_ack(
		const uint8_t *payload, size_t payload_len,
		struct ack *result,
		size_t *payload_len_out);


int cbor_decode_online(
		const uint8_t *payload, size_t payload_len,
		bool *result,
		size_t *payload_len_out);


#ifdef __cplusplus
}
#endif

#endif /* WIRE_CODEC_DECODE_H__ */
