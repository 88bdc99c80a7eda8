/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The road to an MQTT broker, by a process of its own (mqtt_process.h) for each connection. Each
 * event is one message at QoS 1, and is taken when its PUBACK came. No more are under way than the
 * broker allows.
 *
 * When that process dies while it has events, one of them may be the cause: they are doubted
 * together, and the sender halves them down to one (suspects.h), which is set aside only when
 * others got through and it kills the process again.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "upstream/mqtt_process.h"
#include "upstream/mqtt_topic.h"
#include "upstream/road.h"

enum { WINDOW = 100, NO_SUBSCRIBER = 0x10, REFUSED = 0x80, QUOTA = 0x97, END_MS = 500 };

typedef struct mqtt {
    sy_road road;
    sy_road_setup o;
    sy_url url;
    sy_mqtt_process process;
    bool up, told_lonely;
    uint32_t window, most; /* of this connection */
    unsigned connects;
    char client[300];
} mqtt;

static mqtt *of(sy_road *r)
{
    return (mqtt *)r;
}

/* mqtts://host[:port] */
static sy_err parse(const char *text, sy_url *out, sy_fail *f)
{
    static const char scheme[] = "mqtts://";
    char as[600];
    size_t k = sizeof scheme - 1;
    if (strncmp(text, scheme, k) != 0 || strlen(text) > 512)
        return sy_fail_set(f, SY_E_USAGE, "%.200s is no address of the form mqtts://host:port",
                           text);
    snprintf(as, sizeof as, "https://%s", text + k);
    sy_err e = sy_url_parse(as, out, f);
    if (e != SY_OK)
        return e;
    if (strcmp(out->path, "/") != 0)
        return sy_fail_set(f, SY_E_USAGE, "%.200s: an MQTT broker has no path", text);
    size_t n = strlen(out->authority);
    const char *host_end = strrchr(out->authority, ']');
    if (!strrchr(host_end ? host_end : out->authority, ':')) {
        snprintf(out->port, sizeof out->port, "8883");
        snprintf(out->authority + n, sizeof out->authority - n, ":8883");
    }
    return SY_OK;
}

static sy_err check(const sy_road_setup *o, sy_fail *f)
{
    static const char none[] = "{}";
    const char *topic = sy_road_word_of(o, "topic");
    sy_url unused;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    bool fine = topic && sy_mqtt_topic(&b, topic, sy_span_of(none));
    sy_buf_fini(&b);
    if (!fine)
        return sy_fail_set(f, SY_E_USAGE, "destination %s: 'topic' names what no event has",
                           o->name);
    return parse(o->url, &unused, f);
}

static void end(mqtt *m, char *how, size_t size)
{
    sy_mqtt_process_end(&m->process, END_MS, how, size);
    m->up = false;
}

static void drop(sy_road *r)
{
    char how[32];
    end(of(r), how, sizeof how);
}

static void shut(sy_road *r)
{
    drop(r);
    sy_mqtt_process_fini(&of(r)->process);
    free(r);
}

static sy_err start(sy_road **out, const sy_road_setup *o, sy_fail *f)
{
    mqtt *m = calloc(1, sizeof *m);
    if (!m)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a destination");
    m->road.ops = &sy_road_mqtt;
    m->o = *o;
    const char *gateway = sy_road_word_of(o, "gateway");
    snprintf(m->client, sizeof m->client, "steelyard-%.128s-%.128s", gateway ? gateway : "",
             o->name);
    sy_mqtt_process_init(&m->process);
    sy_err e = parse(o->url, &m->url, f);
    if (e != SY_OK) {
        shut(&m->road);
        return e;
    }
    *out = &m->road;
    return SY_OK;
}

static sy_err turn(sy_road *r, const char *url, sy_fail *f)
{
    drop(r);
    return parse(url, &of(r)->url, f);
}

