#include "tls.h"

#include <string.h>

#include "bearssl.h"
#include "entropy.h"
#include "network.h"
#include "stream.h"
#include "trust.h"

/* A record of 4 KiB; the broker is asked to keep to 1 KiB by max_fragment_length (RFC 6066), which
 * OpenSSL does. BearSSL adds what a record has besides. */
#define IN_SIZE (4096u + 325u)
#define OUT_SIZE (1024u + 85u)
#define ENTROPY_SIZE 32u

static struct trust trust;
static br_ssl_client_context client;
static br_ec_private_key key;
static br_x509_certificate chain[CHAIN_MAX];
static uint8_t in[IN_SIZE], out[OUT_SIZE];

static void set_algorithms(br_ssl_engine_context *e) {
    static const uint16_t suites[] = {
        BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    };
    br_ssl_engine_set_versions(e, BR_TLS12, BR_TLS12);
    br_ssl_engine_add_flags(e, BR_OPT_NO_RENEGOTIATION);
    br_ssl_engine_set_suites(e, suites, sizeof suites / sizeof suites[0]);
    br_ssl_engine_set_hash(e, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_prf_sha256(e, br_tls12_sha256_prf);
    br_ssl_engine_set_ec(e, &br_ec_p256_m31);
    br_ssl_engine_set_ecdsa(e, br_ecdsa_i31_vrfy_asn1);
    br_ssl_engine_set_chapol(e, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
    br_ssl_engine_set_chacha20(e, br_chacha20_ct_run);
    br_ssl_engine_set_poly1305(e, br_poly1305_ctmul_run);
    br_ssl_engine_set_gcm(e, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
    br_ssl_engine_set_aes_ctr(e, &br_aes_ct_ctr_vtable);
    br_ssl_engine_set_ghash(e, br_ghash_ctmul32);
}

static void set_identity(const struct network *network) {
    if (network->chain_length == 0) {
        return;
    }
    for (uint32_t i = 0; i < network->chain_length; i++) {
        struct bytes der = network->chain[i];
        chain[i] = (br_x509_certificate){(uint8_t *)(uintptr_t)der.at, der.size};
    }
    key = (br_ec_private_key){BR_EC_secp256r1, (uint8_t *)(uintptr_t)network->key.at,
                              network->key.size};
    br_ssl_client_set_single_ec(&client, chain, network->chain_length, &key, BR_KEYTYPE_SIGN,
                                BR_KEYTYPE_EC, &br_ec_p256_m31, br_ecdsa_i31_sign_asn1);
}

int tls_start(const struct network *network) {
    uint8_t entropy[ENTROPY_SIZE];
    int error = trust_init(&trust, network);
    if (error != 0) {
        return error;
    }
    br_ssl_client_zero(&client);
    set_algorithms(&client.eng);
    br_ssl_engine_set_x509(&client.eng, &trust.vtable);
    br_ssl_engine_set_buffers_bidi(&client.eng, in, sizeof in, out, sizeof out);
    set_identity(network);
    entropy_bytes(entropy, sizeof entropy);
    br_ssl_engine_inject_entropy(&client.eng, entropy, sizeof entropy);
    return 0;
}

struct trust *tls_trust(void) {
    return &trust;
}

void tls_begin(const struct network *network) {
    (void)br_ssl_client_reset(&client, network->name, 0); /* a failure is tls_error's */
}

static bool send_record(void) {
    size_t size;
    const uint8_t *p = br_ssl_engine_sendrec_buf(&client.eng, &size);
    size = p == NULL ? 0 : stream_write(p, size);
    if (size > 0) {
        br_ssl_engine_sendrec_ack(&client.eng, size);
    }
    return size > 0;
}

static bool receive_record(void) {
    size_t came, room;
    const uint8_t *p = stream_received(&came);
    uint8_t *to = br_ssl_engine_recvrec_buf(&client.eng, &room);
    if (to == NULL || came == 0) {
        return false;
    }
    size_t size = came < room ? came : room;
    memcpy(to, p, size);
    stream_taken(size);
    br_ssl_engine_recvrec_ack(&client.eng, size);
    return true;
}

void tls_run(void) {
    while (send_record() || receive_record()) {
    }
    stream_flush();
}

bool tls_is_open(void) {
    return (br_ssl_engine_current_state(&client.eng) & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) != 0;
}

bool tls_is_closed(void) {
    return br_ssl_engine_current_state(&client.eng) == BR_SSL_CLOSED;
}

/* What the broker's alert says: RFC 8446, section 6. */
static const char *refusal(int alert) {
    switch (alert) {
    case 44:
        return "the broker refused: this device's certificate was revoked";
    case 45:
        return "the broker refused: this device's certificate has ended";
    case 48:
        return "the broker refused: this device's certificate is of no authority that it knows";
    case 40: /* what there was for it before TLS 1.3 */
    case 116:
        return "the broker refused: it wants a certificate of this device";
    default:
        return "the broker refused";
    }
}

const char *tls_error(void) {
    int error = br_ssl_engine_last_error(&client.eng);
    switch (error) {
    case BR_ERR_OK:
        return NULL;
    case BR_ERR_X509_NOT_TRUSTED:
        return "broker's certificate: of no authority that is known";
    case BR_ERR_X509_EXPIRED:
        return "broker's certificate: it has ended";
    case BR_ERR_X509_BAD_SERVER_NAME:
        return "broker's certificate: of another name, or of no server";
    case BR_ERR_X509_BAD_SIGNATURE:
        return "broker's certificate: wrong signature";
    case BR_ERR_TOO_LARGE:
        return "broker's records are too long: it must honour max_fragment_length";
    default:
        break;
    }
    if (error >= BR_ERR_RECV_FATAL_ALERT && error < BR_ERR_SEND_FATAL_ALERT) {
        return refusal(error - BR_ERR_RECV_FATAL_ALERT);
    }
    return error >= BR_ERR_X509_INVALID_VALUE ? "broker's certificate: not usable"
                                              : "TLS: protocol error";
}

const uint8_t *tls_received(size_t *size) {
    const uint8_t *p = br_ssl_engine_recvapp_buf(&client.eng, size);
    *size = p == NULL ? 0 : *size;
    return p;
}

void tls_taken(size_t size) {
    br_ssl_engine_recvapp_ack(&client.eng, size);
}

size_t tls_write(const uint8_t *p, size_t size) {
    size_t room;
    uint8_t *to = br_ssl_engine_sendapp_buf(&client.eng, &room);
    if (to == NULL || size == 0) {
        return 0;
    }
    size = size < room ? size : room;
    memcpy(to, p, size);
    br_ssl_engine_sendapp_ack(&client.eng, size);
    br_ssl_engine_flush(&client.eng, 0);
    return size;
}
