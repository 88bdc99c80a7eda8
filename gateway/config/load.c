/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading: the YAML text, then the vocabulary, then the sections that use its words, then the
 * rules, then all of them against each other. Each step goes on after errors of the one before
 * where it can, so that a person sees everything that is wrong at once.
 */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "config/config_int.h"
#include "config/keys.h"
#include "rules/over.h"

enum { SY_CFG_ARENA_MAX = 512 << 20 };

/* What a loaded configuration owns: everything is in its arena, itself too. */
typedef struct owner {
    sy_config config;
    sy_arena arena;
    sy_span texts; /* the accepted set's bytes */
    atomic_int refs;
} owner;

sy_config *sy_config_ref(sy_config *c)
{
    owner *o = c->owner;
    if (o)
        atomic_fetch_add(&o->refs, 1);
    return c;
}

void sy_config_unref(sy_config *c)
{
    owner *o = c ? c->owner : NULL;
    if (!o || atomic_fetch_sub(&o->refs, 1) != 1)
        return;
    sy_arena_fini(&o->arena);
    free(o);
}

sy_span sy_config_texts(const sy_config *c)
{
    const owner *o = c->owner;
    return o->texts;
}

void sy_cfg_yaml_error(void *ctx, uint32_t at, uint32_t len, const char *code, const char *en,
                       const char *zh)
{
    sy_ynode place = {.at = at, .len = len};
    sy_cfg_error(ctx, &place, code, NULL, "%s%.0s", "%.0s%s", en, zh);
}

static void tell(sy_loader *l, sy_diags *d)
{
    size_t told = 0;
    for (size_t i = 0; i < d->n; i++) {
        sy_cfg_report_diag(l, &d->v[i]);
        told += d->v[i].severity == SY_DIAG_ERROR;
    }
    if (d->errors > told) /* more than are kept */
        l->findings->errors += d->errors - told;
    l->nomem = l->nomem || d->failed;
    sy_diags_fini(d);
}

/* The texts of words live as long as the configuration, the diagnostics only until they are told.
 */
static void load_vocabulary(sy_loader *l)
{
    sy_diags d;
    sy_err rc = SY_OK;
    sy_diags_init(&d, l->scratch);
    sy_vocab_init(&l->vocab, l->arena);
    for (size_t i = 0; i < l->n_texts && rc != SY_E_NOMEM; i++)
        if (l->texts[i].kind == SY_TEXT_BUILTIN || l->texts[i].kind == SY_TEXT_VOCABULARY)
            rc = sy_vocab_add(&l->vocab, &l->sources[i], &d);
    l->nomem = l->nomem || rc == SY_E_NOMEM;
    l->c->vocab = &l->vocab;
    tell(l, &d);
}

static void load_rules(sy_loader *l)
{
    sy_diags d;
    size_t n = 0;
    sy_source *rules = sy_cfg_get(l, (l->n_texts + 1) * sizeof *rules);
    sy_diags_init(&d, l->scratch);
    for (size_t i = 0; rules && i < l->n_texts; i++)
        if (l->texts[i].kind == SY_TEXT_RULES)
            rules[n++] = l->sources[i];
    l->c->rules = rules;
    l->c->n_rules = rules ? n : 0;
    const sy_set_texts texts = {rules, n, sy_cfg_orders_base(l)};
    if (rules && sy_set_load_over(&texts, &l->vocab, l->arena, &d, &l->c->set) == SY_E_NOMEM)
        l->nomem = true;
    if (n == 0 && !l->findings->errors)
        sy_cfg_warn(l, NULL, "no-rules", NULL, "no rules are named: nothing is judged",
                    "未给出规则：不作任何判定");
    tell(l, &d);
}

/* Of a kept set that is to have other orders: what was ordered goes, and the maps are put aside, so
 * that the texts stand in the order in which a load of the files would put them. */
static bool take_orders_out(sy_loader *l)
{
    size_t k = 0, m = 0;
    bool ordered = false;
    l->aside = sy_arena_get(l->scratch, (l->n_texts + 1) * sizeof *l->aside);
    if (!l->aside)
        return false;
    l->text_bytes = 0;
    for (size_t i = 0; i < l->n_texts; i++) {
        const sy_cfg_text t = l->texts[i];
        ordered = ordered || t.kind == SY_TEXT_ORDERS;
        if (t.kind == SY_TEXT_MAP) {
            l->aside[m++] = t;
        } else if (!ordered || (t.kind != SY_TEXT_ORDERS && t.kind != SY_TEXT_RULES)) {
            l->sources[k] = l->sources[i];
            l->texts[k++] = t;
            l->text_bytes += t.bytes.n;
        }
    }
    l->n_texts = k;
    l->n_aside = m;
    return true;
}

static void put_maps_back(sy_loader *l)
{
    for (size_t i = 0; i < l->n_aside; i++)
        if (!sy_cfg_add_text(l, SY_TEXT_MAP, l->aside[i].name, l->aside[i].bytes))
            sy_cfg_error(l, NULL, "too-many", NULL, "%s: too many texts, or too long",
                         "%s：文件过多或过大", l->aside[i].name);
}

