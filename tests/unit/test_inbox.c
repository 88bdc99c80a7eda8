/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inbox as a program of its own, the sender against it, over real TLS: each event once,
 * whatever is killed; and what it refuses. This program is its own inbox: "test_inbox inbox …".
 */
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "upstream_rig.h"

int sy_cmd_inbox(int argc, char **argv);

typedef struct box {
    pid_t pid;
    unsigned port, page;
} box;

/* Start it on this port (0: any) and wait until it is ready. */
static box start(const char *dir, unsigned port)
{
    int pipes[2];
    char listen_on[32], fd[8], data[512], line[64] = "";
    snprintf(listen_on, sizeof listen_on, "127.0.0.1:%u", port);
    snprintf(data, sizeof data, "%s", rig_path(dir, "inbox"));
    assert_int_equal(pipe(pipes), 0);
    snprintf(fd, sizeof fd, "%d", pipes[1]);
    char cert[512], key[512], ca[512], crl[512];
    snprintf(crl, sizeof crl, "%s", rig_path(dir, "crl.pem"));
    const bool lists = access(crl, F_OK) == 0;
    snprintf(cert, sizeof cert, "%s", rig_path(dir, "server.pem"));
    snprintf(key, sizeof key, "%s", rig_path(dir, "server.key"));
    snprintf(ca, sizeof ca, "%s", rig_path(dir, "ca.pem"));
    box b = {.pid = fork()};
    if (b.pid == 0) {
        close(pipes[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
        execl("/proc/self/exe", "test_inbox", "inbox", "--listen", listen_on, "--page",
              "127.0.0.1:0", "--cert", cert, "--key", key, "--client-ca", ca, "--data", data,
              "--ready-fd", fd, lists ? "--crl" : (char *)NULL, crl, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    for (size_t n = 0; n < sizeof line - 1 && !strchr(line, '\n');) {
        ssize_t got = read(pipes[0], line + n, sizeof line - 1 - n);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    close(pipes[0]);
    if (sscanf(line, "ready events=%u page=%u", &b.port, &b.page) != 2) {
        fail_msg("the inbox does not start: '%s'", line);
    }
    return b;
}

static int end(const box *b, int signal_number)
{
    int status = 0;
    kill(b->pid, signal_number);
    assert_int_equal(waitpid(b->pid, &status, 0), b->pid);
    return status;
}

static int inbox_teardown(void **state)
{
    static const char *const files[] = {"inbox/inbox.db", "inbox/inbox.db-wal",
                                        "inbox/inbox.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        unlink(rig_path(*state, files[i]));
    }
    rmdir(rig_path(*state, "inbox"));
    return rig_teardown(state);
}

/* GET from the page; the whole answer. Free it. */
static char *get(const box *b, const char *path, const char *fields)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)b->page),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    sy_buf out;
    char bytes[4096];
    sy_fail f;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sy_buf_init(&out, sy_heap());
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    sy_buf_printf(&out, "GET %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", path,
                  fields ? fields : "Host: localhost\r\n");
    assert_int_equal(sy_write_all(fd, out.p, out.n, &f), SY_OK);
    sy_buf_reset(&out);
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) {
        sy_buf_put(&out, bytes, (size_t)n);
    }
    close(fd);
    return out.p ? out.p : strdup("");
}

static json_t *get_json(const box *b, const char *path)
{
    char *answer = get(b, path, NULL);
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200", 12), 0);
    json_t *root = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    free(answer);
    return root;
}

/* One request by hand: the answer's status, its body in note. */
static unsigned post(const box *b, const char *dir, const char *client, const char *type,
                     const char *body, char note[SY_HTTP_NOTE + 1])
{
    char url_text[64], name[64];
    sy_url url;
    sy_fail f;
    sy_tls *tls = NULL;
    sy_http *http = NULL;
    sy_buf request;
    sy_wait w = sy_wait_for(-1, 5000, 0);
    sy_tls_paths files = {.ca = rig_path(dir, "ca.pem")};
    snprintf(name, sizeof name, "%s.pem", client);
    files.cert = rig_path(dir, name);
    snprintf(name, sizeof name, "%s.key", client);
    files.key = rig_path(dir, name);
    snprintf(url_text, sizeof url_text, "https://127.0.0.1:%u/events", b->port);
    assert_int_equal(sy_url_parse(url_text, &url, &f), SY_OK);
    assert_int_equal(sy_tls_open(&tls, &f), SY_OK);
    assert_int_equal(sy_http_open(&http, &f), SY_OK);
    unsigned status = 0;
    sy_buf_init(&request, sy_heap());
    sy_http_post(&request, &url, type, "k", strlen(body));
    sy_buf_text(&request, body);
    if (sy_tls_connect(tls, &url, &files, sy_wall_ms(), &w, &f) == SY_OK) {
        sy_http_state s = SY_HTTP_MORE;
        char bytes[1024];
        size_t got = 1;
        bool sent = sy_tls_write(tls, request.p, request.n, &w, &f) == SY_OK;
        while (s == SY_HTTP_MORE && got > 0 &&
               sy_tls_read(tls, bytes, sizeof bytes, &got, &w, &f) == SY_OK) {
            s = got ? sy_http_feed(http, bytes, got) : sy_http_eof(http);
        }
        status = s == SY_HTTP_DONE ? sy_http_status(http) : sent ? 1 : 2;
        snprintf(note, SY_HTTP_NOTE + 1, "%s", sy_http_note(http));
    }
    sy_buf_fini(&request);
    sy_http_close(http);
    sy_tls_close(tls);
    return status;
}

static const char batch_type[] = "application/cloudevents-batch+json; charset=UTF-8";

static void what_it_answers(void **state)
{
    static const struct {
        const char *type, *body;
        unsigned status;
        const char *note;
    } rows[] = {
        {batch_type, "[]", 200, "{\"stored\":0,\"known\":0}"},
        {batch_type,
         "[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
         "a\",\"type\":\"odd\",\"data\":[1.10]},"
         " {\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/b\",\"type\":\"t\"}]",
         200, "{\"stored\":2,\"known\":0}"},
        {"application/cloudevents+json",
         "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"odd\"}", 200,
         "{\"stored\":0,\"known\":1}"},
        {batch_type,
         "[{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"/a\",\"type\":\"t\"},"
         "{\"specversion\":\"1.0\",\"id\":7,\"source\":\"/a\",\"type\":\"t\"}]",
         400, "{\"error\":\"event 1: 'id' is no text of a fitting length\"}"},
        {batch_type, "[{\"specversion\":\"0.3\",\"id\":\"7\",\"source\":\"/a\",\"type\":\"t\"}]",
         400, "{\"error\":\"event 0: 'specversion' is not 1.0\"}"},
        {batch_type,
         "[{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"/"
         "a\",\"type\":\"t\",\"time\":\"noon\"}]",
         400, "{\"error\":\"event 0: 'time' is no RFC 3339 time\"}"},
        {batch_type, "[1]", 400, "{\"error\":\"event 0 is no JSON object\"}"},
        {batch_type, "", 400, NULL},
        {batch_type, "[{\"specversion\":\"1.0\",\"specversion\":\"1.0\"}]", 400, NULL},
        {batch_type, "[\"\xff\"]", 400, NULL},
        {"text/plain", "[]", 415, NULL},
    };
    char note[SY_HTTP_NOTE + 1] = "";
    box b = start(*state, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned status = post(&b, *state, "client", rows[i].type, rows[i].body, note);
        if (status != rows[i].status) {
            fail_msg("row %zu: %u %s", i, status, note);
        }
        if (rows[i].note) {
            assert_int_equal(strncmp(note, rows[i].note, strlen(rows[i].note)), 0);
        }
    }
    /* A body beyond 1 MiB: refused, and the inbox goes on. */
    char *large = malloc(1100001);
    assert_non_null(large);
    memset(large, ' ', 1100000);
    large[1100000] = 0;
    assert_true(post(&b, *state, "client", batch_type, large, note) != 200);
    free(large);
    json_t *events = get_json(&b, "/api/events");
    assert_int_equal(json_array_size(events), 2);
    json_t *first = json_array_get(events, 0);
    assert_string_equal(json_string_value(json_object_get(first, "sender")), "CN=client");
    assert_string_equal(json_string_value(json_object_get(first, "type")), "odd");
    json_decref(events);
    char *raw = get(&b, "/api/events", NULL);
    assert_non_null(strstr(raw, "\"data\":[1.10]}")); /* the very bytes */
    free(raw);
    assert_int_equal(end(&b, SIGTERM), 0);
}

static void who_may_not_deliver(void **state)
{
    char note[SY_HTTP_NOTE + 1] = "";
    sy_ms now = sy_wall_ms();
    box b = start(*state, 0);
    rig_other_ca(*state, "other");
    rig_cert(*state, "old", SY_CERT_CLIENT, NULL, now - 9 * RIG_DAY, now - 60000);
    rig_cert(*state, "wrong", SY_CERT_SERVER, NULL, now - RIG_DAY, now + RIG_DAY);
    assert_int_equal(post(&b, *state, "client", batch_type, "[]", note), 200);
    assert_int_equal(post(&b, *state, "other-client", batch_type, "[]", note), 403);
    assert_int_equal(post(&b, *state, "old", batch_type, "[]", note), 403);
    assert_int_equal(post(&b, *state, "wrong", batch_type, "[]", note), 403);
    assert_int_equal(end(&b, SIGTERM), 0);
    rig_cert(*state, "lost", SY_CERT_CLIENT, NULL, now - RIG_DAY, now + RIG_DAY);
    rig_revoke(*state, "lost.pem");
    b = start(*state, 0);
    assert_int_equal(post(&b, *state, "client", batch_type, "[]", note), 200);
    assert_int_equal(post(&b, *state, "lost", batch_type, "[]", note), 403);
    assert_int_equal(end(&b, SIGTERM), 0);
}

static void each_once_though_it_is_killed(void **state)
{
    enum { ALL = 3000, KILLS = 6 };
    sy_store *s = rig_store(*state);
    box b = start(*state, 0);
    char url[64];
    unsigned port = b.port;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/events", port);
    rig_events(s, 1, ALL, 50);
    sy_sender *sender = rig_sender(s, *state, url, &rig_times);
    for (int i = 0; i < KILLS; i++) {
        uint64_t before = rig_waiting(s, NULL);
        while (before > 0 && rig_waiting(s, NULL) == before) {
            rig_nap();
        }
        assert_true(WIFSIGNALED(end(&b, SIGKILL)));
        rig_events(s, ALL + 1 + i * 200, 200, 50);
        b = start(*state, port);
        sy_sender_wake(sender);
    }
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    json_t *events = get_json(&b, "/api/events?limit=5000");
    assert_int_equal(json_array_size(events), ALL + KILLS * 200);
    int last[50] = {0};
    for (size_t i = 0; i < json_array_size(events); i++) {
        int n = atoi(json_string_value(json_object_get(json_array_get(events, i), "id")) + 1);
        assert_true(n > last[n % 50]); /* in order for each alert, and so each once */
        last[n % 50] = n;
    }
    json_decref(events);
    json_t *alerts = get_json(&b, "/api/alerts");
    assert_int_equal(json_array_size(alerts), 50);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(alerts, 7), "events")),
                     (ALL + KILLS * 200) / 50);
    json_decref(alerts);
    assert_int_equal(end(&b, SIGTERM), 0);
    sy_store_close(s);
}

