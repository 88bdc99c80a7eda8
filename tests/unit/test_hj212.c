/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HJ 212 listener (HJ 212-2017, HJ/T 212-2005): framing, who may send, answers, retransmission,
 * fairness. A socket of the test is the device; the intake keeps a list.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/hj212/hj212_int.h"

enum { KEPT = 8192, WAIT_MS = 5000 };

#define LOOPBACK                                                                                   \
    {                                                                                              \
        .addr = {127}, .bits = 8, .set = true                                                      \
    }
static const sy_device device_list[] = {
    {.id = "wat-1",
     .transport = SY_TRANSPORT_HJ212,
     .mn = "010000A8900016F000169DC0",
     .from = LOOPBACK},
    {.id = "old-1",
     .transport = SY_TRANSPORT_HJ212,
     .mn = "88888880000001",
     .password = "123456",
     .from = LOOPBACK},
    {.id = "far-1",
     .transport = SY_TRANSPORT_HJ212,
     .mn = "far",
     .from = {.addr = {10}, .bits = 8, .set = true}},
    {.id = "gone-1",
     .transport = SY_TRANSPORT_HJ212,
     .mn = "gone",
     .from = LOOPBACK,
     .revoked = true},
    {.id = "mqtt-1", .transport = SY_TRANSPORT_MQTT, .topic = "t"},
};

typedef struct rig {
    sy_intake intake;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct {
        char source[32], ident[64], payload[400];
        size_t n_ident, n_payload;
        unsigned flags;
    } kept[KEPT];
    size_t n_kept, submits, waits;
    size_t rejected[SY_REJECT_COUNT];
    char detail[120];
    sy_err answer, sync; /* what submit and wait_synced give */
    sy_registry_slot *devices;
    sy_hj212 *server;
} rig;

static sy_err submit(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    rig *r = ctx;
    sy_err e = SY_OK;
    size_t i = 0;
    pthread_mutex_lock(&r->lock);
    r->submits++;
    if (r->answer != SY_OK) {
        e = sy_fail_set(f, r->answer, "the test wants it so");
    } else {
        while (i < r->n_kept && !(m->ident.n && m->ident.n == r->kept[i].n_ident &&
                                  memcmp(m->ident.p, r->kept[i].ident, m->ident.n) == 0 &&
                                  m->payload.n == r->kept[i].n_payload &&
                                  memcmp(m->payload.p, r->kept[i].payload, m->payload.n) == 0))
            i++;
        *kept = i == r->n_kept;
        *seq = i + 1;
        if (*kept && m->ident.n <= 64 && m->payload.n <= sizeof r->kept[0].payload && i < KEPT) {
            snprintf(r->kept[i].source, 32, "%.*s", (int)m->source.n, m->source.p);
            memcpy(r->kept[i].ident, m->ident.p, m->ident.n);
            memcpy(r->kept[i].payload, m->payload.p, m->payload.n);
            r->kept[i].n_ident = m->ident.n;
            r->kept[i].n_payload = m->payload.n;
            r->kept[i].flags = m->flags;
            r->n_kept++;
        }
    }
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return e;
}

static sy_err wait_synced(void *ctx, uint64_t seq, sy_fail *f)
{
    rig *r = ctx;
    (void)seq;
    pthread_mutex_lock(&r->lock);
    r->waits++;
    sy_err e = r->sync;
    pthread_mutex_unlock(&r->lock);
    return e ? sy_fail_set(f, e, "the test wants it so") : SY_OK;
}

static uint64_t synced(void *ctx)
{
    (void)ctx;
    return 0;
}

