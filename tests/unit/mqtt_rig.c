/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MQTT tests' intake, devices and commands.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mqtt_rig.h"

extern char **environ;

static sy_err submit(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    rig *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->entered++;
    if (r->entered_fd >= 0) {
        (void)!write(r->entered_fd, "x", 1);
    }
    while (r->block && !r->closed) {
        pthread_cond_wait(&r->changed, &r->lock);
    }
    sy_err e = SY_OK;
    if (r->closed) {
        e = sy_fail_set(f, SY_E_CLOSED, "closed");
    } else if (r->failures > 0) {
        r->failures--;
        e = sy_fail_set(f, SY_E_IO, "the disk fails");
    } else if (r->n < RIG_MESSAGES) {
        rig_message *g = &r->got[r->n++];
        g->flags = m->flags;
        g->n_payload = m->payload.n;
        g->n_ident = m->ident.n;
        snprintf(g->source, sizeof g->source, "%.*s", (int)m->source.n, m->source.p);
        snprintf(g->payload, sizeof g->payload, "%.*s", (int)m->payload.n,
                 m->payload.n ? m->payload.p : "");
        memcpy(g->ident, m->ident.p, m->ident.n < sizeof g->ident ? m->ident.n : sizeof g->ident);
    }
    *seq = r->n;
    *kept = e == SY_OK;
    pthread_mutex_unlock(&r->lock);
    return e;
}

static sy_err wait_synced(void *ctx, uint64_t seq, sy_fail *f)
{
    (void)f;
    rig *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->synced = seq;
    pthread_mutex_unlock(&r->lock);
    return SY_OK;
}

static void rejected(void *ctx, sy_transport t, sy_reject why, sy_span source, const char *detail)
{
    (void)t;
    (void)source;
    (void)detail;
    rig *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->rejected[why]++;
    pthread_mutex_unlock(&r->lock);
}

static void marker(void *ctx, uint64_t number)
{
    rig *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->marker = number;
    pthread_mutex_unlock(&r->lock);
}

void rig_init(rig *r)
{
    *r = (rig){.entered_fd = -1};
    r->intake = (sy_intake){.ctx = r,
                            .submit = submit,
                            .wait_synced = wait_synced,
                            .rejected = rejected,
                            .marker = marker};
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    snprintf(r->dir, sizeof r->dir, "/tmp/sy-mqtt-XXXXXX");
    if (!mkdtemp(r->dir)) {
        abort();
    }
}

void rig_fini(rig *r)
{
    const char *argv[] = {"rm", "-rf", r->dir, NULL};
    rig_run(argv);
    if (r->slot) {
        sy_registry_slot_close(r->slot);
    }
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
}

typedef struct owner {
    sy_device devices[26];
    char text[26][2][8];
} owner;

sy_registry *rig_devices(const char *ids)
{
    owner *o = calloc(1, sizeof *o);
    size_t n = 0;
    if (!o) {
        abort();
    }
    for (; ids[n]; n++) {
        snprintf(o->text[n][0], 8, "%c", ids[n]);
        snprintf(o->text[n][1], 8, "t/%c", ids[n]);
        o->devices[n] = (sy_device){.id = o->text[n][0],
                                    .transport = SY_TRANSPORT_MQTT,
                                    .topic = o->text[n][1],
                                    .format = "number",
                                    .credential = SY_CRED_PASSWORD};
    }
    sy_registry *r = NULL;
    if (sy_registry_make(&r, o->devices, n, free, o, NULL)) {
        abort();
    }
    return r;
}

void rig_nap(void)
{
    struct timespec t = {.tv_nsec = 5000000};
    nanosleep(&t, NULL);
}

size_t rig_count(rig *r)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->n;
    pthread_mutex_unlock(&r->lock);
    return n;
}

rig_message rig_get(rig *r, size_t i)
{
    pthread_mutex_lock(&r->lock);
    rig_message m = r->got[i];
    pthread_mutex_unlock(&r->lock);
    return m;
}

uint64_t rig_rejected(rig *r, sy_reject why)
{
    pthread_mutex_lock(&r->lock);
    uint64_t n = r->rejected[why];
    pthread_mutex_unlock(&r->lock);
    return n;
}

size_t rig_entered(rig *r)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->entered;
    pthread_mutex_unlock(&r->lock);
    return n;
}

uint64_t rig_marker(rig *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t n = r->marker;
    pthread_mutex_unlock(&r->lock);
    return n;
}

void rig_set(rig *r, bool *flag, bool value)
{
    pthread_mutex_lock(&r->lock);
    *flag = value;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        abort();
    }
    close(fd);
    return ntohs(a.sin_port);
}

static bool answers(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return yes;
}

void rig_broker_start(rig_broker *b, const rig *r, uint16_t port)
{
    char conf[80];
    snprintf(conf, sizeof conf, "%s/other.conf", r->dir);
    b->port = port ? port : free_port();
    snprintf(b->uri, sizeof b->uri, "tcp://127.0.0.1:%u", (unsigned)b->port);
    FILE *out = fopen(conf, "w");
    struct passwd *me = getpwuid(geteuid());
    if (!out || !me) {
        abort();
    }
    fprintf(out,
            "user %s\nlistener %u 127.0.0.1\nallow_anonymous true\npersistence true\n"
            "persistence_location %s/\nmax_queued_messages 0\nlog_dest none\n",
            me->pw_name, (unsigned)b->port, r->dir);
    fclose(out);
    b->pid = fork();
    if (b->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
        execl("/usr/sbin/mosquitto", "mosquitto", "-c", conf, (char *)NULL);
        _exit(127);
    }
    for (sy_ms end = sy_mono_ms() + RIG_WAIT_MS; !answers(b->port); rig_nap()) {
        if (b->pid < 0 || waitpid(b->pid, NULL, WNOHANG) != 0 || sy_mono_ms() > end) {
            abort();
        }
    }
}

void rig_broker_stop(rig_broker *b)
{
    kill(b->pid, SIGTERM);
    while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int run(const char *const *argv, const posix_spawn_file_actions_t *actions)
{
    pid_t pid;
    if (posix_spawnp(&pid, argv[0], actions, NULL, (char *const *)argv, environ) != 0) {
        return 127;
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int rig_run(const char *const *argv)
{
    return run(argv, NULL);
}

int rig_run_quietly(const char *const *argv)
{
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    int rc = run(argv, &quiet);
    posix_spawn_file_actions_destroy(&quiet);
    return rc;
}

int rig_publish(uint16_t port, const char *id, const char *password, const char *topic,
                const char *payload, const char *const *more)
{
    char number[8];
    snprintf(number, sizeof number, "%u", (unsigned)port);
    const char *argv[40] = {
        "mosquitto_pub", "-h",      "127.0.0.1", "-p",  number, "-u",    id,   "-P",
        password,        "--quiet", "-t",        topic, "-m",   payload, "-q", "1"};
    for (size_t n = 16; more && *more; more++) {
        argv[n++] = *more;
    }
    return rig_run(argv);
}
