/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The managed broker: who gets in, who may write what, what happens when it or the gateway dies.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mqtt_rig.h"

static const char *const loopback[] = {"127.0.0.1:0"};

typedef struct house {
    rig r;
    sy_registry *devices;
    sy_broker *b;
    sy_mqtt *m;
    uint16_t port;
} house;

static sy_broker *start_broker(rig *r, const sy_registry *devices, bool replay)
{
    sy_broker_options o = {.dir = r->dir,
                           .listen = loopback,
                           .n_listen = 1,
                           .max_payload = 1000,
                           .replay_user = replay,
                           .intake = &r->intake};
    sy_broker *b = NULL;
    sy_fail f = {0};
    if (sy_broker_start(&b, &o, devices, &f)) {
        fail_msg("%s", f.text);
    }
    return b;
}

static sy_mqtt *start_client(house *h)
{
    sy_mqtt_options o = {.uri = sy_broker_uri(h->b),
                         .client_id = "gateway",
                         .user = sy_broker_user(h->b),
                         .password = sy_broker_password(h->b),
                         .managed = true,
                         .broker = h->b,
                         .replay = true,
                         .max_payload = 1000};
    sy_mqtt *m = NULL;
    sy_fail f = {0};
    if (sy_mqtt_start(&m, &o, &h->r.intake, h->r.slot, &f)) {
        fail_msg("%s", f.text);
    }
    assert_true(sy_mqtt_wait_ready(m, RIG_WAIT_MS));
    return m;
}

static void set_credential(house *h, const char *id, const char *password)
{
    sy_fail f = {0};
    if (sy_broker_credential(h->r.dir, id, password, &f)) {
        fail_msg("%s", f.text);
    }
}

static int setup(void **state)
{
    house *h = calloc(1, sizeof *h);
    rig_init(&h->r);
    set_credential(h, "a", "pa");
    set_credential(h, "b", "pb");
    char old[2][256];
    snprintf(old[0], sizeof old[0], "%s/acl", h->r.dir);
    snprintf(old[1], sizeof old[1], "%s/mosquitto.passwd", h->r.dir);
    for (int i = 0; i < 2; i++) { /* of an earlier version */
        assert_int_equal(sy_file_write(old[i], sy_span_of("a:$7$"), 0600, NULL), SY_OK);
    }
    h->devices = rig_devices("ab");
    assert_int_equal(sy_registry_slot_open(&h->r.slot, sy_registry_ref(h->devices), NULL), SY_OK);
    h->b = start_broker(&h->r, h->devices, true);
    assert_int_equal(access(old[0], F_OK), -1);
    assert_int_equal(access(old[1], F_OK), -1);
    h->port = sy_broker_port(h->b, 0);
    h->m = start_client(h);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    house *h = *state;
    sy_mqtt_stop(h->m);
    sy_broker_stop(h->b);
    sy_registry_unref(h->devices);
    rig_fini(&h->r);
    free(h);
    return 0;
}

static void a_device_speaks_for_itself_only(void **state)
{
    house *h = *state;
    static const char *const qos0[] = {"-q", "0", NULL};
    /* No acknowledgement, and the connection is closed. */
    assert_int_not_equal(rig_publish(h->port, "a", "pa", "t/b", "stolen", NULL), 0);
    assert_int_not_equal(rig_publish(h->port, "a", "pa", SY_MQTT_MARKER, "7", NULL), 0);
    assert_int_not_equal(rig_publish(h->port, "a", "pa", "t/a/x", "below", NULL), 0);
    assert_int_not_equal(rig_publish(h->port, "a", "pa", "$", "spooled", NULL), 0);
    (void)rig_publish(h->port, "a", "pa", "t/b", "stolen", qos0);
    RIG_WAIT(rig_rejected(&h->r, SY_REJECT_NOT_ALLOWED) == 4);
    assert_int_equal(rig_publish(h->port, "a", "pa", "t/a", "own", NULL), 0);
    RIG_WAIT(rig_count(&h->r) >= 1);
    rig_message m = rig_get(&h->r, 0);
    assert_string_equal(m.payload, "own");
    assert_string_equal(m.source, "t/a");
    assert_int_equal(m.flags, SY_MSG_PROMISE | SY_MSG_SPOOLED);
    assert_int_equal(m.n_ident, 8);
    assert_int_equal(rig_marker(&h->r), 0);
}

