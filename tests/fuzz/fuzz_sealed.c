/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a sealed segment: opened, read as the segment that it was, searched for records. The
 * headers' and the index's checksums are put right on every second input, so that what is behind
 * them is reached. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "intake/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void put_right(unsigned char *p, size_t n)
{
    sy_seal s;
    uint32_t crc;
    unsigned char *tail = p + n - SY_SEAL_HEADER;
    if (!sy_seal_decode(p, &s, &crc)) {
        uint32_t sum = sy_crc32c(0, p, SY_SEAL_HEADER - 4);
        memcpy(p + SY_SEAL_HEADER - 4, &sum, 4);
    }
    if (!sy_seal_decode(p, &s, &crc))
        return;
    uint64_t index = (uint64_t)s.frames * SY_SEAL_INDEX;
    if (index <= n - 2 * SY_SEAL_HEADER)
        crc = sy_crc32c(0, tail - index, (size_t)index);
    sy_seal_encode(p, &s, crc);
    memcpy(tail, p, SY_SEAL_HEADER);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    int fd = memfd_create("sealed", 0);
    unsigned char *copy = malloc(n + 1);
    if (fd < 0 || !copy)
        abort();
    memcpy(copy, bytes, n);
    if (n > 2 * SY_SEAL_HEADER && bytes[n / 2] & 1)
        put_right(copy, n);
    if (write(fd, copy, n) != (ssize_t)n)
        abort();
    free(copy);
    sy_sealed *z = NULL;
    sy_fail f;
    if (sy_sealed_open(&z, fd, 1, &f) == SY_OK) {
        sy_jwin w;
        sy_jrec rec;
        size_t off = sy_sealed_offset(z, 3), length, found;
        const sy_seal *seal = sy_sealed_seal(z);
        sy_jwin_init(&w);
        sy_jwin_sealed(&w, z, seal ? seal->salt : 0, sy_sealed_size(z));
        (void)sy_jwin_header(&w, 1, 0);
        while (sy_jwin_record(&w, off, &rec, &length) == SY_JFOUND_RECORD)
            off += length;
        (void)sy_jwin_find(&w, off + 1, 1, &found);
        sy_jwin_fini(&w);
    }
    sy_sealed_close(z);
    close(fd);
    return 0;
}
