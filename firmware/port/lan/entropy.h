/* Random bytes for keys and sequence numbers.
 *
 * QEMU's boards have no source of randomness. Theirs is a secret that the harness writes into the
 * last sector of the flash, and a mark that is left there at each start, so that no two starts are
 * alike. NOT FOR SHIPPING: who reads the flash knows all that follows. A real board replaces
 * entropy_start by its random number generator. */
#ifndef PETIOLE_ENTROPY_H
#define PETIOLE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

struct flash;

#define E_ENTROPY (-21) /* no seed, or it has seen all the starts that it is good for */

/* Returns 0, E_ENTROPY or E_FLASH. */
int entropy_start(const struct flash *flash);

void entropy_bytes(void *out, size_t size);
uint32_t entropy_word(void);

#endif
