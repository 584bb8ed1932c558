/* A core whose arithmetic is broken: nn_run gives wrong results while `broken_nn` is set. The
 * linker puts it before the real one (--wrap=nn_run), so that the agent itself stays as it is. */
#ifndef PETIOLE_BROKEN_NN_H
#define PETIOLE_BROKEN_NN_H

#include <stdbool.h>

extern bool broken_nn;

#endif
