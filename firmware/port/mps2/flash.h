/* NOR flash on memory that a file of the host keeps. */
#ifndef PETIOLE_MPS2_FLASH_H
#define PETIOLE_MPS2_FLASH_H

#include "layout.h"

/* The whole memory but its last sector. There, two words serve who tests what a power cut does:
 * how many operations until one that power fails in (0 and 0xFFFFFFFF: never), and how many there
 * have been. */
struct flash board_flash(void);

#endif