static void a_wrong_or_missing_password_is_refused_and_counted(void **state)
{
    house *h = *state;
    const char *anonymous[] = {"mosquitto_pub", "-h", "127.0.0.1", "-p",      NULL, "-t",
                               "t/a",           "-m", "x",         "--quiet", NULL};
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)h->port);
    anonymous[4] = port;
    assert_int_not_equal(rig_publish(h->port, "a", "pb", "t/a", "x", NULL), 0);
    assert_int_not_equal(rig_publish(h->port, "nobody", "pa", "t/a", "x", NULL), 0);
    assert_int_not_equal(rig_run(anonymous), 0);
    RIG_WAIT(rig_rejected(&h->r, SY_REJECT_NOT_ALLOWED) >= 3);
    assert_int_equal(rig_count(&h->r), 0);
}

static void a_device_reads_nothing(void **state)
{
    house *h = *state;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)h->port);
    /* A retained message would come at once, were the subscription good for anything. */
    const char *const retained[] = {"-r", NULL};
    assert_int_equal(rig_publish(h->port, "b", "pb", "t/b", "kept", retained), 0);
    const char *const sub[] = {"mosquitto_sub",
                               "-h",
                               "127.0.0.1",
                               "-p",
                               port,
                               "-u",
                               "a",
                               "-P",
                               "pa",
                               "-t",
                               "#",
                               "-C",
                               "1",
                               "-W",
                               "1",
                               NULL};
    assert_int_equal(rig_run(sub), 27); /* timed out */
}

static void credentials_come_and_go_without_a_restart(void **state)
{
    house *h = *state;
    long pid = sy_broker_pid(h->b);
    sy_registry *more = rig_devices("abc");
    assert_int_not_equal(rig_publish(h->port, "c", "pc", "t/c", "early", NULL), 0);
    set_credential(h, "c", "pc");
    assert_true(sy_broker_has_credential(h->r.dir, "c"));
    sy_registry_slot_set(h->r.slot, sy_registry_ref(more));
    assert_int_equal(sy_broker_reload(h->b, more, NULL), SY_OK);
    sy_mqtt_reload(h->m);
    RIG_WAIT(sy_mqtt_wait_ready(h->m, 100) &&
             rig_publish(h->port, "c", "pc", "t/c", "late", NULL) == 0 && rig_count(&h->r) > 0);
    assert_string_equal(rig_get(&h->r, 0).source, "t/c");

    set_credential(h, "c", NULL); /* the broker sees it without being told */
    assert_false(sy_broker_has_credential(h->r.dir, "c"));
    assert_int_equal(sy_broker_credential(h->r.dir, "c", NULL, NULL), SY_E_NOTFOUND);
    RIG_WAIT(rig_publish(h->port, "c", "pc", "t/c", "gone", NULL) != 0);
    assert_int_equal(rig_publish(h->port, "a", "pa", "t/a", "still", NULL), 0);
    assert_int_equal(sy_broker_pid(h->b), pid);
    sy_registry_unref(more);
}

/* A device that logs in (MQTT 3.1.1, section 3.1) and stays: its socket. */
static int connect_device(house *h, const char *id, const char *password)
{
    unsigned char out[100] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 0xc2}, in[4];
    size_t n = 12; /* keep-alive 0 */
    const char *const texts[] = {id, id, password};
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(texts[i]);
        out[n + 1] = (unsigned char)length;
        memcpy(out + n + 2, texts[i], length);
        n += 2 + length;
    }
    out[1] = (unsigned char)(n - 2);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(h->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(write(fd, out, n), n);
    assert_int_equal(recv(fd, in, 4, MSG_WAITALL), 4);
    assert_int_equal(in[3], 0);
    return fd;
}

