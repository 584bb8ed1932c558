/* TLS 1.2 over the stream: the broker proves its name, the device shows its certificate. */
#ifndef PETIOLE_TLS_H
#define PETIOLE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct network;

struct trust;

/* Reads authorities and certificates, and forgets all that was. Returns 0 or E_TRUST. */
int tls_start(const struct network *network);

/* Whom it believes. */
struct trust *tls_trust(void);

/* Begins a session on the stream that was just opened. */
void tls_begin(const struct network *network);

/* Moves records between session and stream. */
void tls_run(void);

bool tls_is_open(void);   /* the handshake is over: bytes may pass */
bool tls_is_closed(void); /* by either side, or by an error */

/* Why the session failed, for people; NULL: it did not. */
const char *tls_error(void);

const uint8_t *tls_received(size_t *size);
void tls_taken(size_t size);

/* Returns how many bytes could be taken over. */
size_t tls_write(const uint8_t *p, size_t size);

#endif