/* Everything from the YAML text on. l->texts[0] is there; for a kept set all texts are. */
static void load_all(sy_loader *l, const char *data_override)
{
    sy_cfg_cell root[RT_N];
    sy_span yaml = l->sources[0].text;
    sy_err rc = sy_yaml_parse(yaml, l->scratch, l->arena, sy_cfg_yaml_error, l, &l->root);
    if (rc != SY_OK) {
        l->nomem = l->nomem || rc == SY_E_NOMEM;
        return;
    }
    if (!l->kept &&
        !sy_cfg_add_text(l, SY_TEXT_BUILTIN, sy_vocab_builtin.name, sy_vocab_builtin.text))
        return;
    if (!sy_cfg_read(l, l->root, SY_S_ROOT, root))
        return;
    if (root[RT_GATEWAY].set)
        sy_cfg_gateway(l, root[RT_GATEWAY].node, data_override);
    sy_cfg_orders(l);
    put_maps_back(l);
    load_vocabulary(l);
    sy_cfg_transports(l, root);
    sy_cfg_on_site(l, root[RT_ON_SITE].set ? root[RT_ON_SITE].node : NULL);
    sy_cfg_devices(l, root[RT_DEVICES].set ? root[RT_DEVICES].node : NULL);
    sy_cfg_site(l, root[RT_PREMISES].set ? root[RT_PREMISES].node : NULL);
    sy_cfg_panels(l);
    sy_cfg_destinations(l, root[RT_DESTINATIONS].set ? root[RT_DESTINATIONS].node : NULL);
    load_rules(l);
    sy_cfg_orders_check(l);
    if (l->c->set && l->c->site && !l->nomem)
        sy_cfg_watch(l);
    if (l->c->set && (!l->kept || l->ordered) && !l->nomem) /* a kept set passed already */
        sy_cfg_scenarios(l);
}

static sy_err hash_texts(sy_loader *l, owner *o)
{
    sy_buf b;
    sy_sha256 sha;
    sy_buf_init(&b, sy_heap());
    sy_cfg_encode(l->base, l->texts, l->n_texts, &b);
    const char *own = b.failed ? NULL : sy_arena_text(l->arena, sy_buf_span(&b));
    o->texts = (sy_span){own, b.n};
    sy_buf_fini(&b);
    if (!own)
        return SY_E_NOMEM;
    sy_sha256_init(&sha);
    sy_sha256_add(&sha, own, o->texts.n);
    sy_sha256_end(&sha, l->c->hash);
    sy_hex(l->c->hash, 32, l->c->hash_hex);
    return SY_OK;
}

/* The loader lives in the arena: trees and words point at its sources. */
static sy_loader *open_loader(sy_findings *findings, sy_arena *scratch)
{
    owner *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    sy_arena_init(&o->arena, sy_heap(), SY_CFG_ARENA_MAX);
    atomic_init(&o->refs, 1);
    o->config.owner = o;
    sy_loader *l = sy_arena_get(&o->arena, sizeof *l);
    if (!l) {
        sy_config_unref(&o->config);
        return NULL;
    }
    sy_arena_init(scratch, sy_heap(), SY_CFG_ARENA_MAX);
    *l = (sy_loader){.arena = &o->arena, .scratch = scratch, .findings = findings, .c = &o->config};
    return l;
}

/* Give the configuration out, or say why there is none. */
static sy_err close_loader(sy_loader *l, sy_err rc, sy_config **out, sy_fail *f)
{
    sy_config *c = l->c;
    sy_findings *fs = l->findings;
    if (rc == SY_OK && (l->nomem || hash_texts(l, c->owner) != SY_OK))
        rc = sy_fail_set(f, SY_E_NOMEM, "%s: out of memory", c->file);
    if (rc == SY_OK && fs->errors) {
        sy_findings_sort(fs, c->file);
        const sy_finding *first = NULL;
        for (size_t i = 0; i < fs->n && !first; i++)
            first = fs->v[i].severity == SY_DIAG_ERROR ? &fs->v[i] : NULL;
        rc =
            sy_fail_set(f, SY_E_USAGE, "%s: %zu error%s, the first at %s:%u:%u: %.160s", c->file,
                        fs->errors, fs->errors == 1 ? "" : "s", first ? first->file : c->file,
                        first ? first->line : 0, first ? first->column : 0, first ? first->en : "");
    }
    sy_findings_sort(fs, c->file ? c->file : "");
    sy_arena_fini(l->scratch);
    l->findings = NULL; /* the caller's, gone when the configuration still lives */
    l->root = l->orders = NULL;
    l->aside = NULL;
    l->orders_file = NULL;
    if (rc != SY_OK)
        sy_config_unref(c);
    else
        *out = c;
    return rc;
}

