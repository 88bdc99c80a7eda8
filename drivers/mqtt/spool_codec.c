/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool's bytes. The checksum of a record starts from its segment's salt, a random number in
 * the file's name that no device knows: a payload that looks like records is never taken for one
 * when a damaged stretch is searched for the next record.
 */
#include <stdio.h>
#include <string.h>

#include "drivers/mqtt/spool.h"

static const char magic[8] = {'S', 'Y', 'S', 'P', 'O', 'O', 'L', '\n'};
enum { VERSION = 1 };

static void put(unsigned char *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) {
        p[i] = (unsigned char)(v >> (8 * i));
    }
}

static uint64_t get(const unsigned char *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

void sy_spool_name(uint64_t first, uint32_t salt, char out[SY_SPOOL_NAME])
{
    snprintf(out, SY_SPOOL_NAME, "%016llx-%08x.spool", (unsigned long long)first, salt);
}

static bool hex(const char *p, int n, uint64_t *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        int digit = p[i] >= '0' && p[i] <= '9'   ? p[i] - '0'
                    : p[i] >= 'a' && p[i] <= 'f' ? p[i] - 'a' + 10
                                                 : -1;
        if (digit < 0) {
            return false;
        }
        *out = *out << 4 | (uint64_t)digit;
    }
    return true;
}

bool sy_spool_parse_name(const char *name, uint64_t *first, uint32_t *salt)
{
    uint64_t s = 0;
    if (strlen(name) != 31 || name[16] != '-' || strcmp(name + 25, ".spool") != 0 ||
        !hex(name, 16, first) || !hex(name + 17, 8, &s)) {
        return false;
    }
    *salt = (uint32_t)s;
    return *first > 0 && *first < SY_SPOOL_NUMBERS;
}

void sy_spool_encode_header(uint64_t first, uint32_t salt, unsigned char out[SY_SPOOL_HEADER])
{
    memcpy(out, magic, sizeof magic);
    put(out + 8, VERSION, 4);
    put(out + 12, first, 8);
    put(out + 20, sy_crc32c_fast(salt, out, 20), 4);
}

bool sy_spool_header_known(const unsigned char in[SY_SPOOL_HEADER])
{
    return memcmp(in, magic, sizeof magic) != 0 || get(in + 8, 4) <= VERSION;
}

size_t sy_spool_length(const sy_spool_rec *rec)
{
    size_t names = rec->topic.n + rec->client.n + rec->user.n;
    bool fits = rec->topic.n <= UINT16_MAX && rec->client.n <= UINT16_MAX &&
                rec->user.n <= UINT16_MAX &&
                rec->payload.n <= SY_SPOOL_MAX_RECORD - SY_SPOOL_RECORD - names;
    return fits ? SY_SPOOL_RECORD + names + rec->payload.n : 0;
}

static uint32_t checksum(const sy_spool_rec *rec, uint32_t salt, const unsigned char *head)
{
    uint32_t crc = sy_crc32c_fast(salt, head, 4);
    crc = sy_crc32c_fast(crc, head + 8, SY_SPOOL_RECORD - 8);
    crc = sy_crc32c_fast(crc, rec->topic.p, rec->topic.n);
    crc = sy_crc32c_fast(crc, rec->client.p, rec->client.n);
    crc = sy_crc32c_fast(crc, rec->user.p, rec->user.n);
    return sy_crc32c_fast(crc, rec->payload.p, rec->payload.n);
}

void sy_spool_encode(const sy_spool_rec *rec, uint32_t salt, unsigned char out[SY_SPOOL_RECORD])
{
    put(out, sy_spool_length(rec), 4);
    put(out + 8, rec->number, 8);
    put(out + 16, rec->topic.n, 2);
    put(out + 18, rec->client.n, 2);
    put(out + 20, rec->user.n, 2);
    out[22] = (unsigned char)(rec->qos | (rec->retain ? 4 : 0));
    out[23] = 0;
    put(out + 4, checksum(rec, salt, out), 4);
}

size_t sy_spool_peek(const unsigned char head[SY_SPOOL_RECORD], uint64_t *number)
{
    size_t length = (size_t)get(head, 4);
    size_t names = (size_t)(get(head + 16, 2) + get(head + 18, 2) + get(head + 20, 2));
    *number = get(head + 8, 8);
    return length <= SY_SPOOL_MAX_RECORD && length >= SY_SPOOL_RECORD + names ? length : 0;
}

static sy_span cut(const char **p, size_t n)
{
    sy_span s = {*p, n};
    *p += n;
    return s;
}

bool sy_spool_decode(sy_span bytes, uint32_t salt, sy_spool_rec *rec, size_t *length)
{
    const unsigned char *head = (const unsigned char *)bytes.p;
    if (bytes.n < SY_SPOOL_RECORD) {
        return false;
    }
    *length = sy_spool_peek(head, &rec->number);
    if (*length == 0 || *length > bytes.n || (head[22] & ~7) || head[23]) {
        return false;
    }
    const char *p = bytes.p + SY_SPOOL_RECORD;
    rec->topic = cut(&p, (size_t)get(head + 16, 2));
    rec->client = cut(&p, (size_t)get(head + 18, 2));
    rec->user = cut(&p, (size_t)get(head + 20, 2));
    rec->payload = cut(&p, *length - (size_t)(p - bytes.p));
    rec->qos = head[22] & 3;
    rec->retain = head[22] & 4;
    return (uint32_t)get(head + 4, 4) == checksum(rec, salt, head);
}
