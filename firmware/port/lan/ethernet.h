/* The board on its LAN: lwIP over the LAN9118. */
#ifndef PETIOLE_ETHERNET_H
#define PETIOLE_ETHERNET_H

#include <stdbool.h>
#include <stdint.h>

struct network;

void ethernet_start(const struct network *network, uint32_t now);

/* Handles frames that came, and what is due by `now`, in milliseconds. */
void ethernet_run(uint32_t now);

bool ethernet_is_up(void);

#endif
