/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The road of mail (RFC 5321 by libcurl): one mail about all that changed since the last, in
 * English and Chinese. The first BURST go at once, and then one each EVERY_MS: what comes meanwhile
 * waits in the outbox and goes together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upstream/carrier.h"
#include "upstream/tidings.h"

enum { BURST = 5, EVERY_MS = 60 * 1000, TO_MOST = 32, PASSWORD_MOST = 1024, EVENTS = 50 };

typedef struct mail {
    sy_carried base;
    const sy_road_setup o; /* borrowed texts; stop_fd and store are of the carrier */
    unsigned left;         /* mails that may go at once */
    sy_ms since;           /* monotonic: when `left` was last made up */
} mail;

static mail *of(sy_road *r)
{
    return (mail *)r;
}

static sy_err check(const sy_road_setup *o, sy_fail *f)
{
    bool smtps = strncmp(o->url, "smtps://", 8) == 0, smtp = strncmp(o->url, "smtp://", 7) == 0;
    if (strlen(o->url) >= sizeof((sy_carried *)0)->url || (!smtps && !smtp))
        return sy_fail_set(f, SY_E_USAGE, "%.100s: a mail server is smtp://… or smtps://…", o->url);
    if (!sy_road_word_of(o, "from") || !sy_road_word_of(o, "to"))
        return sy_fail_set(f, SY_E_USAGE, "mail needs 'from' and 'to'");
    return SY_OK;
}

static sy_err start(sy_road **out, const sy_road_setup *o, sy_fail *f)
{
    mail *m = malloc(sizeof *m);
    if (!m)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a destination");
    mail made = {.o = *o, .left = BURST, .since = sy_mono_ms()};
    memcpy(m, &made, sizeof *m);
    sy_err e = sy_carried_open(&m->base, &sy_road_mail, o, f);
    if (e) {
        free(m);
        return e;
    }
    *out = &m->base.road;
    return SY_OK;
}

static void make_up(mail *m)
{
    sy_ms now = sy_mono_ms(), n = (now - m->since) / EVERY_MS;
    m->since += n * EVERY_MS;
    m->left = n >= BURST - (sy_ms)m->left ? BURST : m->left + (unsigned)n;
}

static sy_choice choose(sy_road *r, const sy_outbox_item *item, sy_arena *arena, sy_ms now)
{
    sy_tidings t;
    sy_fail f;
    (void)now;
    if (sy_tidings_of(item->body, arena, &t, &f))
        return SY_CHOICE_LATER;
    if (!t.told)
        return SY_CHOICE_SKIP;
    make_up(of(r));
    return of(r)->left ? SY_CHOICE_GO : SY_CHOICE_LATER;
}

static sy_ms sleep_of(sy_road *r, sy_ms now, sy_ms most)
{
    (void)now;
    const mail *m = of(r);
    sy_ms wait = m->since + EVERY_MS - sy_mono_ms();
    return m->left || wait > most ? most : wait > 0 ? wait : 0;
}

/* A list of addresses, one a line, into pointers to a copy in the arena. */
static sy_err recipients(const char *text, sy_arena *arena, const char *to[TO_MOST + 1], sy_fail *f)
{
    size_t n = 0;
    char *copy = sy_arena_text(arena, sy_span_of(text));
    if (!copy)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a mail");
    for (char *p = copy; *p && n < TO_MOST;) {
        char *end = p + strcspn(p, "\n");
        to[n++] = p;
        p = *end ? end + 1 : end;
        *end = '\0';
    }
    to[n] = NULL;
    return SY_OK;
}

/* Read anew each time. */
static sy_err password(const char *file, sy_buf *out, sy_fail *f)
{
    sy_err e = file ? sy_file_read(file, PASSWORD_MOST, out, f) : SY_OK;
    while (!e && out->n && strchr("\r\n", out->p[out->n - 1]))
        out->n--;
    sy_buf_char(out, '\0');
    return e ? e : out->failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory") : SY_OK;
}

/* 4yz: try again (RFC 5321, 4.2.1). What is refused for good is so for the server, a login or an
 * address: a person must look, and nothing is set aside. */
static sy_err verdict(sy_err e, sy_reply *reply, sy_fail *f)
{
    if (e == SY_OK) {
        reply->answer = SY_ANSWER_OK;
        return SY_OK;
    }
    if (e != SY_E_PEER && e != SY_E_DENIED)
        return e;
    bool later = e == SY_E_PEER && reply->status < 500;
    reply->answer = later ? SY_ANSWER_LATER : SY_ANSWER_DESTINATION;
    snprintf(reply->text, sizeof reply->text, "%s", f->text);
    return SY_OK;
}

static sy_err give(sy_road *r, const sy_batch *b, sy_reply *reply, sy_fail *f)
{
    mail *m = of(r);
    const char *to[TO_MOST + 1], *user = sy_road_word_of(&m->o, "user");
    sy_tidings *v = sy_arena_get(b->arena, b->n * sizeof *v);
    sy_err e = v ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for a mail");
    for (size_t i = 0; i < b->n && !e; i++)
        e = sy_tidings_of(b->items[i]->body, b->arena, &v[i], f);
    if (!e)
        e = recipients(sy_road_word_of(&m->o, "to"), b->arena, to, f);
    if (e)
        return e;
    sy_letter l = {
        .from = sy_road_word_of(&m->o, "from"), .to = sy_road_word_of(&m->o, "to"), .now = b->now};
    sy_buf text, secret;
    sy_buf_init(&text, sy_heap());
    sy_buf_init(&secret, sy_heap());
    sy_tidings_letter(&l, v, b->n, &text);
    e = text.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a mail") : SY_OK;
    e = e ? e : password(sy_road_word_of(&m->o, "password"), &secret, f);
    *reply = (sy_reply){.answer = SY_ANSWER_LATER};
    if (!e) {
        const sy_parcel p = {.url = m->base.url,
                             .body = sy_buf_span(&text),
                             .from = l.from,
                             .to = to,
                             .user = user,
                             .password = user ? secret.p : NULL,
                             .plain = strncmp(m->base.url, "smtp://", 7) == 0 &&
                                      sy_carrier_near(m->base.url, false)};
        e = verdict(sy_carrier_send(m->base.carrier, &p, &reply->status, f), reply, f);
    }
    if (!e && reply->answer == SY_ANSWER_OK && m->left) {
        m->since = m->left == BURST ? sy_mono_ms() : m->since;
        m->left--;
    }
    sy_buf_fini(&text);
    sy_buf_fini(&secret);
    return e;
}

const sy_road_ops sy_road_mail = {
    .kind = "mail",
    .most_events = EVENTS,
    .check = check,
    .open = start,
    .close = sy_carried_close,
    .turn = sy_carried_turn,
    .choose = choose,
    .send = give,
    .sleep = sleep_of,
    .fd = sy_carried_fd,
    .drop = sy_carried_drop,
    .counts = sy_carried_counts,
    .peer = sy_carried_peer,
};