/* An event of an alert, as the pipeline writes it, cut to what is looked at here. */
static void deliver(const box *b, const char *dir, const char *id, const char *change,
                    const char *severity, const char *state)
{
    char body[1500], note[SY_HTTP_NOTE + 1] = "";
    snprintf(
        body, sizeof body,
        "{\"specversion\":\"1.0\",\"id\":\"%s/%s\",\"source\":\"/steelyard/gw\","
        "\"type\":\"steelyard.alert.%s\",\"time\":\"2026-01-01T00:40:00Z\",\"data\":{"
        "\"alert\":{\"id\":\"%s\",\"severity\":\"%s\",\"state\":\"%s\",\"onset\":"
        "\"2026-01-01T00:30:00.000Z\",\"raised\":\"2026-01-01T00:40:00.000Z\",\"max\":9.5},"
        "\"rule\":{\"id\":\"COLD-01\",\"version\":4,\"title\":{\"en\":\"Cold "
        "room\",\"zh\":\"冷库\"},"
        "\"say\":{\"en\":\"Move stock.\",\"zh\":null},\"limit\":{\"en\":\"above "
        "8\",\"zh\":\"高于8\"},"
        "\"basis\":[{\"text\":{\"en\":\"GSP\",\"zh\":\"药品GSP\"},\"clause\":null,\"verify\":true,"
        "\"origin\":\"law\"}]},\"premises\":{\"name\":\"<script>alert(1)</script>&\\\"'\"},"
        "\"place\":{\"id\":\"cr-1\"},\"unit\":\"degC\",\"respond_within_ms\":7200000}}",
        id, change, change, id, severity, state);
    unsigned status = post(b, dir, "client", "application/cloudevents+json", body, note);
    if (status != 200) {
        fail_msg("%u %s", status, note);
    }
}

