/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepted sets: every text that was in force, bit for bit, in one file named by its hash.
 *
 * <data>/accepted/<sha256>.set, little endian:
 *     8 bytes  "SYSET\0\0\1" (the last one is the version)
 *     blob     absolute folder of the configuration file (TLS files are found from there)
 *     u32      number of texts, then for each: u8 kind, blob name, blob bytes
 * The hash is that of the whole file. A blob is a u32 length and its bytes.
 */
#include <stdio.h>

#include "base/hash.h"
#include "config/config_int.h"

static const char magic[8] = {'S', 'Y', 'S', 'E', 'T', 0, 0, 1};

void sy_cfg_encode(const char *base, const sy_cfg_text *texts, size_t n, sy_buf *out)
{
    sy_buf_put(out, magic, sizeof magic);
    sy_buf_blob(out, sy_span_of(base));
    sy_buf_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        sy_buf_u8(out, (uint8_t)texts[i].kind);
        sy_buf_blob(out, sy_span_of(texts[i].name));
        sy_buf_blob(out, texts[i].bytes);
    }
}

sy_err sy_cfg_decode(sy_loader *l, sy_span set, sy_fail *f)
{
    if (set.n < sizeof magic || memcmp(set.p, magic, sizeof magic) != 0)
        return sy_fail_set(f, SY_E_CORRUPT, "no accepted set of this version");
    sy_rd r = sy_rd_of((sy_span){set.p + sizeof magic, set.n - sizeof magic});
    l->base = l->shown = sy_cfg_copy(l, sy_rd_blob(&r));
    uint32_t n = sy_rd_u32(&r);
    for (uint32_t i = 0; i < n && !r.bad && !l->nomem; i++) {
        uint8_t kind = sy_rd_u8(&r);
        const char *name = sy_cfg_copy(l, sy_rd_blob(&r));
        sy_span bytes = sy_rd_blob(&r);
        bool first = i == 0, config = kind == SY_TEXT_CONFIG;
        if (r.bad || !name || kind < SY_TEXT_CONFIG || kind > SY_TEXT_ORDERS || first != config ||
            !sy_cfg_add_text(l, (sy_text_kind)kind, name, bytes))
            return sy_fail_set(f, SY_E_CORRUPT, "the accepted set is damaged");
    }
    if (r.bad || r.n || n == 0 || l->nomem)
        return sy_fail_set(f, l->nomem ? SY_E_NOMEM : SY_E_CORRUPT, "the accepted set is damaged");
    return SY_OK;
}

sy_span sy_config_orders(const sy_config *c)
{
    sy_span set = sy_config_texts(c);
    sy_rd r = sy_rd_of((sy_span){set.p + sizeof magic, set.n - sizeof magic});
    (void)sy_rd_blob(&r);
    uint32_t n = sy_rd_u32(&r);
    for (uint32_t i = 0; i < n && !r.bad; i++) {
        uint8_t kind = sy_rd_u8(&r);
        (void)sy_rd_blob(&r);
        sy_span bytes = sy_rd_blob(&r);
        if (kind == SY_TEXT_ORDERS)
            return bytes;
    }
    return (sy_span){"", 0};
}

static void set_path(const char *data, const char *hex, sy_buf *out)
{
    sy_buf_printf(out, "%s/accepted/%s.set", data, hex);
}

sy_err sy_config_keep(const sy_config *c, const char *data, sy_fail *f)
{
    sy_buf path, old;
    sy_buf_init(&path, sy_heap());
    sy_buf_init(&old, sy_heap());
    sy_buf_printf(&path, "%s/accepted", data);
    sy_err rc = path.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory") : sy_dir_make(path.p, f);
    if (rc == SY_OK) {
        sy_span set = sy_config_texts(c);
        sy_buf_reset(&path);
        set_path(data, c->hash_hex, &path);
        if (path.failed)
            rc = sy_fail_set(f, SY_E_NOMEM, "out of memory");
        else if (sy_file_read(path.p, set.n, &old, NULL) != SY_OK ||
                 !sy_span_eq(sy_buf_span(&old), set)) /* the same one is kept already, else write */
            rc = sy_file_write(path.p, set, 0600, f);
    }
    if (rc != SY_OK)
        sy_fail_wrap(f, "keeping the accepted configuration");
    sy_buf_fini(&old);
    sy_buf_fini(&path);
    return rc;
}

sy_err sy_cfg_read_kept(const char *data, const char *hex, sy_buf *out, sy_fail *f)
{
    unsigned char hash[32];
    char found[65];
    sy_buf path;
    sy_sha256 sha;
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return sy_fail_set(f, SY_E_USAGE, "'%.64s' is no hash of a set", hex);
    sy_buf_init(&path, sy_heap());
    set_path(data, hex, &path);
    sy_err rc = path.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory")
                            : sy_file_read(path.p, SY_CFG_SET_MAX, out, f);
    if (rc == SY_OK) {
        sy_sha256_init(&sha);
        sy_sha256_add(&sha, out->p, out->n);
        sy_sha256_end(&sha, hash);
        sy_hex(hash, 32, found);
        if (strcmp(found, hex) != 0)
            rc = sy_fail_set(f, SY_E_CORRUPT, "%s does not have the hash of its name: damaged",
                             path.p);
    }
    sy_buf_fini(&path);
    return rc;
}