static void rejected(void *ctx, sy_transport t, sy_reject why, sy_span source, const char *detail)
{
    rig *r = ctx;
    (void)source;
    pthread_mutex_lock(&r->lock);
    if (t == SY_TRANSPORT_HJ212)
        r->rejected[why]++;
    snprintf(r->detail, sizeof r->detail, "%s", detail);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static rig *start(bool strict)
{
    rig *r = calloc(1, sizeof *r);
    sy_fail f = {.text = ""};
    sy_registry *devices;
    pthread_condattr_t clock;
    r->intake = (sy_intake){.ctx = r,
                            .submit = submit,
                            .wait_synced = wait_synced,
                            .strict = strict,
                            .rejected = rejected,
                            .synced = synced};
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &clock);
    pthread_condattr_destroy(&clock);
    assert_int_equal(sy_registry_make(&devices, device_list,
                                      sizeof device_list / sizeof device_list[0], NULL, NULL, &f),
                     SY_OK);
    assert_int_equal(sy_registry_slot_open(&r->devices, devices, &f), SY_OK);
    const char *const listen[] = {"127.0.0.1:0"};
    if (sy_hj212_start(&r->server, listen, 1, &r->intake, r->devices, &f) != SY_OK)
        fail_msg("%s", f.text);
    return r;
}

static void stop(rig *r)
{
    sy_hj212_stop(r->server);
    sy_registry_slot_close(r->devices);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static char ahead_of[1024][8192]; /* by descriptor */
static size_t n_ahead_of[1024];

static int dial(const rig *r)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 65536;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(sy_hj212_port(r->server, 0))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    n_ahead_of[fd] = 0;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        assert_true(sent > 0);
        text += sent;
        n -= (size_t)sent;
    }
}

/* A frame with a right length and CRC. */
static size_t frame(char out[1200], const char *segment)
{
    return (size_t)snprintf(out, 1200, "##%04zu%s%04X\r\n", strlen(segment), segment,
                            sy_hj212_crc(sy_span_of(segment)));
}

static void say_frame(int fd, const char *segment)
{
    char text[1200];
    say(fd, text, frame(text, segment));
}

/* One line, without its end; "" where the connection ended; NULL where nothing came in time. What
 * was read behind it waits in `ahead`, of one connection at a time. */
static const char *hear_more(int fd, char out[512], int wait_ms, char ahead[8192], size_t *n_ahead)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (;;) {
        char *end = memmem(ahead, *n_ahead, "\r\n", 2);
        if (end) {
            size_t n = (size_t)(end - ahead);
            snprintf(out, 512, "%.*s", (int)n, ahead);
            *n_ahead -= n + 2;
            memmove(ahead, end + 2, *n_ahead);
            return out;
        }
        if (poll(&p, 1, wait_ms) <= 0)
            return NULL;
        ssize_t got = recv(fd, ahead + *n_ahead, 8192 - *n_ahead, 0);
        if (got <= 0) {
            out[0] = '\0';
            return out;
        }
        *n_ahead += (size_t)got;
    }
}

static const char *hear(int fd, char out[512], int wait_ms)
{
    return hear_more(fd, out, wait_ms, ahead_of[fd], &n_ahead_of[fd]);
}

static void expect_answer(int fd, const char *segment)
{
    char want[1200], got[512];
    size_t n = frame(want, segment);
    want[n - 2] = '\0';
    const char *line = hear(fd, got, WAIT_MS);
    assert_non_null(line);
    assert_string_equal(line, want);
}

static void wait_for(rig *r, const size_t *count, size_t n)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_MS / 1000;
    int rc = 0;
    pthread_mutex_lock(&r->lock);
    while (*count < n && rc == 0)
        rc = pthread_cond_timedwait(&r->changed, &r->lock, &until);
    size_t have = *count;
    pthread_mutex_unlock(&r->lock);
    assert_true(have >= n);
}

#define WAT     "ST=21;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&"
#define OLD     "ST=32;CN=2011;PW=123456;MN=88888880000001;Flag=1;CP=&&"
#define WAT_ACK "ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&"