static void put_setup(mqtt *m, sy_ms now)
{
    char at[24], timeout[24];
    const sy_mqtt_frame x = {.kind = SY_MQTT_SETUP,
                             .texts = {[SY_MQTT_HOST] = m->url.host,
                                       [SY_MQTT_PORT] = m->url.port,
                                       [SY_MQTT_CLIENT] = m->client,
                                       [SY_MQTT_USER] = sy_road_word_of(&m->o, "user"),
                                       [SY_MQTT_PASSWORD] = sy_road_word_of(&m->o, "password"),
                                       [SY_MQTT_CA] = m->o.files.ca,
                                       [SY_MQTT_CERT] = m->o.files.cert,
                                       [SY_MQTT_KEY] = m->o.files.key,
                                       [SY_MQTT_CRL] = m->o.files.crl,
                                       [SY_MQTT_VERSION] = sy_road_word_of(&m->o, "version"),
                                       [SY_MQTT_NOW] = at,
                                       [SY_MQTT_TIMEOUT] = timeout}};
    snprintf(at, sizeof at, "%lld", (long long)now);
    snprintf(timeout, sizeof timeout, "%lld", (long long)m->o.times.connect);
    sy_mqtt_put(&m->process.out, &x);
}

/* Wait for the process, and let bytes move. SY_E_CLOSED with *ended: it is gone. */
static sy_err wait_for(mqtt *m, sy_wait *w, bool *ended)
{
    short events = sy_mqtt_process_writes(&m->process) ? POLLIN | POLLOUT : POLLIN;
    sy_err e = sy_io_wait(w, m->process.fd, events);
    *ended = false;
    if (e == SY_OK) {
        e = sy_mqtt_process_move(&m->process);
        *ended = e == SY_E_CLOSED;
    }
    return *ended ? SY_OK : e;
}

static sy_err died(mqtt *m, sy_fail *f)
{
    char how[32];
    end(m, how, sizeof how);
    return sy_fail_set(f, SY_E_IO, "the process that speaks MQTT with %.100s ended by %s",
                       m->url.authority, how);
}

/* Until the broker has let us in. */
static sy_err connect_it(mqtt *m, sy_ms now, sy_fail *f)
{
    /* The process has its own deadline, which is this one; it tells more. */
    sy_wait w = sy_wait_for(m->o.stop_fd, m->o.times.connect + 1000, 0);
    sy_err e = sy_mqtt_process_start(&m->process, f);
    if (e != SY_OK)
        return e;
    put_setup(m, now);
    for (bool ended = false; !ended;) {
        sy_mqtt_frame x;
        bool got = false;
        e = wait_for(m, &w, &ended);
        e = e != SY_OK ? e : sy_mqtt_process_take(&m->process, &x, &got);
        if (e != SY_OK)
            return sy_fail_set(f, e, "%.100s did not answer", m->url.authority);
        if (got && x.kind == SY_MQTT_DOWN)
            return sy_fail_set(f, x.code ? (sy_err)x.code : SY_E_IO, "%.*s", (int)x.body.n,
                               x.body.p);
        if (got && x.kind == SY_MQTT_UP) {
            m->up = true;
            m->told_lonely = false;
            m->window = x.number < 1 ? 1 : x.number < WINDOW ? x.number : WINDOW;
            m->most = x.most;
            m->connects++;
            sy_log(SY_LOG_DEBUG, "upstream-connected", "peer=%s pid=%d window=%u", m->url.authority,
                   (int)m->process.pid, m->window);
            return SY_OK;
        }
    }
    return died(m, f);
}

/* A batch under way. */
typedef struct run {
    mqtt *m;
    const sy_batch *b;
    sy_each *each;
    size_t next, under_way;
    bool down, later; /* the connection is lost; the broker wants a pause */
    sy_buf topic;
    char text[300];
} run;

static const char *say(run *x, const char *what, unsigned long long n, const char *unit)
{
    char text[120];
    snprintf(text, sizeof text, "%.70s %llu%.20s", what, n, unit);
    return sy_arena_text(x->b->arena, sy_span_of(text));
}

