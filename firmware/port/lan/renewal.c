#include "renewal.h"

#include <string.h>

#include "bearssl.h"
#include "bytes.h"
#include "der.h"
#include "entropy.h"
#include "network.h"
#include "request.h"
#include "tls.h"
#include "trust.h"

#define FIRST_S                                                                                    \
    3600u /* a board that starts asks within so long, so that a fleet does not at once */

static const struct flash *flash;
static struct network network;
static uint8_t point[POINT_SIZE]; /* public key */
static uint32_t ask_at;           /* ms */
static bool happened;

void renewal_start(const struct flash *f, const struct network *n, uint32_t now) {
    br_ec_private_key own = {BR_EC_secp256r1, (uint8_t *)(uintptr_t)n->key.at, n->key.size};
    uint32_t most = n->renew_s < FIRST_S ? n->renew_s : FIRST_S;
    flash = f;
    network = *n;
    happened = false;
    (void)br_ec_compute_pub(&br_ec_p256_m31, NULL, point, &own);
    ask_at = now + entropy_word() % (most * 1000u);
}

bool renewal_happened(void) {
    return happened;
}

static bool is_due(uint32_t now) {
    return network.chain_length > 0 && due(now, ask_at);
}

static void asked(uint32_t now) {
    ask_at = now + network.renew_s * 1000u;
}

static uint32_t request(const char *device, uint8_t *out, uint32_t room) {
    uint8_t made[REQUEST_MAX];
    struct request r = {device, point, network.key};
    uint32_t size = request_write(made, &r);
    if (size > room) {
        return 0;
    }
    memcpy(out, made + REQUEST_MAX - size, size);
    return size;
}

/* A new certificate for the same key, longer than the present one, from an authority that is
 * believed already: no broker makes a board forget its own. */
static bool is_next(struct bytes der, struct certificate *out) {
    struct certificate held;
    struct trust *trust = tls_trust();
    return trust_read(trust, network.chain[0], &held) && trust_read(trust, der, out) &&
           memcmp(out->point, point, POINT_SIZE) == 0 && out->ends > held.ends &&
           trust_vouches(trust, der);
}

/* All that come with the certificate and can be read. */
static void take_authorities(struct network *n, struct bytes list) {
    struct certificate authority;
    n->authority_count = 0;
    for (struct bytes der = der_next(&list); der.size > 0 && n->authority_count < AUTHORITIES_MAX;
         der = der_next(&list)) {
        if (trust_read(tls_trust(), der, &authority) && authority.is_authority) {
            n->authorities[n->authority_count++] = der;
        }
    }
}

static bool take(const uint8_t *p, uint32_t size) {
    struct bytes list = {p, size};
    struct bytes own = der_next(&list);
    struct certificate certificate;
    struct network next = network;
    if (own.size == 0 || network.chain_length == 0 || !is_next(own, &certificate)) {
        return false;
    }
    next.chain[0] = own;
    next.chain_length = 1;
    next.issued = certificate.begins > network.issued ? certificate.begins : network.issued;
    next.renewals = network.renewals + 1;
    take_authorities(&next, list);
    if (next.authority_count == 0 || network_store(flash, &next) != 0 ||
        network_load(flash, &next) != 0) {
        return false;
    }
    network = next;
    happened = true;
    return true;
}

const struct credentials RENEWAL = {is_due, request, asked, take};