static void expect_page(const box *b, const char *path, const char *fields,
                        const char *const *texts)
{
    char *page = get(b, path, fields);
    assert_null(strstr(page, "<script"));
    for (size_t i = 0; texts[i]; i++) {
        if (!strstr(page, texts[i])) {
            fail_msg("%s does not say '%s':\n%s", path, texts[i], page);
        }
    }
    free(page);
}

static void states_and_page(void **state)
{
    box b = start(*state, 0);
    expect_page(&b, "/", NULL, (const char *const[]){"No alerts have been received", NULL});
    deliver(&b, *state, "A", "raised", "warning", "active");
    deliver(&b, *state, "B", "raised", "serious", "active");
    deliver(&b, *state, "A", "escalated", "major", "active");
    deliver(&b, *state, "B", "cleared", "serious", "cleared");
    deliver(&b, *state, "C", "raised", "notice", "active");
    deliver(&b, *state, "C", "withdrawn", "notice", "withdrawn");
    json_t *alerts = get_json(&b, "/api/alerts");
    static const char *const want[3][2] = {
        {"active", "major"}, {"cleared", "serious"}, {"withdrawn", "notice"}};
    assert_int_equal(json_array_size(alerts), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *a = json_array_get(alerts, i);
        assert_string_equal(json_string_value(json_object_get(a, "state")), want[i][0]);
        assert_string_equal(json_string_value(json_object_get(a, "severity")), want[i][1]);
        assert_int_equal(json_integer_value(json_object_get(a, "events")), 2);
    }
    json_decref(alerts);
    expect_page(&b, "/", NULL,
                (const char *const[]){"default-src 'none'",
                                      "&lt;script&gt;alert(1)&lt;/script&gt;&amp;", "&quot;&#39;",
                                      "Major", "cleared", "above 8", "COLD-01", "GSP",
                                      "clause not verified", "highest 9.5\xc2\xa0°C", "overdue",
                                      "Move stock.", "href=\"/alert/1\"", NULL});
    expect_page(&b, "/", "Host: [::1]:80\r\nAccept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n",
                (const char *const[]){"重大", "已解除", "高于8", "条款待核", "药品GSP", NULL});
    expect_page(&b, "/alert/1?lang=zh", NULL,
                (const char *const[]){"经过", "升级", "发报", "COLD-01", "A/escalated", NULL});
    expect_page(&b, "/events", NULL, (const char *const[]){"steelyard.alert.withdrawn", NULL});
    expect_page(&b, "/style.css", NULL, (const char *const[]){"prefers-color-scheme", NULL});
    static const char *const lost[] = {"/alert/999", "/alert/-1", "/alert/x",
                                       "/alert/99999999999999999999", "/etc/passwd"};
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        expect_page(&b, lost[i], NULL, (const char *const[]){"HTTP/1.1 404", NULL});
    }
    expect_page(&b, "/", "Host: evil.example\r\n", (const char *const[]){"HTTP/1.1 421", NULL});
    expect_page(&b, "/", "X: y\r\n", (const char *const[]){"HTTP/1.1 4", NULL});
    assert_int_equal(end(&b, SIGTERM), 0);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rig_setup, inbox_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ROW(what_it_answers),
        ROW(who_may_not_deliver),
        ROW(each_once_though_it_is_killed),
        ROW(states_and_page),
    };
    if (argc > 1 && strcmp(argv[1], "inbox") == 0) {
        return sy_cmd_inbox(argc - 1, argv + 1);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