/* Give it as many as may be under way. */
static void feed(run *x)
{
    for (; x->next < x->b->n && x->under_way < x->m->window; x->next++) {
        const sy_outbox_item *item = x->b->items[x->next];
        sy_each *each = &x->each[x->next];
        sy_buf_reset(&x->topic);
        bool fine = sy_mqtt_topic(&x->topic, sy_road_word_of(&x->m->o, "topic"), item->body) &&
                    x->topic.n <= SY_MQTT_TOPIC_MAX;
        size_t packet = item->body.n + x->topic.n + 128; /* the fields around them */
        size_t most = x->m->most ? x->m->most : SY_MQTT_FRAME_MAX;
        if (!fine || packet > most) {
            each->fate = SY_FATE_DOUBTED;
            each->why = fine ? say(x, "the broker takes no message of", packet, " bytes")
                             : "no topic can be made of the event";
            continue;
        }
        each->fate = SY_FATE_OPEN;
        x->under_way++;
        const sy_mqtt_frame frame = {.kind = SY_MQTT_EVENT,
                                     .number = (uint32_t)x->next,
                                     .topic = sy_buf_span(&x->topic),
                                     .body = item->body};
        sy_mqtt_put(&x->m->process.out, &frame);
    }
}

static void answered(run *x, const sy_mqtt_frame *a)
{
    if (a->number >= x->next || x->each[a->number].fate != SY_FATE_OPEN)
        return;
    sy_each *each = &x->each[a->number];
    x->under_way--;
    if (a->code < REFUSED) {
        each->fate = SY_FATE_TAKEN;
        if (a->code == NO_SUBSCRIBER && !x->m->told_lonely) {
            x->m->told_lonely = true;
            sy_log(SY_LOG_WARN, "upstream-unheard",
                   "destination=%s event=%s msg=\"the broker took the event, and nobody subscribes "
                   "to its topic: whoever reads must have subscribed before\"",
                   x->m->o.name, x->b->items[a->number]->id);
        }
    } else if (a->code == QUOTA) {
        x->later = true; /* it stays open */
        snprintf(x->text, sizeof x->text, "%.100s has no room (quota exceeded)",
                 x->m->url.authority);
    } else {
        each->fate = SY_FATE_DOUBTED;
        each->why = say(x, "the broker refused the event, or its topic: reason", a->code, "");
    }
}

/* What the process said; SY_E_PARSE: no frame. */
static sy_err listen_to(run *x)
{
    sy_mqtt_frame frame;
    bool got = true;
    sy_err e = SY_OK;
    while (e == SY_OK && got) {
        e = sy_mqtt_process_take(&x->m->process, &frame, &got);
        if (e == SY_OK && got && frame.kind == SY_MQTT_ANSWER) {
            answered(x, &frame);
        } else if (e == SY_OK && got && frame.kind == SY_MQTT_DOWN) {
            x->down = true;
            snprintf(x->text, sizeof x->text, "%.*s",
                     (int)(frame.body.n < 280 ? frame.body.n : 280), frame.body.p);
        }
    }
    return e;
}

static size_t count(const run *x, sy_fate fate)
{
    size_t n = 0;
    for (size_t i = 0; i < x->b->n; i++)
        n += x->each[i].fate == fate;
    return n;
}

static void unsent(run *x, sy_fate from, sy_fate to)
{
    for (size_t i = 0; i < x->b->n; i++)
        if (x->each[i].fate == from)
            x->each[i].fate = to;
}

