#include "sha256.h"

#include <string.h>

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u,
    0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu,
    0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu,
    0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, 0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u,
    0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu,
    0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
    0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u, 0x19a4c116u,
    0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u,
    0xc67178f2u,
};

static uint32_t rotr(uint32_t x, unsigned n) {
    return x >> n | x << (32u - n);
}

static uint32_t big_endian(const uint8_t *p) {
    uint32_t v = 0;
    for (unsigned i = 0; i < sizeof v; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

static void expand(uint32_t w[64], const uint8_t *p) {
    for (unsigned i = 0; i < 16; i++) {
        w[i] = big_endian(p + sizeof(w[0]) * i);
    }
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        uint32_t s0 = rotr(a, 7) ^ rotr(a, 18) ^ a >> 3;
        uint32_t s1 = rotr(b, 17) ^ rotr(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

/* One round; `kw` is K[i] + w[i]. The eight words do not move: the callers turn their order. */
static inline void turn(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                        uint32_t g, uint32_t *h, uint32_t kw) {
    uint32_t S1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    uint32_t t1 = *h + S1 + (g ^ (e & (f ^ g))) + kw;
    uint32_t S0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    *d += t1;
    *h = t1 + S0 + ((a & b) | (c & (a | b)));
}

static void compress(struct sha256 *s, const uint8_t *p) {
    uint32_t w[64], v[8];
    expand(w, p);
    memcpy(v, s->h, sizeof v);
    for (unsigned i = 0; i < 64; i += 8) {
        turn(v[0], v[1], v[2], &v[3], v[4], v[5], v[6], &v[7], K[i] + w[i]);
        turn(v[7], v[0], v[1], &v[2], v[3], v[4], v[5], &v[6], K[i + 1] + w[i + 1]);
        turn(v[6], v[7], v[0], &v[1], v[2], v[3], v[4], &v[5], K[i + 2] + w[i + 2]);
        turn(v[5], v[6], v[7], &v[0], v[1], v[2], v[3], &v[4], K[i + 3] + w[i + 3]);
        turn(v[4], v[5], v[6], &v[7], v[0], v[1], v[2], &v[3], K[i + 4] + w[i + 4]);
        turn(v[3], v[4], v[5], &v[6], v[7], v[0], v[1], &v[2], K[i + 5] + w[i + 5]);
        turn(v[2], v[3], v[4], &v[5], v[6], v[7], v[0], &v[1], K[i + 6] + w[i + 6]);
        turn(v[1], v[2], v[3], &v[4], v[5], v[6], v[7], &v[0], K[i + 7] + w[i + 7]);
    }
    for (unsigned i = 0; i < 8; i++) {
        s->h[i] += v[i];
    }
}

void sha256_init(struct sha256 *s) {
    static const uint32_t start[8] = {
        0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
        0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
    };
    memcpy(s->h, start, sizeof start);
    s->length = 0;
}

void sha256_update(struct sha256 *s, const uint8_t *p, size_t n) {
    while (n > 0) {
        size_t used = (size_t)(s->length % 64u);
        size_t take = 64u - used < n ? 64u - used : n;
        memcpy(s->block + used, p, take);
        s->length += take;
        p += take;
        n -= take;
        if (used + take == 64u) {
            compress(s, s->block);
        }
    }
}

void sha256_final(struct sha256 *s, uint8_t out[SHA256_SIZE]) {
    uint64_t bits = s->length * 8;
    uint8_t one = 0x80, zero = 0, length[8] = {0};
    sha256_update(s, &one, 1);
    while (s->length % 64u != 56u) {
        sha256_update(s, &zero, 1);
    }
    for (unsigned i = 0; i < 8; i++) {
        length[7 - i] = (uint8_t)(bits >> (8 * i));
    }
    sha256_update(s, length, 8);
    for (unsigned i = 0; i < SHA256_SIZE; i++) {
        unsigned place = (unsigned)sizeof(s->h[0]) - 1 - i % (unsigned)sizeof(s->h[0]);
        out[i] = (uint8_t)(s->h[i / sizeof(s->h[0])] >> (8 * place));
    }
}

void sha256(const uint8_t *p, size_t n, uint8_t out[SHA256_SIZE]) {
    struct sha256 s;
    sha256_init(&s);
    sha256_update(&s, p, n);
    sha256_final(&s, out);
}