static void is_kept_then_acknowledged(void **state)
{
    (void)state;
    rig *r = start(false);
    int fd = dial(r);
    say_frame(fd, "QN=20160801085857223;" WAT "DataTime=20160801085857;w01018-Rtd=63.0&&");
    expect_answer(fd, "QN=20160801085857223;" WAT_ACK);
    assert_int_equal(r->n_kept, 1);
    assert_string_equal(r->kept[0].source, "wat-1");
    assert_int_equal(r->kept[0].flags, SY_MSG_PROMISE | SY_MSG_UNAUTHENTICATED);
    assert_memory_equal(r->kept[0].payload + r->kept[0].n_payload - 6, "&&", 2); /* no line end */
    /* The edition of 2005 names the request inside CP; its PW was looked at. */
    int old = dial(r);
    say_frame(old, "QN=20040516010101001;" OLD "DataTime=20040516021000;B01-Rtd=10.0&&");
    expect_answer(old, "QN=20040516010101001;ST=91;CN=9014;PW=123456;MN=88888880000001;Flag=0;"
                       "CP=&&QN=20040516010101001;CN=2011&&");
    assert_int_equal(r->kept[1].flags, SY_MSG_PROMISE);
    assert_int_equal(sy_hj212_connections(r->server), 2);
    /* The request to set the clock is a notice; version 2 of Flag stays. */
    say_frame(fd, "QN=20160801085857224;ST=21;CN=1013;PW=1;MN=010000A8900016F000169DC0;Flag=9;"
                  "CP=&&PolId=w01018&&");
    expect_answer(fd, "QN=20160801085857224;ST=91;CN=9013;PW=1;MN=010000A8900016F000169DC0;Flag=8;"
                      "CP=&&&&");
    /* An answer, and what wants none, are kept and not answered. */
    say_frame(fd, "QN=1;ST=91;CN=9014;MN=010000A8900016F000169DC0;Flag=5;CP=&&&&");
    say_frame(fd, "QN=2;ST=21;CN=2011;MN=010000A8900016F000169DC0;Flag=4;CP=&&a-Rtd=1&&");
    say_frame(fd, "QN=3;" WAT "a-Rtd=1&&");
    expect_answer(fd, "QN=3;" WAT_ACK);
    assert_int_equal(r->n_kept, 6);
    close(fd);
    close(old);
    stop(r);
}

static void takes_any_segments(void **state)
{
    (void)state;
    rig *r = start(false);
    int fd = dial(r);
    char text[1200], two[2400];
    size_t n = frame(text, "QN=1;" WAT "a-Rtd=1&&");
    for (size_t i = 0; i < n; i++)
        say(fd, text + i, 1); /* each its own segment: TCP_NODELAY does not matter on loopback */
    expect_answer(fd, "QN=1;" WAT_ACK);
    memcpy(two, "http://example.org # ##12\r\n", 27);
    n = 27 + frame(two + 27, "QN=2;" WAT "a-Rtd=2&&");
    n += frame(two + n, "QN=3;" WAT "a-Rtd=3&&");
    say(fd, two, n);
    expect_answer(fd, "QN=2;" WAT_ACK);
    expect_answer(fd, "QN=3;" WAT_ACK);
    /* A frame that was cut off, and the next one behind it. */
    say(fd, "##0200QN=4;ST=21;CN=20", 22);
    say_frame(fd, "QN=5;" WAT "a-Rtd=5&&");
    expect_answer(fd, "QN=5;" WAT_ACK);
    assert_int_equal(r->n_kept, 4);
    close(fd);
    stop(r);
}

