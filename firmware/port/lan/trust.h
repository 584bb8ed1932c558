/* Is a chain of certificates the broker's? BearSSL's check of names, signatures and dates, and two
 * things that it leaves to the caller: what time it is, and that a device cannot pose as a server.
 */
#ifndef PETIOLE_TRUST_H
#define PETIOLE_TRUST_H

#include "bearssl.h"
#include "network.h"

#define E_TRUST (-22) /* an authority's certificate cannot be read, or is none */

#define SUBJECT_MAX 192u
#define POINT_SIZE 65u

struct authority {
    uint8_t subject[SUBJECT_MAX];
    uint32_t subject_size;
    uint8_t point[POINT_SIZE];
};

struct trust {
    const br_x509_class *vtable; /* BearSSL asks that it is the first */
    br_x509_minimal_context check;
    br_x509_decoder_context reader;
    struct authority authorities[AUTHORITIES_MAX];
    br_x509_trust_anchor anchors[AUTHORITIES_MAX];
    br_name_element names;
    char name[NAME_MAX + 1]; /* of the certificate: its first, in DNS style */
    uint32_t issued;
    bool reads; /* the chain's first certificate: the one with the dates */
    bool has_leaf;
};

/* Returns 0 or E_TRUST. `t` must stay where it is. */
int trust_init(struct trust *t, const struct network *network);

/* What a certificate in DER says. Times are seconds since 1970. */
struct certificate {
    uint8_t point[POINT_SIZE]; /* key on P-256 */
    uint32_t begins, ends;
    bool is_authority; /* one that trust_init takes */
};

/* Both are for when no handshake is under way. False: it cannot be read, or its key is another
 * kind. */
bool trust_read(struct trust *t, struct bytes der, struct certificate *out);

/* Has an authority signed this certificate, whoever it is for? */
bool trust_vouches(struct trust *t, struct bytes der);

#endif
