/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test alert. The device's own account publishes a value beyond a limit; a rule that holds for
 * this test alone judges it. Meanwhile the device is under maintenance, so that no rule in force
 * counts the value, and it is marked as such in the evidence.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/setup_int.h"
#include "control/control.h"
#include "drivers/mqtt/publish.h"

enum { WAIT_MS = 60000, NAP_MS = 100, ANSWER_MS = 10000, CONNECT_MS = 10000 };
static const char rule_file[] = "setup-test.rules";

static void rule_path(const sy_setup *x, char out[SY_SETUP_PATH])
{
    const char *slash = strrchr(x->config, '/');
    snprintf(out, SY_SETUP_PATH, "%.*s%s", slash ? (int)(slash - x->config) + 1 : 0, x->config,
             rule_file);
}

static void day(int from_now, char out[16])
{
    time_t t = time(NULL) + from_now * 86400;
    struct tm tm;
    gmtime_r(&t, &tm);
    if (strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        *out = '\0';
}

static double value_of(const sy_setup *x)
{
    double v = 0;
    (void)(sy_double_parse(sy_span_of(x->test), &v) == SY_OK);
    return v;
}

static void put_rule(const sy_setup *x, sy_buf *b)
{
    char from[16], to[16];
    const char *unit = x->quantity->unit ? x->quantity->unit->en : "", *blank = *unit ? " " : "";
    day(-1, from);
    day(1, to);
    sy_buf_printf(b,
                  "rule SETUP-TEST version 1 \"Test alert of the installation\"\n"
                  "  basis \"steelyard setup\" policy\n"
                  "  applies to subject any; goods any; stage any\n"
                  "  effective from %s to %s\n"
                  "  watch each %s: %s\n"
                  "  accept uncertain\n"
                  "  alert notice when %s above ",
                  from, to, x->kind->id, x->quantity->id, x->quantity->id);
    sy_buf_double(b, value_of(x) - 1);
    sy_buf_printf(b, "%s%s [policy]\n  clear when %s at most ", blank, unit, x->quantity->id);
    sy_buf_double(b, value_of(x) - 1);
    sy_buf_printf(b,
                  "%s%s\n  then tell premises, inspector\n"
                  "  say \"A test of the installation. Nothing is to be done.\"\nend\n",
                  blank, unit);
}

static sy_err write_rule(const sy_setup *x, const char *path, sy_fail *f)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    put_rule(x, &text);
    sy_err e = sy_file_write(path, sy_buf_span(&text), 0640, f);
    if (!e && geteuid() == 0 && chown(path, 0, x->gid) != 0)
        e = sy_fail_sys(f, "%s", path);
    sy_buf_fini(&text);
    return e;
}

static json_t *status_of(const sy_setup *x, sy_fail *f)
{
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    json_t *status = NULL;
    if (sy_control_ask(x->data, "status", ANSWER_MS, &answer, f) == SY_OK) {
        status = json_loadb(answer.p, answer.n, 0, NULL);
        if (!status)
            (void)sy_fail_set(f, SY_E_PARSE, "the gateway's status is not JSON");
    }
    sy_buf_fini(&answer);
    return status;
}

void sy_setup_payload(const sy_setup *x, double value, sy_buf *out)
{
    bool json = strcmp(x->format, "json") == 0, senml = strcmp(x->format, "senml-json") == 0;
    if (json || senml) {
        sy_buf_text(out, json ? "{" : "[{\"n\":");
        sy_buf_json(out, sy_span_of(x->point));
        sy_buf_text(out, json ? ":" : ",\"v\":");
    }
    sy_buf_double(out, value);
    sy_buf_text(out, json ? "}" : senml ? "}]" : "");
}

/* As the device: its name, its password, its topic, its format. */
static sy_err publish(const sy_setup *x, double value, sy_fail *f)
{
    char uri[300];
    uint64_t refused;
    sy_publisher *p = NULL;
    json_t *status = status_of(x, f);
    if (!status)
        return f->code;
    const char *at = json_string_value(json_object_get(json_object_get(status, "mqtt"), "uri"));
    const char *host = at ? strstr(at, "://") : NULL;
    snprintf(uri, sizeof uri, "tcp://%.250s", host ? host + 3 : "");
    json_decref(status);
    const sy_publisher_options o = {
        .uri = uri, .client_id = "steelyard-setup", .user = x->device, .password = x->password};
    sy_buf payload;
    sy_buf_init(&payload, sy_heap());
    sy_setup_payload(x, value, &payload);
    sy_err e = sy_publisher_open(&p, &o, CONNECT_MS, f);
    e = e ? e : sy_publisher_send(p, x->topic, sy_buf_span(&payload), f);
    e = e ? e : sy_publisher_flush(p, CONNECT_MS, &refused, f);
    sy_publisher_close(p);
    sy_buf_fini(&payload);
    return e ? sy_fail_wrap(f, "as device %.64s at %.200s", x->device, uri) : SY_OK;
}

/* ---- waiting for what must come ---- */