static void forgives_length_and_crc(void **state)
{
    (void)state;
    rig *r = start(false);
    int fd = dial(r);
    char text[1200];
    static const char segment[] = "QN=1;" WAT "a-Rtd=1&&";
    uint16_t crc = sy_hj212_crc(sy_span_of(segment));
    say(fd, text,
        (size_t)snprintf(text, sizeof text, "##%04zu%s%04x\r\n", sizeof segment - 1, segment, crc));
    expect_answer(fd, "QN=1;" WAT_ACK);
    say(fd, text,
        (size_t)snprintf(text, sizeof text, "##%04zu%s;%04X\r\n", sizeof segment - 1, segment,
                         sy_hj212_crc(sy_span_of("QN=1;" WAT "a-Rtd=1&&;"))));
    expect_answer(fd, "QN=1;" WAT_ACK);
    say(fd, text,
        (size_t)snprintf(text, sizeof text, "##%04zu%sBEEF\r\n", sizeof segment - 1, segment));
    expect_answer(fd, "QN=1;" WAT_ACK);
    assert_int_equal(r->n_kept, 3); /* three texts: none is another's repetition */
    close(fd);
    stop(r);
}

static void sent_again_is_kept_once(void **state)
{
    (void)state;
    rig *r = start(false);
    int fd = dial(r);
    for (int i = 0; i < 3; i++) {
        say_frame(fd, "QN=1;" WAT "DataTime=20160801085857;a-Rtd=1&&");
        expect_answer(fd, "QN=1;" WAT_ACK);
    }
    close(fd);
    fd = dial(r); /* another connection: the identity is the device's */
    say_frame(fd, "QN=1;" WAT "DataTime=20160801085857;a-Rtd=1&&");
    expect_answer(fd, "QN=1;" WAT_ACK);
    assert_int_equal(r->n_kept, 1);
    /* Without QN by its DataTime; without either nothing tells them apart from two that are. */
    for (int i = 0; i < 2; i++) {
        say_frame(fd, WAT "DataTime=20160801085857;a-Rtd=1&&");
        expect_answer(fd, WAT_ACK);
    }
    assert_int_equal(r->n_kept, 2);
    for (int i = 0; i < 2; i++) {
        say_frame(fd, WAT "a-Rtd=1&&");
        expect_answer(fd, WAT_ACK);
    }
    assert_int_equal(r->n_kept, 4);
    /* The packets of one message have one QN. */
    for (int i = 1; i <= 2; i++) {
        char packet[300];
        snprintf(packet, sizeof packet,
                 "QN=7;ST=21;CN=2011;PW=1;MN=010000A8900016F000169DC0;Flag=7;PNUM=2;PNO=%d;"
                 "CP=&&a-Rtd=1&&",
                 i);
        say_frame(fd, packet);
        expect_answer(fd, "QN=7;ST=91;CN=9014;PW=1;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&");
    }
    assert_int_equal(r->n_kept, 6);
    close(fd);
    stop(r);
}

static void refuses_who_may_not(void **state)
{
    (void)state;
    rig *r = start(false);
    int fd = dial(r);
    size_t *not_allowed = &r->rejected[SY_REJECT_NOT_ALLOWED];
    say_frame(fd, "QN=1;ST=21;CN=2011;MN=nobody;Flag=5;CP=&&a-Rtd=1&&");
    wait_for(r, &r->rejected[SY_REJECT_UNKNOWN_DEVICE], 1);
    say_frame(fd, "QN=1;ST=21;CN=2011;MN=mqtt-1;Flag=5;CP=&&a-Rtd=1&&");
    say_frame(fd, "QN=1;ST=21;CN=2011;Flag=5;CP=&&a-Rtd=1&&");
    wait_for(r, &r->rejected[SY_REJECT_UNKNOWN_DEVICE], 3);
    say_frame(fd, "QN=1;ST=21;CN=2011;MN=far;Flag=5;CP=&&a-Rtd=1&&");
    wait_for(r, not_allowed, 1);
    assert_string_equal(r->detail, "this device may not send from this address");
    say_frame(fd, "QN=1;ST=21;CN=2011;MN=gone;Flag=5;CP=&&a-Rtd=1&&");
    wait_for(r, not_allowed, 2);
    assert_string_equal(r->detail, "this device was revoked");
    say_frame(fd, "QN=1;ST=21;CN=2011;PW=12345;MN=88888880000001;Flag=5;CP=&&a-Rtd=1&&");
    say_frame(fd, "QN=1;ST=21;CN=2011;MN=88888880000001;Flag=5;CP=&&a-Rtd=1&&");
    wait_for(r, not_allowed, 4);
    assert_string_equal(r->detail, "its PW is not that of the configuration");
    say_frame(fd, "QN=1;" WAT "a-Rtd=1&&");
    expect_answer(fd, "QN=1;" WAT_ACK); /* the first answer of all */
    say_frame(fd, "QN=1;" OLD "a-Rtd=1&&");
    wait_for(r, not_allowed, 5);
    assert_string_equal(r->detail, "the connection is that of another device");
    say_frame(fd, "QN=2;" WAT "a-Rtd=1&&");
    expect_answer(fd, "QN=2;" WAT_ACK);
    assert_int_equal(r->n_kept, 2);
    for (int i = 0; i < SY_HJ212__REFUSED; i++)
        say_frame(fd, "QN=1;ST=21;CN=2011;MN=nobody;Flag=5;CP=&&a-Rtd=1&&");
    char line[512];
    assert_string_equal(hear(fd, line, WAIT_MS), ""); /* cut off */
    close(fd);
    stop(r);
}

