/* What differs between the boards: Arm MPS2 and MPS3 as QEMU has them. C and the linker scripts
 * read it, so there are plain numbers only.
 *
 *   an385  Cortex-M3   Arm DAI0385       an505  Cortex-M33  Arm DAI0505
 *   an386  Cortex-M4F  Arm DAI0386       an547  Cortex-M55  Arm DAI0547
 *   an500  Cortex-M7F  Arm DAI0500
 *
 * ROM is where the core starts. MEMORY is what a file of the host stands behind: its start is the
 * flash, and a core can run from it. The serial lines are a KiB x 4 apart, their interrupts two. */
#ifndef PETIOLE_BOARDS_H
#define PETIOLE_BOARDS_H

#if defined(BOARD_AN385) || defined(BOARD_AN386) || defined(BOARD_AN500)
#define CLOCK_HZ 25000000
#define ROM_BASE 0x00000000
#define RAM_BASE 0x20000000
#define UART_BASE 0x40004000
#define UART_FIRST_IRQ 0
#define TIMER_BASE 0x40000000
#define WATCHDOG_BASE 0x40008000
#define WATCHDOG_HZ CLOCK_HZ
#define LAN_IRQ 13
#ifdef BOARD_AN500
#define MEMORY_BASE 0x60000000
#define LAN_BASE 0xA0000000
#else
#define MEMORY_BASE 0x21000000
#define LAN_BASE 0x40200000
#endif

/* Both of these start in the secure state and stay there: the addresses are the secure ones. Their
 * watchdog is the one on the slow clock. */
#elif defined(BOARD_AN505)
#define CLOCK_HZ 20000000
#define ROM_BASE 0x10000000
#define RAM_BASE 0x38000000
#define UART_BASE 0x50200000
#define UART_FIRST_IRQ 32
#define TIMER_BASE 0x50000000
#define WATCHDOG_BASE 0x5002E000
#define WATCHDOG_HZ 32768
#define MEMORY_BASE 0x80000000
#define LAN_BASE 0x52000000
#define LAN_IRQ 48

#elif defined(BOARD_AN547)
#define CLOCK_HZ 32000000
#define ROM_BASE 0x00000000
#define RAM_BASE 0x31000000
#define UART_BASE 0x59303000
#define UART_FIRST_IRQ 33
#define COUNTER_BASE 0x58100000 /* SSE-300 has a system counter instead of the CMSDK timer */
#define TIMER_BASE 0x58000000
#define WATCHDOG_BASE 0x5802E000
#define WATCHDOG_HZ 32768
#define MEMORY_BASE 0x60000000

#else
#error "which board? see port/mps2/boards.mk"
#endif

/* Far less than the boards have: the sizes of a common microcontroller. */
#define ROM_SIZE 0x80000
#ifndef RAM_SIZE
#define RAM_SIZE 0x20000
#endif
#define STACK_SIZE 0x4000
#define MEMORY_SIZE 0x1000000

/* Firmware is linked for its slot: devices of these boards are provisioned to have it there. The
 * end of a slot is left to what the signature adds. */
#define FIRMWARE_OFFSET 0x100000
#define FIRMWARE_SIZE 0x40000
#define LINKED_A (MEMORY_BASE + FIRMWARE_OFFSET + 0x4000 + 0x200)
#define LINKED_B (LINKED_A + FIRMWARE_SIZE)
#define LINKED_SIZE (FIRMWARE_SIZE - 0x600)

#endif