static bool cut_off(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void who_may_no_longer_log_in_is_cut_off(void **state)
{
    house *h = *state;
    int a = connect_device(h, "a", "pa"), b = connect_device(h, "b", "pb");
    set_credential(h, "a", NULL);
    RIG_WAIT(cut_off(a));
    assert_int_not_equal(rig_publish(h->port, "a", "pa", "t/a", "x", NULL), 0);
    /* Others stay, as does the gateway; a new password ends what the old one began. */
    assert_false(cut_off(b));
    assert_true(sy_mqtt_connected(h->m));
    set_credential(h, "b", "new");
    RIG_WAIT(cut_off(b));
    close(a);
    close(b);
    assert_int_not_equal(rig_publish(h->port, "b", "pb", "t/b", "x", NULL), 0);
    assert_int_equal(rig_publish(h->port, "b", "new", "t/b", "x", NULL), 0);
}

static void what_is_too_large_is_counted(void **state)
{
    house *h = *state;
    static char text[100001];
    memset(text, 'x', sizeof text - 1);
    assert_int_not_equal(rig_publish(h->port, "a", "pa", "t/a", text, NULL), 0);
    RIG_WAIT(rig_rejected(&h->r, SY_REJECT_TOO_LARGE) == 1);
    text[1001] = '\0';
    assert_int_equal(rig_publish(h->port, "a", "pa", "t/a", text, NULL), 0);
    RIG_WAIT(rig_rejected(&h->r, SY_REJECT_TOO_LARGE) == 2);
    text[1000] = '\0';
    assert_int_equal(rig_publish(h->port, "a", "pa", "t/a", text, NULL), 0);
    RIG_WAIT(rig_count(&h->r) == 1);
    assert_int_equal(rig_get(&h->r, 0).n_payload, 1000);
}

static void a_killed_broker_is_started_again(void **state)
{
    house *h = *state;
    long pid = sy_broker_pid(h->b);
    char saved[96];
    snprintf(saved, sizeof saved, "%s/sessions.db", h->r.dir);
    RIG_WAIT(access(saved, F_OK) == 0); /* as soon as the session is there, not at the autosave */
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    RIG_WAIT(sy_broker_restarts(h->b) == 1 && sy_broker_pid(h->b) > 0);
    assert_true(sy_broker_pid(h->b) != pid);
    /* Also what is published before the gateway is back: its session is known. */
    RIG_WAIT(rig_publish(h->port, "a", "pa", "t/a", "again", NULL) == 0);
    RIG_WAIT(rig_count(&h->r) >= 1);
    assert_string_equal(rig_get(&h->r, 0).payload, "again");
    assert_true(sy_mqtt_wait_ready(h->m, RIG_WAIT_MS));
    assert_true(sy_mqtt_connected(h->m));
}

static void a_broker_that_keeps_ending_is_told_until_it_holds(void **state)
{
    house *h = *state;
    sy_mqtt_stop(h->m);
    sy_broker_stop(h->b);
    sy_broker_options o = {.dir = h->r.dir,
                           .listen = loopback,
                           .n_listen = 1,
                           .max_payload = 1000,
                           .intake = &h->r.intake,
                           .stable_ms = 1500};
    assert_int_equal(sy_broker_start(&h->b, &o, h->devices, NULL), SY_OK);
    assert_false(sy_broker_failing(h->b) || sy_broker_holds(h->b));
    for (uint64_t i = 0; i < 3; i++) {
        long pid = sy_broker_pid(h->b);
        assert_false(sy_broker_failing(h->b));
        assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
        RIG_WAIT(sy_broker_restarts(h->b) == i + 1 && sy_broker_pid(h->b) > 0);
    }
    assert_true(sy_broker_failing(h->b));
    assert_false(sy_broker_holds(h->b));
    RIG_WAIT(!sy_broker_failing(h->b));
    assert_true(sy_broker_holds(h->b));
    h->port = sy_broker_port(h->b, 0);
    h->m = start_client(h);
}

/* Each in turn is not where it should be: nothing runs without the plugin. */
static void without_the_plugin_it_does_not_start(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    char dir[120], to[160], command[200];
    snprintf(dir, sizeof dir, "%s/alone", r.dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(to, sizeof to, "%s/test_mqtt_broker", dir);
    snprintf(command, sizeof command, "cp /proc/%d/exe %s", (int)getpid(), to);
    assert_int_equal(system(command), 0);
    for (int broken = 0; broken < 2; broken++) {
        int out[2], status = 0;
        char text[500] = "";
        if (broken) { /* there, but no plugin */
            snprintf(command, sizeof command, "echo nonsense > %s/steelyard-mosquitto.so", dir);
            assert_int_equal(system(command), 0);
        }
        assert_int_equal(pipe(out), 0);
        pid_t pid = fork();
        if (pid == 0) {
            dup2(out[1], 1);
            execl(to, to, "--refused", r.dir, (char *)NULL);
            _exit(127);
        }
        close(out[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_true(read(out[0], text, sizeof text - 1) > 0);
        close(out[0]);
        assert_non_null(strstr(text, "plugin"));
        assert_non_null(strstr(text, "install"));
    }
    rig_fini(&r);
}

/* In a process of its own, beside which there is no plugin. Writes the refusal. */
static int be_refused(const char *dir)
{
    sy_registry *devices = rig_devices("a");
    sy_broker_options o = {.dir = dir, .listen = loopback, .n_listen = 1, .max_payload = 1000};
    sy_broker *b = NULL;
    sy_fail f = {0};
    if (sy_broker_start(&b, &o, devices, &f) == SY_OK) {
        sy_broker_stop(b);
        return 1;
    }
    printf("%s\n", f.text);
    sy_registry_unref(devices);
    return 0;
}

static void the_replay_user_speaks_for_all_and_passes_markers(void **state)
{
    house *h = *state;
    char path[96];
    sy_buf password;
    sy_buf_init(&password, sy_heap());
    snprintf(path, sizeof path, "%s/replay.password", h->r.dir);
    assert_int_equal(sy_file_read(path, 100, &password, NULL), SY_OK);
    assert_int_equal(rig_publish(h->port, SY_MQTT_REPLAY_USER, password.p, "t/b", "b", NULL), 0);
    assert_int_equal(
        rig_publish(h->port, SY_MQTT_REPLAY_USER, password.p, SY_MQTT_MARKER, "42", NULL), 0);
    RIG_WAIT(rig_marker(&h->r) == 42);
    assert_int_equal(rig_count(&h->r), 1);
    sy_buf_fini(&password);
}

static void what_cannot_be_a_device_is_refused(void **state)
{
    house *h = *state;
    static const struct {
        const char *id, *topic;
    } bad[] = {{"@gateway", "t"}, {"a:b", "t"},   {"a\nuser x", "t"},  {"x", "t/+"},
               {"x", "#"},        {"x", "t/#/u"}, {"x", "t\ntopic #"}, {"x", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sy_device d = {.id = bad[i].id,
                       .transport = SY_TRANSPORT_MQTT,
                       .topic = bad[i].topic,
                       .credential = SY_CRED_PASSWORD};
        sy_registry *r = NULL;
        if (sy_registry_make(&r, &d, 1, NULL, NULL, NULL) == SY_OK) {
            assert_int_equal(sy_broker_reload(h->b, r, NULL), SY_E_USAGE);
            sy_registry_unref(r);
        }
    }
}

/* The port belongs to somebody: said at once, and why. */
static void a_taken_port_is_told(void **state)
{
    house *h = *state;
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", (unsigned)h->port);
    const char *listens[] = {listen};
    rig other;
    rig_init(&other);
    sy_broker_options o = {.dir = other.dir, .listen = listens, .n_listen = 1, .max_payload = 1000};
    sy_broker *b = NULL;
    sy_fail f = {0};
    assert_int_equal(sy_broker_start(&b, &o, h->devices, &f), SY_E_IO);
    assert_non_null(strstr(f.text, "in use"));
    rig_fini(&other);
}

static void make_certificate(const char *key, const char *cert)
{
    const char *argv[] = {"openssl",
                          "req",
                          "-x509",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:P-256",
                          "-nodes",
                          "-keyout",
                          key,
                          "-out",
                          cert,
                          "-days",
                          "2",
                          "-subj",
                          "/CN=localhost",
                          "-addext",
                          "subjectAltName=DNS:localhost",
                          NULL};
    assert_int_equal(rig_run_quietly(argv), 0);
}

/* Devices come in by TLS; the box itself by a plain port of its own on loopback. The same client
 * takes TLS where the broker is somebody else's. */
static void devices_come_in_by_tls(void **state)
{
    (void)state;
    house h = {0};
    char key[96], cert[96], uri[64];
    rig_init(&h.r);
    snprintf(key, sizeof key, "%s/key.pem", h.r.dir);
    snprintf(cert, sizeof cert, "%s/cert.pem", h.r.dir);
    make_certificate(key, cert);
    set_credential(&h, "a", "pa");
    h.devices = rig_devices("a");
    assert_int_equal(sy_registry_slot_open(&h.r.slot, sy_registry_ref(h.devices), NULL), SY_OK);
    sy_broker_options o = {.dir = h.r.dir,
                           .listen = loopback,
                           .n_listen = 1,
                           .cert = cert,
                           .key = key,
                           .max_payload = 1000};
    sy_fail f = {0};
    if (sy_broker_start(&h.b, &o, h.devices, &f)) {
        fail_msg("%s", f.text);
    }
    h.port = sy_broker_port(h.b, 0);
    h.m = start_client(&h);
    const char *const plain[] = {NULL}, *const tls[] = {"-h", "localhost", "--cafile", cert, NULL};
    const char *const tls0[] = {"-h", "localhost", "--cafile", cert, "-q", "0", NULL};
    assert_int_not_equal(rig_publish(h.port, "a", "pa", "t/a", "plain", plain), 0);
    assert_int_equal(rig_publish(h.port, "a", "pa", "t/a", "tls", tls), 0);
    RIG_WAIT(rig_count(&h.r) == 1);
    assert_string_equal(rig_get(&h.r, 0).payload, "tls");
    sy_mqtt_stop(h.m);

    snprintf(uri, sizeof uri, "ssl://localhost:%u", (unsigned)h.port);
    sy_mqtt_options remote = {.uri = uri,
                              .client_id = "remote",
                              .user = sy_broker_user(h.b),
                              .password = sy_broker_password(h.b),
                              .ca = cert,
                              .max_payload = 1000};
    assert_int_equal(sy_mqtt_start(&h.m, &remote, &h.r.intake, h.r.slot, NULL), SY_OK);
    assert_true(sy_mqtt_wait_ready(h.m, RIG_WAIT_MS));
    /* QoS 0: it comes by the subscription. */
    assert_int_equal(rig_publish(h.port, "a", "pa", "t/a", "again", tls0), 0);
    RIG_WAIT(rig_count(&h.r) == 2);
    sy_mqtt_stop(h.m);
    /* Without the authority that signed it, nothing is trusted. */
    remote.ca = NULL;
    assert_int_equal(sy_mqtt_start(&h.m, &remote, &h.r.intake, h.r.slot, NULL), SY_OK);
    assert_false(sy_mqtt_wait_ready(h.m, 1000));
    sy_mqtt_stop(h.m);
    sy_broker_stop(h.b);
    sy_registry_unref(h.devices);
    rig_fini(&h.r);
}

/* In a process of its own: a gateway that is killed. Writes the broker's pid and waits. */
static int be_a_gateway(const char *dir)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
    sy_registry *devices = rig_devices("ab");
    sy_broker_options o = {.dir = dir, .listen = loopback, .n_listen = 1, .max_payload = 1000};
    sy_broker *b = NULL;
    if (sy_broker_start(&b, &o, devices, NULL)) {
        return 1;
    }
    printf("%ld\n", sy_broker_pid(b));
    fflush(stdout);
    for (;;) {
        pause();
    }
}

/* Gone, or a zombie where nobody reaps orphans. */
static bool alive(long pid)
{
    char path[40], state = 'Z';
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *in = fopen(path, "r");
    if (in) {
        (void)!fscanf(in, "%*d %*s %c", &state);
        fclose(in);
    }
    return state != 'Z' && state != 'X';
}

static void killed_gateway(bool deaf)
{
    rig r;
    rig_init(&r);
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        execl("/proc/self/exe", "test_mqtt_broker", "--gateway", r.dir, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *in = fdopen(out[0], "r");
    long broker = 0;
    assert_int_equal(fscanf(in, "%ld", &broker), 1);
    fclose(in);
    assert_true(broker > 1 && alive(broker));
    if (deaf) {
        kill((pid_t)broker, SIGSTOP); /* no SIGTERM reaches it */
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    /* The next one waits until the old one has saved and gone. */
    sy_registry *devices = rig_devices("ab");
    sy_broker *b = start_broker(&r, devices, false);
    assert_false(alive(broker));
    sy_broker_stop(b);
    sy_registry_unref(devices);
    rig_fini(&r);
}

static void the_broker_dies_with_the_gateway(void **state)
{
    (void)state;
    killed_gateway(false);
}

static void a_broker_that_outlives_its_gateway_is_ended(void **state)
{
    (void)state;
    killed_gateway(true);
}

#define WITH_HOUSE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--refused") == 0) {
        return be_refused(argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "--gateway") == 0) {
        return be_a_gateway(argv[2]);
    }
    const struct CMUnitTest tests[] = {
        WITH_HOUSE(a_device_speaks_for_itself_only),
        WITH_HOUSE(a_wrong_or_missing_password_is_refused_and_counted),
        WITH_HOUSE(a_device_reads_nothing),
        WITH_HOUSE(credentials_come_and_go_without_a_restart),
        WITH_HOUSE(who_may_no_longer_log_in_is_cut_off),
        WITH_HOUSE(what_is_too_large_is_counted),
        WITH_HOUSE(a_killed_broker_is_started_again),
        WITH_HOUSE(a_broker_that_keeps_ending_is_told_until_it_holds),
        WITH_HOUSE(the_replay_user_speaks_for_all_and_passes_markers),
        WITH_HOUSE(what_cannot_be_a_device_is_refused),
        WITH_HOUSE(a_taken_port_is_told),
        cmocka_unit_test(devices_come_in_by_tls),
        cmocka_unit_test(without_the_plugin_it_does_not_start),
        cmocka_unit_test(the_broker_dies_with_the_gateway),
        cmocka_unit_test(a_broker_that_outlives_its_gateway_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
