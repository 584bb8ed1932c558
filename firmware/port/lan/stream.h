/* One TCP connection at a time to the broker. */
#ifndef PETIOLE_STREAM_H
#define PETIOLE_STREAM_H

#include <stddef.h>
#include <stdint.h>

enum stream_state { STREAM_CLOSED, STREAM_DIALLING, STREAM_OPEN };

/* Begins to connect. Without memory for it the state stays STREAM_CLOSED. */
void stream_dial(const uint8_t address[4], uint16_t port);

/* An end by either side, or by silence, is STREAM_CLOSED; what had come before may still be read.
 */
enum stream_state stream_state(void);

/* What has come; valid until stream_taken. */
const uint8_t *stream_received(size_t *size);
void stream_taken(size_t size);

/* Returns how many bytes could be taken over. They leave with stream_flush. */
size_t stream_write(const uint8_t *p, size_t size);
void stream_flush(void);

void stream_close(void);

#endif
