/* SMSC LAN9118, an Ethernet controller with FIFOs on a 32-bit bus: frames in and out. */
#ifndef PETIOLE_LAN9118_H
#define PETIOLE_LAN9118_H

#include <stdbool.h>
#include <stdint.h>

struct pbuf;

void lan9118_start(const uint8_t mac[6]);

/* Takes a frame out; NULL: there is none, or no memory for it, and then it stays where it is. */
struct pbuf *lan9118_receive(void);

/* False when there is no room for it now. */
bool lan9118_send(const struct pbuf *frame);

/* Is the cable plugged in, with somebody at its other end? */
bool lan9118_has_carrier(void);

/* Lets the next frame raise the interrupt. True when no frame waits already. */
bool lan9118_listen(void);

void Lan_Handler(void);

#endif
