#ifndef PETIOLE_LWIP_HOOKS_H
#define PETIOLE_LWIP_HOOKS_H

#include "entropy.h"

/* Where a connection's sequence numbers begin shall be nobody's guess (RFC 6528). */
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) entropy_word()

#endif
