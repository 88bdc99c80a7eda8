/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateways' side of orders (docs/orders.md): a gateway fetches its own, by the name in its
 * certificate, and sends the evidence that it was asked for. What comes is verified as `steelyard
 * verify` does, and kept whatever the verdict is: a file that is not proven is a finding, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "inbox/db_int.h"
#include "inbox/desk.h"
#include "inbox/routes.h"
#include "ledger/verify.h"

enum { FINDINGS_MAX = 400, SOURCE_MAX = 16 + SY_WEB_NAME };

static bool source_of(const char *name, char out[SOURCE_MAX])
{
    int n = snprintf(out, SOURCE_MAX, "/steelyard/%s", name);
    return name[0] && n > 0 && n < SOURCE_MAX;
}

static const char *argument(const sy_web_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result failed(const sy_web_request *r, const sy_fail *f)
{
    sy_log_fail(SY_LOG_ERROR, "inbox-store", f);
    return sy_web_refuse(r->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                         "the inbox's store fails; try again");
}

enum MHD_Result sy_serve_orders(const sy_web_request *r)
{
    char source[SOURCE_MAX];
    const char *gateway = argument(r, "gateway"), *text = argument(r, "after");
    size_t n = text ? strlen(text) : 0;
    sy_buf b;
    sy_fail f;
    if (!gateway || (text && (n == 0 || n > 16 || strspn(text, "0123456789") != n))) {
        return sy_web_refuse(r->connection, MHD_HTTP_BAD_REQUEST,
                             "ask with ?gateway=ID&after=NUMBER");
    }
    if (strcmp(gateway, r->name) != 0 || !source_of(r->name, source)) {
        sy_log(SY_LOG_WARN, "inbox-peer-refused", "msg=\"orders of another gateway asked for\"");
        return sy_web_refuse(r->connection, MHD_HTTP_FORBIDDEN,
                             "a gateway gets its own orders: the CN of its certificate is its id");
    }
    sy_buf_init(&b, sy_heap());
    sy_err e =
        sy_desk_serve(r->db, source, text ? strtoll(text, NULL, 10) : 0, sy_wall_ms(), &b, &f);
    enum MHD_Result queued = e == SY_OK
                                 ? sy_web_answer(r->connection, MHD_HTTP_OK, "application/json", &b)
                                 : failed(r, &f);
    sy_buf_fini(&b);
    return queued;
}

unsigned sy_may_send_evidence(const sy_web_request *r, const char **why)
{
    char source[SOURCE_MAX], id[65];
    sy_fail f;
    if (!source_of(r->name, source)) {
        *why = "the certificate names no gateway";
        return MHD_HTTP_FORBIDDEN;
    }
    sy_err e = sy_desk_evidence_wanted(r->db, source, r->rest, argument(r, "order"), id, &f);
    *why = e == SY_E_EXISTS ? "the evidence for this order is there already"
                            : "no such evidence was asked of this gateway";
    return e == SY_OK ? 0 : e == SY_E_EXISTS ? MHD_HTTP_CONFLICT : MHD_HTTP_NOT_FOUND;
}

typedef struct findings {
    json_t *list; /* [kind, English, Chinese] */
    size_t n, second;
} findings;

static const char *kind_text(sy_finding_kind kind)
{
    return kind == SY_FOUND_FINE ? "fine" : kind == SY_FOUND_NOTE ? "note" : "broken";
}

static void first_language(void *ctx, sy_finding_kind kind, const char *text)
{
    findings *fs = ctx;
    if (fs->n++ < FINDINGS_MAX || kind == SY_FOUND_BROKEN) {
        json_array_append_new(fs->list, json_pack("[sss]", kind_text(kind), text, text));
    }
}

/* The same verification says the same in the same order. */
static void second_language(void *ctx, sy_finding_kind kind, const char *text)
{
    findings *fs = ctx;
    (void)kind;
    if (fs->second < json_array_size(fs->list) && fs->second < FINDINGS_MAX) {
        json_array_set_new(json_array_get(fs->list, fs->second), 2, json_string(text));
    }
    fs->second++;
}

static void add_finding(findings *fs, const char *en, const char *zh)
{
    json_array_append_new(fs->list, json_pack("[sss]", "broken", en, zh));
}

/* It is about the alert that it was asked for, and from this gateway. */
static bool about(sy_span file, const char *alert, const char *source)
{
    sy_evidence ev;
    sy_span json;
    sy_fail f;
    sy_evidence_init(&ev);
    bool good = sy_evidence_cut(file, &json, &f) == SY_OK &&
                sy_evidence_read(json, &ev, &f) == SY_OK && strcmp(ev.alert, alert) == 0;
    for (size_t i = 0; i < ev.n_events && good; i++) {
        json_t *body = json_loadb(ev.events[i].body.p, ev.events[i].body.n, 0, NULL);
        const char *said = json_string_value(json_object_get(body, "source"));
        good = said && strcmp(said, source) == 0;
        json_decref(body);
    }
    sy_evidence_free(&ev);
    return good;
}

static bool verify(sy_inbox_db *d, sy_span file, const char *alert, const char *source,
                   findings *fs)
{
    sy_fail f;
    bool proven = true;
    for (int zh = 0; zh < 2; zh++) {
        sy_check c = {.zh = zh,
                      .ca = sy_buf_span(&d->ca),
                      .tell = zh ? second_language : first_language,
                      .ctx = fs};
        sy_err e = sy_verify_evidence(file, &c, &f);
        proven = proven && e == SY_OK && c.broken == 0 && c.fine > 0;
        if (e != SY_OK && !zh) {
            add_finding(fs, f.text, f.text);
        }
    }
    if (!about(file, alert, source)) {
        add_finding(fs, "this is not the evidence of the alert that it was asked for",
                    "这不是所索取报警的证据");
        proven = false;
    }
    return proven;
}

static sy_err keep(sy_inbox_db *d, const sy_desk_evidence *e, sy_span file, sy_fail *f)
{
    char path[4200];
    int n = snprintf(path, sizeof path, "%s/evidence", sy_inbox_db_folder(d));
    sy_err err = n < 0 || n > 4096 ? sy_fail_set(f, SY_E_RANGE, "the folder's name is too long")
                                   : sy_dir_make(path, f);
    if (err == SY_OK) {
        snprintf(path + n, sizeof path - (size_t)n, "/%s.html", e->sha256);
        err = sy_file_write(path, file, 0600, f);
    }
    return err != SY_OK ? err : sy_desk_evidence_add(d, e, f);
}

enum MHD_Result sy_take_evidence(const sy_web_request *r)
{
    char source[SOURCE_MAX], id[65], hex[65];
    const char *why = "";
    uint8_t digest[32];
    sy_sha256 hash;
    sy_fail f;
    findings fs = {json_array(), 0, 0};
    unsigned status = sy_may_send_evidence(r, &why);
    if (status != 0 || !source_of(r->name, source) ||
        sy_desk_evidence_wanted(r->db, source, r->rest, argument(r, "order"), id, &f) != SY_OK) {
        json_decref(fs.list);
        return sy_web_refuse(r->connection, status ? status : MHD_HTTP_NOT_FOUND, why);
    }
    sy_sha256_init(&hash);
    sy_sha256_add(&hash, r->body.n ? r->body.p : "", r->body.n);
    sy_sha256_end(&hash, digest);
    sy_hex(digest, sizeof digest, hex);
    bool proven = verify(r->db, r->body, r->rest, source, &fs);
    char *text = json_dumps(fs.list, JSON_COMPACT);
    json_decref(fs.list);
    sy_err e = text ? keep(r->db,
                           &(sy_desk_evidence){.source = source,
                                               .alert = r->rest,
                                               .order = id,
                                               .sha256 = hex,
                                               .size = (int64_t)r->body.n,
                                               .proven = proven,
                                               .findings = text,
                                               .at = sy_wall_ms()},
                           r->body, &f)
                    : sy_fail_set(&f, SY_E_NOMEM, "no memory for evidence");
    free(text);
    if (e != SY_OK) {
        return failed(r, &f);
    }
    sy_log(proven ? SY_LOG_INFO : SY_LOG_WARN, "inbox-evidence", "alert=%.64s bytes=%zu proven=%s",
           r->rest, r->body.n, proven ? "true" : "false");
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_printf(&b, "{\"stored\":true,\"proven\":%s}\n", proven ? "true" : "false");
    enum MHD_Result queued = sy_web_answer(r->connection, MHD_HTTP_OK, "application/json", &b);
    sy_buf_fini(&b);
    return queued;
}
