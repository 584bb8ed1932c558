/* Runs models that come over a byte stream, so that a test can compare any device with
 * tflite-micro. Both directions, little endian:
 *
 *   request   'P' 'N' | u16 command | u32 length | payload
 *   response  'P' 'N' | u16 command | i32 status | u32 length | payload
 *
 *   command   payload of the request   payload of the response with status 0
 *   1 load    a planned model          u32 in_len | u32 out_len | u32 arena
 *   2 run     in_len bytes             u32 instructions, 0 if not counted | out_len bytes
 *   3 check   u32 first | u32 count    count x (u32 instructions | u32 CRC-32 of the output)
 *
 * Check makes its inputs itself, from the hash of the number of each byte, counted from `first`.
 *
 * A status below zero is an error of nn.h or one of those below, and the payload is empty. After
 * bytes that are no request the server ends, since it cannot know where the next one begins. */
#ifndef PETIOLE_NN_SERVER_H
#define PETIOLE_NN_SERVER_H

#include <stddef.h>
#include <stdint.h>

enum nn_server_error {
    NN_SERVER_E_COMMAND = -100, /* unknown command, or run before load */
    NN_SERVER_E_LENGTH = -101,  /* larger than the buffer, or not the model's in_len */
};

/* The port: a lossless byte stream and a counter. */
struct nn_server_port {
    int (*read)(uint8_t *bytes, uint32_t size); /* all of them; negative at the end of the stream */
    void (*write)(const uint8_t *bytes, uint32_t size);
    uint32_t (*instructions)(void); /* since some moment, or always 0 */
};

struct nn_server_memory {
    uint8_t *blob;
    uint32_t blob_size;
    uint8_t *arena;
    uint32_t arena_size;
};

/* Answers requests until the stream ends (0) or makes no sense (1). */
int nn_server(const struct nn_server_port *port, const struct nn_server_memory *memory);

#endif
