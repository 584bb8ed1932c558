#define _GNU_SOURCE
#include "flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESS 0x21000000u /* as on the mps2-an386: the same firmware image suits both */

static int program(void *ctx, uint32_t offset, const uint8_t *p, uint32_t n) {
    uint8_t *base = ctx;
    for (uint32_t i = 0; i < n; i++) {
        base[offset + i] &= p[i];
    }
    return 0;
}

static int erase(void *ctx, uint32_t offset) {
    uint8_t *base = ctx;
    memset(base + offset, 0xFF, SECTOR_SIZE);
    return 0;
}

int flash_file_open(struct flash *flash, const char *path) {
    struct stat about;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &about) != 0 || about.st_size < (off_t)(SLOTS_OFFSET + 2 * SECTOR_SIZE)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    size_t size = (size_t)about.st_size;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (base == MAP_FAILED) {
        return -1;
    }
    *flash = (struct flash){base, base, (uint32_t)size, ADDRESS, program, erase};
    return 0;
}
