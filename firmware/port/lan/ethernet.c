#include "ethernet.h"

#include <string.h>

#include "bytes.h"
#include "lan9118.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#include "network.h"

#define MTU 1500u
#define CARRIER_MS 500u /* between two looks at the cable */

static struct netif interface;
static uint32_t lwip_ms, look_at;

u32_t sys_now(void) {
    return lwip_ms;
}

static err_t send(struct netif *n, struct pbuf *frame) {
    (void)n;
    return lan9118_send(frame) ? ERR_OK : ERR_MEM;
}

static err_t prepare(struct netif *n) {
    const struct network *network = n->state;
    n->name[0] = 'e';
    n->name[1] = 'n';
    n->output = etharp_output;
    n->linkoutput = send;
    n->mtu = MTU;
    n->hwaddr_len = sizeof network->mac;
    memcpy(n->hwaddr, network->mac, sizeof network->mac);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP;
    return ERR_OK;
}

static ip4_addr_t address(const uint8_t p[4]) {
    ip4_addr_t made;
    memcpy(&made.addr, p, sizeof made.addr); /* both in network order */
    return made;
}

void ethernet_start(const struct network *network, uint32_t now) {
    ip4_addr_t own = address(network->address), mask = address(network->mask),
               router = address(network->router);
    lwip_ms = now;
    look_at = now;
    lan9118_start(network->mac);
    lwip_init();
    netif_add(&interface, &own, &mask, &router, (void *)(uintptr_t)network, prepare,
              ethernet_input);
    netif_set_default(&interface);
    netif_set_up(&interface);
}

static void look(uint32_t now) {
    if (!due(now, look_at)) {
        return;
    }
    look_at = now + CARRIER_MS;
    if (lan9118_has_carrier()) {
        netif_set_link_up(&interface);
    } else {
        netif_set_link_down(&interface);
    }
}

void ethernet_run(uint32_t now) {
    struct pbuf *frame;
    lwip_ms = now;
    look(now);
    while ((frame = lan9118_receive()) != NULL) {
        if (interface.input(frame, &interface) != ERR_OK) {
            pbuf_free(frame);
        }
    }
    sys_check_timeouts();
}

bool ethernet_is_up(void) {
    return netif_is_link_up(&interface);
}
