#include "trust.h"

#include <stddef.h>
#include <string.h>

#define DAY_S 86400u
#define DAYS_TO_1970 719528u /* BearSSL counts from the year 0 */

/* SubjectAlternativeName, dNSName, as BearSSL writes it. */
static const uint8_t DNS_NAME[] = {0, 2};

static struct trust *of(const br_x509_class **ctx) {
    return (struct trust *)(void *)ctx;
}

/* The clock: a device has none before it is connected. What it does know is a time before which it
 * is not: when its network sector was written. A certificate that began later is news, and proves
 * itself a later time, since who signed it would not sign ahead; so the time is the later of both.
 */
static void set_time(struct trust *t, uint32_t days, uint32_t seconds) {
    uint32_t known_days = DAYS_TO_1970 + t->issued / DAY_S, known_seconds = t->issued % DAY_S;
    bool later = days > known_days || (days == known_days && seconds > known_seconds);
    br_x509_minimal_set_time(&t->check, later ? days : known_days, later ? seconds : known_seconds);
}

static void start_chain(const br_x509_class **ctx, const char *server_name) {
    struct trust *t = of(ctx);
    t->has_leaf = false;
    t->names.status = 0;
    set_time(t, 0, 0);
    br_x509_minimal_vtable.start_chain(&t->check.vtable, server_name);
}

static void start_cert(const br_x509_class **ctx, uint32_t length) {
    struct trust *t = of(ctx);
    t->reads = !t->has_leaf;
    t->has_leaf = true;
    if (t->reads) {
        br_x509_decoder_init(&t->reader, NULL, NULL);
    }
    br_x509_minimal_vtable.start_cert(&t->check.vtable, length);
}

/* The reader is ahead of the check by a piece, so that the time is set when dates are compared. */
static void append(const br_x509_class **ctx, const unsigned char *p, size_t size) {
    struct trust *t = of(ctx);
    if (t->reads) {
        br_x509_decoder_push(&t->reader, p, size);
        set_time(t, t->reader.notbefore_days, t->reader.notbefore_seconds);
    }
    br_x509_minimal_vtable.append(&t->check.vtable, p, size);
}

static void end_cert(const br_x509_class **ctx) {
    br_x509_minimal_vtable.end_cert(&of(ctx)->check.vtable);
}

/* A device's certificate has an id in its common name and no other name; BearSSL would take it for
 * a server of that name. So only names made for servers count. */
static unsigned end_chain(const br_x509_class **ctx) {
    struct trust *t = of(ctx);
    unsigned error = br_x509_minimal_vtable.end_chain(&t->check.vtable);
    return error == 0 && t->names.status <= 0 ? BR_ERR_X509_BAD_SERVER_NAME : error;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages) {
    const struct trust *t = (const struct trust *)(const void *)ctx;
    return br_x509_minimal_vtable.get_pkey(&t->check.vtable, usages);
}

static const br_x509_class TRUST = {
    sizeof(struct trust), start_chain, start_cert, append, end_cert, end_chain, get_pkey,
};

static void append_subject(void *ctx, const void *p, size_t size) {
    struct authority *a = ctx;
    if (a->subject_size + size <= SUBJECT_MAX) {
        memcpy(a->subject + a->subject_size, p, size);
    }
    a->subject_size += (uint32_t)size;
}

static uint32_t unix_time(uint32_t days, uint32_t seconds) {
    return days < DAYS_TO_1970 ? 0 : (days - DAYS_TO_1970) * DAY_S + seconds;
}

static bool read(struct trust *t, struct bytes der, struct authority *subject,
                 struct certificate *out) {
    br_x509_decoder_init(&t->reader, append_subject, subject);
    br_x509_decoder_push(&t->reader, der.at, der.size);
    const br_x509_pkey *key = br_x509_decoder_get_pkey(&t->reader);
    if (key == NULL || key->key_type != BR_KEYTYPE_EC || key->key.ec.curve != BR_EC_secp256r1 ||
        key->key.ec.qlen != POINT_SIZE) {
        return false;
    }
    memcpy(out->point, key->key.ec.q, POINT_SIZE);
    out->begins = unix_time(t->reader.notbefore_days, t->reader.notbefore_seconds);
    out->ends = unix_time(t->reader.notafter_days, t->reader.notafter_seconds);
    out->is_authority = br_x509_decoder_isCA(&t->reader) != 0;
    return true;
}

bool trust_read(struct trust *t, struct bytes der, struct certificate *out) {
    struct authority subject = {.subject_size = 0};
    bool readable = read(t, der, &subject, out);
    out->is_authority = readable && out->is_authority && subject.subject_size <= SUBJECT_MAX;
    return readable;
}

bool trust_vouches(struct trust *t, struct bytes der) {
    const br_x509_class **ctx = &t->vtable;
    start_chain(ctx, NULL);
    start_cert(ctx, der.size);
    append(ctx, der.at, der.size);
    end_cert(ctx);
    return br_x509_minimal_vtable.end_chain(&t->check.vtable) == 0;
}

static int take_authority(struct trust *t, uint32_t number, struct bytes der) {
    struct authority *a = &t->authorities[number];
    struct certificate certificate;
    if (!read(t, der, a, &certificate) || !certificate.is_authority ||
        a->subject_size > SUBJECT_MAX) {
        return E_TRUST;
    }
    memcpy(a->point, certificate.point, POINT_SIZE);
    t->anchors[number] = (br_x509_trust_anchor){
        .dn = {a->subject, a->subject_size},
        .flags = BR_X509_TA_CA,
        .pkey = {.key_type = BR_KEYTYPE_EC, .key.ec = {BR_EC_secp256r1, a->point, POINT_SIZE}},
    };
    return 0;
}

int trust_init(struct trust *t, const struct network *network) {
    memset(t, 0, sizeof *t);
    t->vtable = &TRUST;
    t->issued = network->issued;
    for (uint32_t i = 0; i < network->authority_count; i++) {
        if (take_authority(t, i, network->authorities[i]) != 0) {
            return E_TRUST;
        }
    }
    br_x509_minimal_init(&t->check, &br_sha256_vtable, t->anchors, network->authority_count);
    br_x509_minimal_set_hash(&t->check, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_ecdsa(&t->check, &br_ec_p256_m31, br_ecdsa_i31_vrfy_asn1);
    t->names = (br_name_element){.oid = DNS_NAME, .buf = t->name, .len = sizeof t->name};
    br_x509_minimal_set_name_elements(&t->check, &t->names, 1);
    return 0;
}
