/* A flash image in a file, mapped into memory, that behaves like NOR flash. */
#ifndef PETIOLE_FLASH_FILE_H
#define PETIOLE_FLASH_FILE_H

#include "layout.h"

/* Maps the file, which must hold at least both slots' sectors. Returns 0, or -1 and sets errno. */
int flash_file_open(struct flash *flash, const char *path);

#endif