static void junk_ends_a_connection(void **state)
{
    (void)state;
    rig *r = start(false);
    int fd = dial(r);
    char line[512], junk[4096];
    for (size_t i = 0; i < sizeof junk; i += 8)
        memcpy(junk + i, "##0004##", 8);
    for (size_t sent = 0; sent < 4 * SY_HJ212__JUNK; sent += sizeof junk)
        if (send(fd, junk, sizeof junk, MSG_NOSIGNAL) < 0)
            break;
    assert_string_equal(hear(fd, line, WAIT_MS), "");
    close(fd);
    stop(r);
}

static void what_cannot_be_kept_is_not_acknowledged(void **state)
{
    (void)state;
    rig *r = start(false);
    char line[512];
    int fd = dial(r);
    r->answer = SY_E_FULL;
    say_frame(fd, "QN=1;" WAT "a-Rtd=1&&");
    wait_for(r, &r->submits, 2); /* it is tried again */
    assert_null(hear(fd, line, 0));
    pthread_mutex_lock(&r->lock);
    r->answer = SY_OK;
    pthread_mutex_unlock(&r->lock);
    expect_answer(fd, "QN=1;" WAT_ACK);
    close(fd);
    stop(r);
}

static void strict_waits_for_the_sync(void **state)
{
    (void)state;
    rig *r = start(true);
    char line[512];
    int fd = dial(r);
    r->sync = SY_E_IO;
    say_frame(fd, "QN=1;" WAT "a-Rtd=1&&");
    wait_for(r, &r->n_kept, 1);
    assert_null(hear(fd, line, 50));
    pthread_mutex_lock(&r->lock);
    r->sync = SY_OK;
    pthread_mutex_unlock(&r->lock);
    say_frame(fd, "QN=1;" WAT "a-Rtd=1&&"); /* the device sends again */
    expect_answer(fd, "QN=1;" WAT_ACK);
    assert_int_equal(r->n_kept, 1);
    assert_true(r->waits >= 2);
    close(fd);
    stop(r);
}