static bool alert_is(const sy_setup *x, bool cleared)
{
    const char *args[] = {"alerts", "--data", x->data, "--json", NULL};
    sy_buf out;
    sy_fail f;
    sy_buf_init(&out, sy_heap());
    sy_err e = sy_setup_self(x, args, NULL, &out, &f);
    json_t *all = e ? NULL : json_loadb(out.p, out.n, 0, NULL), *a;
    size_t i;
    bool is = false;
    json_array_foreach(all, i, a)
    {
        const char *rule = json_string_value(json_object_get(a, "rule"));
        json_t *end = json_object_get(a, "cleared");
        if (rule && strcmp(rule, "SETUP-TEST") == 0)
            is = !cleared || json_is_string(end); /* the last one counts */
    }
    json_decref(all);
    sy_buf_fini(&out);
    return is;
}

static bool is_delivered(const sy_setup *x)
{
    sy_fail f;
    json_t *status = status_of(x, &f), *d;
    json_t *all = json_object_get(status, "upstream");
    size_t i;
    bool empty = json_array_size(all) > 0;
    json_array_foreach(all, i, d)
    {
        json_t *waiting = json_object_get(d, "waiting");
        empty = empty && json_is_integer(waiting) && json_integer_value(waiting) == 0;
    }
    json_decref(status);
    return empty;
}

static bool judged(const sy_setup *x)
{
    return alert_is(x, false);
}

static bool over(const sy_setup *x)
{
    return alert_is(x, true);
}

static sy_err wait_for(const sy_setup *x, bool (*holds)(const sy_setup *x), const char *what,
                       sy_fail *f)
{
    const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
    for (sy_ms end = sy_mono_ms() + WAIT_MS; !holds(x);) {
        if (sy_mono_ms() > end)
            return sy_fail_set(f, SY_E_AGAIN, "%s", what);
        nanosleep(&nap, NULL);
    }
    return SY_OK;
}

static void done(const sy_setup *x, sy_ms begin, const char *what)
{
    printf("  %5.1f s  %s\n", (double)(sy_mono_ms() - begin) / 1000, what);
    fflush(stdout);
    (void)x;
}

static sy_err maintain(const sy_setup *x, bool begin, sy_fail *f)
{
    static const char why[] = "test alert of steelyard setup";
    char on[SY_SETUP_WORD + 8];
    sy_buf said;
    snprintf(on, sizeof on, "device:%s", x->device);
    const char *start[] = {"maintenance", "start", on,       "--for", "10 min",
                           "--reason",    why,     "--data", x->data, NULL};
    const char *end[] = {"maintenance", "end", on, "--reason", why, "--data", x->data, NULL};
    sy_buf_init(&said, sy_heap());
    sy_err e = sy_setup_self(x, begin ? start : end, NULL, &said, f);
    sy_buf_fini(&said);
    return e;
}

static sy_err test(const sy_setup *x, sy_fail *f)
{
    sy_ms begin = sy_mono_ms();
    sy_err e = publish(x, value_of(x), f);
    if (!e)
        done(x, begin,
             SY_SETUP_SAY(x, "the device's value is acknowledged: it is safe on the disk",
                          "设备的值已确认：已安全存盘"));
    e = e ? e : wait_for(x, judged, "no alert came of the value; see steelyard status", f);
    if (!e)
        done(x, begin,
             SY_SETUP_SAY(x, "the alert is judged: steelyard alerts shows it",
                          "报警已判定：用 steelyard alerts 查看"));
    if (!e && x->trust != SY_SETUP_NOBODY) {
        e = wait_for(x, is_delivered,
                     "the alert is not delivered; steelyard status says why, it is tried again", f);
        if (!e)
            done(x, begin, SY_SETUP_SAY(x, "the authority has it", "监管机构已收到"));
    }
    sy_fail ignored;
    if (!e && publish(x, value_of(x) - 2, &ignored) == SY_OK &&
        wait_for(x, over, "", &ignored) == SY_OK)
        done(x, begin, SY_SETUP_SAY(x, "the alert is over again", "报警已解除"));
    return e;
}

/* Nothing of the test stays but what is in the evidence. */
static sy_err undo(sy_setup *x, const char *path, pid_t pid, sy_fail *f)
{
    bool runs = false;
    sy_err e = sy_setup_write(x, NULL, f);
    if (!e && pid < 0)
        e = sy_setup_reload(x, &runs, f);
    sy_setup_stop(pid);
    (void)unlink(path);
    return e;
}

sy_err sy_setup_try(sy_setup *x, sy_fail *f)
{
    char path[SY_SETUP_PATH];
    sigset_t block, before;
    pid_t pid = -1;
    sy_fail undone;
    rule_path(x, path);
    sy_setup_head(x, SY_SETUP_SAY(x, "Test alert", "测试报警"));
    sigemptyset(&block);
    sigaddset(&block, SIGINT);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGHUP);
    sigprocmask(SIG_BLOCK, &block, &before); /* the rule of the test must not stay */
    sy_err e = write_rule(x, path, f);
    e = e ? e : sy_setup_write(x, rule_file, f);
    e = e ? e : sy_setup_start(x, &pid, f);
    e = e ? e : maintain(x, true, f);
    if (!e) {
        e = test(x, f);
        (void)maintain(x, false, &undone); /* else it ends by itself */
    }
    sy_err u = undo(x, path, pid, &undone);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (u && !e)
        *f = undone;
    if (!e && !u) {
        snprintf(path, sizeof path, "%.1000s/setup.log", x->data);
        (void)unlink(path);
    }
    return e ? e : u;
}