/* base and shown of the folder that the file is in. */
static bool find_folder(sy_loader *l, const char *file)
{
    char folder[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(file, '/');
    size_t n = slash ? (size_t)(slash - file) + 1 : 0;
    if (n + 2 > sizeof folder)
        return false;
    memcpy(folder, file, n);
    folder[n] = 0;
    l->shown = sy_cfg_copy(l, sy_span_of(folder));
    if (!realpath(n ? folder : ".", real))
        return false;
    l->base = sy_cfg_copy(l, sy_span_of(real));
    return true;
}

static sy_err read_file(sy_loader *l, const char *file, sy_buf *b, sy_fail *f)
{
    if (!find_folder(l, file))
        return sy_fail_sys(f, "%s: its folder cannot be found", file);
    sy_err rc = sy_file_read(file, SY_YAML_MAX, b, f);
    if (rc != SY_OK)
        return rc;
    sy_span text = sy_buf_span(b);
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = (sy_span){text.p + 3, text.n - 3};
    const char *slash = strrchr(file, '/');
    bool added = sy_cfg_add_text(l, SY_TEXT_CONFIG, slash ? slash + 1 : file, text);
    return added ? SY_OK : sy_fail_set(f, SY_E_RANGE, "%s: too large", file);
}

sy_err sy_config_load(const char *file, const char *data_override, sy_findings *findings,
                      sy_config **out, sy_fail *f)
{
    sy_arena scratch;
    sy_buf b;
    sy_fail own;
    f = f ? f : &own;
    *out = NULL;
    sy_loader *l = open_loader(findings, &scratch);
    if (!l)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    l->c->file = sy_cfg_copy(l, sy_span_of(file));
    sy_buf_init(&b, sy_heap());
    sy_err rc = read_file(l, file, &b, f);
    sy_buf_fini(&b);
    if (rc == SY_OK) {
        load_all(l, data_override);
    } else {
        sy_findings_add(findings, file, "file", f->text, f->text);
        rc = rc == SY_E_NOMEM ? rc : SY_E_USAGE;
        f->code = rc;
    }
    return close_loader(l, rc, out, f);
}

sy_err sy_config_load_kept(const char *data, const char *hash_hex, sy_config **out, sy_fail *f)
{
    sy_arena scratch, arena;
    sy_buf b;
    sy_fail own;
    f = f ? f : &own;
    *out = NULL;
    sy_arena_init(&arena, sy_heap(), SY_CFG_ARENA_MAX);
    sy_findings findings = {.arena = &arena};
    sy_loader *l = open_loader(&findings, &scratch);
    if (!l)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    l->kept = true;
    sy_buf_init(&b, sy_heap());
    sy_err rc = sy_cfg_read_kept(data, hash_hex, &b, f);
    if (rc == SY_OK)
        rc = sy_cfg_decode(l, sy_buf_span(&b), f);
    sy_buf_fini(&b);
    if (rc == SY_OK) {
        l->c->file = l->sources[0].name;
        load_all(l, data);
    }
    rc = close_loader(l, rc, out, f);
    if (rc != SY_OK)
        sy_fail_wrap(f, "accepted set %.12s", hash_hex);
    sy_arena_fini(&arena);
    return rc;
}

sy_err sy_config_load_ordered(const sy_config *base, const char *data, const char *orders_file,
                              sy_findings *findings, sy_config **out, sy_fail *f)
{
    sy_arena scratch;
    sy_fail own;
    f = f ? f : &own;
    *out = NULL;
    sy_loader *l = open_loader(findings, &scratch);
    if (!l)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    l->kept = l->ordered = true;
    l->orders_file = orders_file;
    sy_err rc = sy_cfg_decode(l, sy_config_texts(base), f);
    if (rc == SY_OK && !take_orders_out(l))
        rc = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    if (rc == SY_OK) {
        l->c->file = l->sources[0].name;
        load_all(l, data);
    }
    return close_loader(l, rc, out, f);
}

sy_err sy_config_map(const char *name, sy_config **out, const sy_mb_map **map, sy_fail *f)
{
    sy_arena scratch, arena;
    sy_arena_init(&arena, sy_heap(), SY_CFG_ARENA_MAX);
    sy_findings findings = {.arena = &arena};
    *out = NULL;
    sy_loader *l = open_loader(&findings, &scratch);
    if (!l)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    sy_ynode node = {.kind = SY_Y_SCALAR, .text = sy_span_of(name)};
    l->c->file = sy_cfg_copy(l, sy_span_of(name));
    sy_err rc = find_folder(l, "") && sy_cfg_add_text(l, SY_TEXT_CONFIG, name, (sy_span){"", 0})
                    ? SY_OK
                    : sy_fail_set(f, SY_E_IO, "the working folder cannot be found");
    *map = rc ? NULL : sy_cfg_registers(l, &node);
    rc = close_loader(l, rc, out, f);
    sy_arena_fini(&arena);
    return rc;
}

static void release(void *c)
{
    sy_config_unref(c);
}

sy_err sy_config_registry(sy_config *c, sy_registry **out, sy_fail *f)
{
    sy_err rc = sy_registry_make(out, c->devices, c->n_devices, release, sy_config_ref(c), f);
    if (rc != SY_OK)
        sy_config_unref(c);
    return rc;
}
