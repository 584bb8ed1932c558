/* The stack: running over its end is a fault, and how far it has reached is known. */
#ifndef PETIOLE_STACK_H
#define PETIOLE_STACK_H

#include <stdint.h>

/* To be called before anything is deep in the stack. */
void stack_prepare(void);

/* The most bytes that were in use since then. */
uint32_t stack_used(void);

#endif
