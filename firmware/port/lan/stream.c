#include "stream.h"

#include <stdbool.h>
#include <string.h>

#include "lwip/tcp.h"

static struct {
    struct tcp_pcb *pcb; /* NULL: closed */
    struct pbuf *in;     /* came and was not taken; the peer's window is smaller by as much */
    bool open;
} stream;

static void forget(void) {
    stream.pcb = NULL;
    stream.open = false;
}

static void drop_received(void) {
    if (stream.in != NULL) {
        pbuf_free(stream.in);
        stream.in = NULL;
    }
}

/* lwIP has freed the pcb already. */
static void failed(void *arg, err_t error) {
    (void)arg;
    (void)error;
    forget();
}

static void let_go(void) {
    struct tcp_pcb *pcb = stream.pcb;
    forget();
    if (pcb != NULL) {
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_err(pcb, NULL);
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error) {
    (void)arg;
    (void)pcb;
    (void)error;
    if (p == NULL) {
        let_go();
    } else if (stream.in == NULL) {
        stream.in = p;
    } else {
        pbuf_cat(stream.in, p);
    }
    return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t error) {
    (void)arg;
    (void)error;
    tcp_nagle_disable(pcb);
    stream.open = true;
    return ERR_OK;
}

void stream_dial(const uint8_t address[4], uint16_t port) {
    ip_addr_t to;
    stream_close();
    memcpy(&to.addr, address, sizeof to.addr);
    stream.pcb = tcp_new();
    if (stream.pcb == NULL) {
        return;
    }
    tcp_recv(stream.pcb, received);
    tcp_err(stream.pcb, failed);
    if (tcp_connect(stream.pcb, &to, port, connected) != ERR_OK) {
        stream_close();
    }
}

enum stream_state stream_state(void) {
    if (stream.pcb == NULL) {
        return STREAM_CLOSED;
    }
    return stream.open ? STREAM_OPEN : STREAM_DIALLING;
}

const uint8_t *stream_received(size_t *size) {
    *size = stream.in == NULL ? 0 : stream.in->len;
    return stream.in == NULL ? NULL : stream.in->payload;
}

void stream_taken(size_t size) {
    stream.in = pbuf_free_header(stream.in, (u16_t)size);
    if (stream.pcb != NULL) {
        tcp_recved(stream.pcb, (u16_t)size);
    }
}

size_t stream_write(const uint8_t *p, size_t size) {
    if (!stream.open) {
        return 0;
    }
    size_t room = tcp_sndbuf(stream.pcb);
    size = size < room ? size : room;
    bool taken = size > 0 && tcp_write(stream.pcb, p, (u16_t)size, TCP_WRITE_FLAG_COPY) == ERR_OK;
    return taken ? size : 0;
}

void stream_flush(void) {
    if (stream.open) {
        (void)tcp_output(stream.pcb);
    }
}

void stream_close(void) {
    let_go();
    drop_received();
}
