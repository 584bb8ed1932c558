/* The functions of the C library and of the compiler's that core and libraries use, small: as they
 * come they are tuned for speed and take five times as much. */
#include <stdint.h>
#include <string.h>

#define BOTH_ALIGNED(a, b) ((((uintptr_t)(a) | (uintptr_t)(b)) & 3u) == 0)

struct four {
    uint32_t word[4];
};

/* Four words at a time where both are aligned, as rows, buffers and structures are. */
void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (BOTH_ALIGNED(out, in)) {
        for (; n >= sizeof(struct four); n -= sizeof(struct four)) {
            *(struct four *)(void *)out = *(const struct four *)(const void *)in;
            out += sizeof(struct four);
            in += sizeof(struct four);
        }
    }
    while (n-- > 0) {
        *out++ = *in++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (out <= in) {
        return memcpy(to, from, n);
    }
    while (n-- > 0) {
        out[n] = in[n];
    }
    return to;
}

void *memset(void *to, int value, size_t n) {
    uint8_t *out = to;
    while (n-- > 0) {
        *out++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *p = a, *q = b;
    for (; n > 0; n--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

void *memchr(const void *in, int value, size_t n) {
    const uint8_t *p = in;
    for (; n > 0; n--, p++) {
        if (*p == (uint8_t)value) {
            return (void *)(uintptr_t)p;
        }
    }
    return NULL;
}

size_t strlen(const char *text) {
    const char *end = text;
    while (*end != 0) {
        end++;
    }
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b) {
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

/* --- 64-bit division: the core has an instruction for 32 bits ------------------------------- */

uint64_t library_divide(uint64_t n, uint64_t by, uint64_t *rest);
int64_t library_divide_signed(int64_t n, int64_t by, int64_t *rest);
void __aeabi_uldivmod(void);
void __aeabi_ldivmod(void);

uint64_t library_divide(uint64_t n, uint64_t by, uint64_t *rest) {
    uint64_t quotient = 0, left = 0;
    for (int i = 0; i < 64; i++) {
        left = left << 1 | n >> 63;
        n <<= 1;
        quotient <<= 1;
        if (left >= by) {
            left -= by;
            quotient |= 1;
        }
    }
    *rest = left;
    return quotient;
}

int64_t library_divide_signed(int64_t n, int64_t by, int64_t *rest) {
    uint64_t left;
    uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    uint64_t quotient = library_divide(size, by < 0 ? 0 - (uint64_t)by : (uint64_t)by, &left);
    *rest = (int64_t)(n < 0 ? 0 - left : left);
    return (int64_t)((n < 0) != (by < 0) ? 0 - quotient : quotient);
}

/* The quotient in r0 and r1, the rest in r2 and r3: Arm IHI0043, 4.2. */
#define DIVMOD(name)                                                                               \
    __asm volatile("push {r4, lr}\n"                                                               \
                   "sub sp, #16\n"                                                                 \
                   "add r4, sp, #8\n"                                                              \
                   "str r4, [sp]\n"                                                                \
                   "bl " name "\n"                                                                 \
                   "ldrd r2, r3, [sp, #8]\n"                                                       \
                   "add sp, #16\n"                                                                 \
                   "pop {r4, pc}\n")

__attribute__((naked)) void __aeabi_uldivmod(void) {
    DIVMOD("library_divide");
}

__attribute__((naked)) void __aeabi_ldivmod(void) {
    DIVMOD("library_divide_signed");
}