static void *flood(void *arg)
{
    int fd = *(int *)arg;
    char text[1200];
    size_t n = frame(text, "ST=21;CN=2011;MN=010000A8900016F000169DC0;Flag=4;CP=&&a-Rtd=1&&");
    while (send(fd, text, n, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

static void a_flood_does_not_hold_up_the_others(void **state)
{
    (void)state;
    rig *r = start(false);
    int bad = dial(r), good = dial(r);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, flood, &bad), 0);
    wait_for(r, &r->n_kept, SY_HJ212__SECOND / 100); /* the flood is under way */
    for (int i = 0; i < 20; i++) {
        char qn[128];
        snprintf(qn, sizeof qn, "QN=%d;" OLD "a-Rtd=1&&", i);
        sy_ms before = sy_mono_ms();
        say_frame(good, qn);
        snprintf(qn, sizeof qn, "QN=%d;ST=91;CN=9014", i);
        char line[512];
        assert_non_null(hear(good, line, WAIT_MS));
        assert_memory_equal(line + 6, qn, strlen(qn));
        assert_true(sy_mono_ms() - before < 2000);
    }
    /* What one may send in a second, and in the one that began meanwhile. */
    shutdown(bad, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(bad);
    close(good);
    stop(r);
}

enum { MANY = 3000 };

static void *say_many(void *arg)
{
    char text[1200], segment[200];
    for (int i = 0; i < MANY; i++) {
        snprintf(segment, sizeof segment, "QN=%d;" WAT "a-Rtd=1&&", i);
        say(*(int *)arg, text, frame(text, segment));
    }
    return NULL;
}

/* How many were submitted, once none has been for a fifth of a second. */
static size_t submits_at_rest(rig *r)
{
    pthread_mutex_lock(&r->lock);
    for (int rc = 0; rc == 0;) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 200000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        rc = pthread_cond_timedwait(&r->changed, &r->lock, &until);
    }
    size_t n = r->submits;
    pthread_mutex_unlock(&r->lock);
    return n;
}

static void who_does_not_read_is_not_read(void **state)
{
    (void)state;
    rig *r = start(false);
    int fd = dial(r);
    pthread_t thread;
    char line[512];
    assert_int_equal(pthread_create(&thread, NULL, say_many, &fd), 0);
    /* Until it takes no more: its answers fill what the two sides hold of them. */
    wait_for(r, &r->submits, 30);
    assert_true(submits_at_rest(r) < MANY);
    for (int heard = 0; heard < MANY; heard++) {
        char want[64];
        snprintf(want, sizeof want, "QN=%d;", heard);
        assert_non_null(hear(fd, line, WAIT_MS));
        assert_memory_equal(line + 6, want, strlen(want)); /* each, in order */
    }
    pthread_join(thread, NULL);
    assert_int_equal(r->n_kept, MANY);
    close(fd);
    stop(r);
}

static void a_line_of_answer_fits(void **state)
{
    (void)state;
    char segment[600], text[1200], out[SY_HJ212__ANSWER], ident[64];
    char longer[101];
    sy_hj212_frame f;
    size_t skip;
    memset(longer, 'x', 100);
    longer[100] = '\0';
    snprintf(segment, sizeof segment, "QN=%s;ST=21;CN=%s;PW=%s;MN=%s;Flag=1;CP=&&a-Rtd=1&&", longer,
             longer, longer, longer);
    sy_span bytes = {text, frame(text, segment)};
    assert_int_equal(sy_hj212_next(bytes, &f, &skip), SY_OK);
    size_t n = sy_hj212__answer(&f, out);
    assert_true(n > 0 && n < SY_HJ212__ANSWER);
    assert_memory_equal(out + n - 2, "\r\n", 2);
    assert_true(sy_hj212__ident(&f, ident) <= 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_kept_then_acknowledged),
        cmocka_unit_test(takes_any_segments),
        cmocka_unit_test(forgives_length_and_crc),
        cmocka_unit_test(sent_again_is_kept_once),
        cmocka_unit_test(refuses_who_may_not),
        cmocka_unit_test(junk_ends_a_connection),
        cmocka_unit_test(what_cannot_be_kept_is_not_acknowledged),
        cmocka_unit_test(strict_waits_for_the_sync),
        cmocka_unit_test(a_flood_does_not_hold_up_the_others),
        cmocka_unit_test(who_does_not_read_is_not_read),
        cmocka_unit_test(a_line_of_answer_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