/* Nothing is under way any longer, or nothing can be learned of it. */
static sy_err close_run(run *x, sy_err e, bool crashed, sy_reply *reply, sy_fail *f)
{
    size_t taken = count(x, SY_FATE_TAKEN);
    *reply = (sy_reply){.answer = SY_ANSWER_OK, .each = x->each};
    if (taken == x->b->n) {
        reply->each = NULL;
        return SY_OK;
    }
    if (e == SY_E_CLOSED || e == SY_E_NOMEM) {
        if (taken == 0)
            return sy_fail_set(f, e, "destination %s: %s", x->m->o.name, sy_err_text(e));
        unsent(x, SY_FATE_OPEN, SY_FATE_UNSENT);
        return SY_OK;
    }
    if (count(x, SY_FATE_OPEN) + count(x, SY_FATE_UNSENT) == 0)
        return SY_OK;
    reply->answer = crashed && x->under_way > 0 ? SY_ANSWER_EVENT : SY_ANSWER_LATER;
    if (reply->answer == SY_ANSWER_LATER)
        unsent(x, SY_FATE_UNSENT, SY_FATE_OPEN);
    snprintf(reply->text, sizeof reply->text, "%s", x->text);
    return SY_OK;
}

static sy_err deliver(run *x, sy_reply *reply, sy_fail *f)
{
    mqtt *m = x->m;
    bool ended = false, crashed = false;
    sy_err e = SY_OK;
    size_t before = 0;
    sy_wait w = sy_wait_for(m->o.stop_fd, m->o.times.answer, m->o.times.grace);
    for (feed(x); e == SY_OK && x->under_way > 0 && !ended && !x->down && !x->later; feed(x)) {
        before = x->under_way;
        e = wait_for(m, &w, &ended);
        e = e != SY_OK ? e : listen_to(x);
        if (x->under_way != before && !w.stopping)
            w.deadline = sy_mono_ms() + m->o.times.answer;
    }
    if (m->process.out.failed)
        e = SY_E_NOMEM;
    if (e == SY_E_AGAIN)
        snprintf(x->text, sizeof x->text, "%.100s does not acknowledge", m->url.authority);
    else if (e == SY_E_PARSE || e == SY_E_IO)
        snprintf(x->text, sizeof x->text, "the process that speaks MQTT says what is no frame");
    if (e != SY_OK || ended || x->down || x->later) {
        sy_fail why;
        crashed = ended && !x->down;
        sy_err unused = died(m, &why);
        (void)unused;
        if (crashed)
            snprintf(x->text, sizeof x->text, "%.250s while it had events of ours", why.text);
    }
    return close_run(x, e, crashed, reply, f);
}

static sy_err give(sy_road *r, const sy_batch *b, sy_reply *reply, sy_fail *f)
{
    mqtt *m = of(r);
    run x = {.m = m, .b = b, .each = sy_arena_get(b->arena, b->n * sizeof(sy_each))};
    if (!x.each)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a batch");
    for (size_t i = 0; i < b->n; i++)
        x.each[i].fate = SY_FATE_UNSENT;
    sy_err e = m->up ? SY_OK : connect_it(m, b->now, f);
    if (e != SY_OK) {
        drop(r);
        return e;
    }
    sy_buf_init(&x.topic, sy_heap());
    e = deliver(&x, reply, f);
    sy_buf_fini(&x.topic);
    return e;
}

static int fd_of(const sy_road *r)
{
    const mqtt *m = (const mqtt *)r;
    return m->up ? m->process.fd : -1;
}

/* Nothing is under way, so it says only that the connection is lost, or is dead. */
static bool readable(sy_road *r)
{
    drop(r);
    return false;
}

static void counts(const sy_road *r, unsigned *connects, unsigned *resumed)
{
    *connects = ((const mqtt *)r)->connects;
    *resumed = 0;
}

static const char *peer(const sy_road *r)
{
    return ((const mqtt *)r)->url.authority;
}

const sy_road_ops sy_road_mqtt = {
    .kind = "mqtt",
    .ledger = true,
    .stays = true,
    .most_events = SY_BATCH_EVENTS,
    .most_bytes = SY_BATCH_BYTES,
    .check = check,
    .open = start,
    .close = shut,
    .turn = turn,
    .send = give,
    .fd = fd_of,
    .readable = readable,
    .drop = drop,
    .counts = counts,
    .peer = peer,
};
