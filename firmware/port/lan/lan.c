/* The transport over the LAN: TCP, and TLS when the network sector names an authority. */
#include "bytes.h"
#include "entropy.h"
#include "ethernet.h"
#include "lan9118.h"
#include "network.h"
#include "renewal.h"
#include "stream.h"
#include "tls.h"
#include "transport.h"

#define DIAL_MS 20000u /* for TCP and TLS together */

static struct flash flash;
static struct network network;
static enum transport_state state;
static uint32_t dial_by;
static bool started;
static bool in_session; /* of TLS */
static const char *reason;

static const char *start(const struct flash *whole, uint32_t now) {
    flash = *whole;
    if (network_load(&flash, &network) != 0) {
        return "no valid network sector";
    }
    if (entropy_start(&flash) != 0) {
        return "no entropy";
    }
    if (network_is_secure(&network) && tls_start(&network) != 0) {
        return "an authority's certificate is not one of a CA with a key on P-256";
    }
    if (network.chain_length > 0) {
        renewal_start(&flash, &network, now);
    }
    ethernet_start(&network, now);
    started = true;
    return NULL;
}

/* A new certificate is shown with the next connection. */
static void refresh(uint32_t now) {
    if (renewal_happened() && network_load(&flash, &network) == 0) {
        (void)tls_start(&network); /* its certificates have been read before they were kept */
        renewal_start(&flash, &network, now);
    }
}

static void dial(uint32_t now) {
    if (!started || !ethernet_is_up()) {
        return; /* asked again soon */
    }
    refresh(now);
    reason = NULL;
    in_session = false;
    dial_by = now + DIAL_MS;
    state = TRANSPORT_DIALLING;
    stream_dial(network.broker, network.port);
}

static void hang_up(void) {
    stream_close();
    state = TRANSPORT_DOWN;
}

static void fail(const char *why) {
    reason = why;
    hang_up();
}

static const char *why(void) {
    return reason;
}

static void run_session(void) {
    if (!in_session && stream_state() == STREAM_OPEN) {
        tls_begin(&network);
        in_session = true;
    }
    if (!in_session) {
        return;
    }
    tls_run();
    if (tls_is_closed()) {
        const char *error = tls_error();
        fail(error != NULL ? error : "the broker hung up");
    } else if (tls_is_open()) {
        state = TRANSPORT_UP;
    }
}

static void run_connection(uint32_t now) {
    if (network_is_secure(&network)) {
        run_session();
    } else if (stream_state() == STREAM_OPEN) {
        state = TRANSPORT_UP;
    }
    if (state == TRANSPORT_DOWN) {
        return;
    }
    if (!ethernet_is_up()) {
        fail("no carrier");
    } else if (stream_state() == STREAM_CLOSED) {
        fail(state == TRANSPORT_UP ? "the broker hung up" : "the broker does not answer");
    } else if (state == TRANSPORT_DIALLING && due(now, dial_by)) {
        fail("the broker does not answer in time");
    }
}

static enum transport_state run(uint32_t now) {
    if (started) {
        ethernet_run(now);
    }
    if (state != TRANSPORT_DOWN) {
        run_connection(now);
    }
    return state;
}

static const uint8_t *received(size_t *size) {
    return network_is_secure(&network) ? tls_received(size) : stream_received(size);
}

static void taken(size_t size) {
    if (network_is_secure(&network)) {
        tls_taken(size);
    } else {
        stream_taken(size);
    }
}

static size_t write(const uint8_t *p, size_t size) {
    if (!network_is_secure(&network)) {
        size = stream_write(p, size);
        stream_flush();
        return size;
    }
    size = tls_write(p, size);
    tls_run();
    return size;
}

static bool is_idle(void) {
    size_t plain, waiting = 0;
    if (!started) {
        return true;
    }
    (void)stream_received(&plain);
    if (state == TRANSPORT_UP) {
        (void)received(&waiting);
    }
    return plain + waiting == 0 && lan9118_listen();
}

const struct transport TRANSPORT = {
    .start = start,
    .reserved = NETWORK_SECTORS * SECTOR_SIZE,
    .credentials = &RENEWAL,
    .run = run,
    .dial = dial,
    .hang_up = hang_up,
    .why = why,
    .received = received,
    .taken = taken,
    .write = write,
    .is_idle = is_idle,
};
