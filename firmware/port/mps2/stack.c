#include "stack.h"

#include "board.h"

#define GUARD 1024u /* larger than the frames that may step over it; a power of two */
#define PAINT 0xA5A5A5A5u
#define SPARED 64u /* bytes of the frames that are in use while it is painted */

extern uint32_t stack_bottom[], stack_top[];

static uint32_t *lowest(void) {
    return stack_bottom + GUARD / sizeof *stack_bottom;
}

static void guard(void) {
#if __ARM_ARCH >= 8
    __asm volatile("msr msplim, %0" ::"r"(lowest()));
#else
    /* No access to region 0; all else is as without the MPU. Arm DDI0403, B3.5 */
    MPU_RBAR = (uint32_t)(uintptr_t)stack_bottom | MPU_RBAR_VALID;
    MPU_RASR = MPU_RASR_XN | (uint32_t)(__builtin_ctz(GUARD) - 1) << 1 | MPU_RASR_ENABLE;
    MPU_CTRL = MPU_CTRL_DEFAULT | MPU_CTRL_ENABLE;
#endif
    __asm volatile("dsb\n isb" ::: "memory");
}

void stack_prepare(void) {
    uint32_t *end = (uint32_t *)__builtin_frame_address(0) - SPARED / sizeof *end;
    guard();
    for (uint32_t *p = lowest(); p < end; p++) {
        *p = PAINT;
    }
}

uint32_t stack_used(void) {
    const uint32_t *p = lowest();
    while (p < stack_top && *p == PAINT) {
        p++;
    }
    return (uint32_t)(stack_top - p) * sizeof *p;
}
