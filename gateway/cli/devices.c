/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard devices: who may come in. Which devices there are is the configuration's; credentials
 * are made here, and devices that nobody knows yet are shown and adopted.
 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_file.h"
#include "cli/devices_int.h"
#include "cli/term.h"
#include "door/revoked.h"

static const char help[] =
    "usage: steelyard devices COMMAND … --config FILE [--data DIR]\n\n"
    "  list [--json|--watch]\n"
    "                     devices, how they speak, and whether they have what they need to log in\n"
    "                     (--watch: on a terminal, drawn again every 2 s, until q or ^C)\n"
    "  add ID             make its credential and print it, once: a password (mqtt), a pre-shared\n"
    "                     key (coap), or how a certificate is asked for\n"
    "  rotate ID [--grace TIME]\n"
    "                     a new password; that before is good for TIME (1 h), or until the new "
    "one\n"
    "                     is used. A pre-shared key is replaced at once\n"
    "  revoke ID          cut it off, now and for good, until `add`\n"
    "  remove ID          take its credential away; the device can no longer log in\n"
    "  open [--for TIME]  for TIME (10 min) devices that nobody knows may log in to the managed\n"
    "                     broker with the password that is printed; what they send is kept aside\n"
    "  close              end that\n"
    "  pending [--json]   what unknown devices sent, and the configuration that is proposed\n"
    "  adopt SOURCE --id ID --place PREMISES/PLACE [--transport NAME] [--dry-run]\n"
    "                     write that into FILE, make the credential, tell the gateway\n"
    "  watch [ID] [--json]\n"
    "                     readings and refusals as they come, until ^C\n\n"
    "A running gateway learns of it at once. An MQTT device logs in with its id as the user name.\n"
    "Exit codes: 0 fine, 1 it could not be done, 2 wrong usage.\n";

enum {
    HOUR_MS = 3600000,
    WINDOW_MS = 600000,
    WINDOW_MOST_MS = 86400000,
    GRACE_MOST_MS = 2147483647
};

static bool parse_time(const char *text, sy_ms most, sy_ms *out)
{
    return sy_duration_parse(sy_span_of(text), out) == SY_OK && *out > 0 && *out <= most;
}

/* False: wrong use. */
static bool take_option(sy_devices_args *a, int o)
{
    switch (o) {
    case 'c':
        a->config = optarg;
        return true;
    case 'd':
        a->data = optarg;
        return true;
    case 'j':
        a->json = true;
        return true;
    case 'w':
        a->watch = true;
        return true;
    case 'n':
        a->dry_run = true;
        return true;
    case 'i':
        a->id = optarg;
        return true;
    case 'p':
        a->place = optarg;
        return true;
    case 't':
        a->transport = optarg;
        return true;
    case 'g':
        return parse_time(optarg, GRACE_MOST_MS, &a->grace);
    case 'f':
        return parse_time(optarg, WINDOW_MOST_MS, &a->window);
    default:
        return false;
    }
}

/* What follows the verb: 0: nothing, 1: one word, 2: one or none. */
static const struct {
    const char *verb;
    int words;
} verbs[] = {{"list", 0}, {"add", 1},   {"rotate", 1},  {"revoke", 1}, {"remove", 1},
             {"open", 0}, {"close", 0}, {"pending", 0}, {"adopt", 1},  {"watch", 2}};

static bool complete(const sy_devices_args *a, int words)
{
    bool adopt = strcmp(a->verb, "adopt") == 0;
    if (a->watch && (a->json || strcmp(a->verb, "list") != 0))
        return false;
    if (!a->config || (adopt && (!a->id || !a->place)))
        return false;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].verb, a->verb) == 0)
            return verbs[i].words == 2 ? words <= 1 : words == verbs[i].words;
    return false;
}

static int parse(int argc, char **argv, sy_devices_args *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"data", required_argument, NULL, 'd'},
        {"json", no_argument, NULL, 'j'},
        {"dry-run", no_argument, NULL, 'n'},
        {"id", required_argument, NULL, 'i'},
        {"place", required_argument, NULL, 'p'},
        {"grace", required_argument, NULL, 'g'},
        {"for", required_argument, NULL, 'f'},
        {"watch", no_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {"transport", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    *a = (sy_devices_args){.grace = HOUR_MS, .window = WINDOW_MS};
    optind = 0;
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (o == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (!take_option(a, o)) {
            fputs(help, stderr);
            return 2;
        }
    }
    a->verb = optind < argc ? argv[optind] : "";
    a->what = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (!complete(a, argc - optind - 1)) {
        fputs(help, stderr);
        return 2;
    }
    return -1;
}

/* Of what it says of a credential. */
static sy_ink ink_of(const char *credential)
{
    bool bad = strstr(credential, "missing") || strcmp(credential, "revoked") == 0;
    return bad ? SY_INK_RED : strcmp(credential, "none needed") == 0 ? SY_INK_YELLOW : SY_INK_GREEN;
}

static sy_err put_table(const sy_config *c, const sy_term *t, sy_buf *out, sy_fail *f)
{
    static const sy_grid_column columns[] = {{"device", false, 8},      {"transport", false, 0},
                                             {"format", false, 6},      {"points", true, 0},
                                             {"credential", false, 10}, {"topic", false, 8}};
    sy_grid g;
    sy_buf revoked;
    sy_buf_init(&revoked, sy_heap());
    sy_err e = sy_revoked_read(c->data, &revoked, f);
    sy_grid_init(&g, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < c->n_devices && !e; i++) {
        const sy_device *d = &c->devices[i];
        bool cut = sy_revoked_has(sy_buf_span(&revoked), d->id);
        const char *credential = cut ? "revoked" : sy_devices_credential(c, d);
        sy_grid_add(&g, SY_INK_NONE, d->id);
        sy_grid_add(&g, SY_INK_NONE, sy_transport_name(d->transport));
        sy_grid_add(&g, SY_INK_NONE, d->format);
        sy_grid_addf(&g, SY_INK_NONE, "%zu", d->n_channels);
        sy_grid_add(&g, ink_of(credential), credential);
        sy_grid_add(&g, SY_INK_DIM, d->topic ? d->topic : "");
    }
    if (!e)
        sy_grid_put(&g, t, out);
    sy_grid_fini(&g);
    sy_buf_fini(&revoked);
    return e;
}

typedef struct watching {
    const sy_config *c;
    sy_fail why;
} watching;

static bool draw(void *ctx, const sy_term *t, sy_buf *out)
{
    watching *w = ctx;
    return put_table(w->c, t, out, &w->why) == SY_OK;
}

static int watch(const sy_config *c)
{
    watching w = {.c = c};
    int rc = sy_term_watch("devices", draw, &w);
    if (rc == 1 && w.why.text[0])
        fprintf(stderr, "steelyard devices: %s\n", w.why.text);
    return rc;
}

static sy_err list(const sy_config *c, bool json, sy_fail *f)
{
    sy_buf out, revoked;
    sy_buf_init(&out, sy_heap());
    sy_buf_init(&revoked, sy_heap());
    sy_term t = sy_term_now();
    if (t.on && !json) {
        sy_err failed = put_table(c, &t, &out, f);
        fputs(!failed && out.n && !out.failed ? out.p : "", stdout);
        sy_buf_fini(&out);
        return failed;
    }
    sy_err e = sy_revoked_read(c->data, &revoked, f);
    sy_buf_text(&out, json ? "[" : "");
    for (size_t i = 0; i < c->n_devices && !e; i++) {
        const sy_device *d = &c->devices[i];
        const char *transport = sy_transport_name(d->transport);
        const char *where = d->topic ? d->topic : "";
        bool cut = sy_revoked_has(sy_buf_span(&revoked), d->id);
        const char *credential = cut ? "revoked" : sy_devices_credential(c, d);
        if (json) {
            sy_buf_text(&out, i ? ",\n {\"id\": " : "\n {\"id\": ");
            sy_buf_json(&out, sy_span_of(d->id));
            sy_buf_printf(&out, ", \"transport\": \"%s\", \"topic\": ", transport);
            sy_buf_json(&out, sy_span_of(where));
            sy_buf_printf(&out, ", \"format\": \"%s\", \"points\": %zu, \"credential\": \"%s\"}",
                          d->format, d->n_channels, credential);
        } else {
            sy_buf_printf(&out, "%-24s %-6s %-11s %2zu points  %-17s %s\n", d->id, transport,
                          d->format, d->n_channels, credential, where);
        }
    }
    sy_buf_text(&out, json ? "\n]\n" : "");
    if (!e)
        fputs(out.n ? out.p : "", stdout);
    sy_buf_fini(&out);
    sy_buf_fini(&revoked);
    return e;
}

/* The commands that change something here and now. */
static sy_err change(const sy_config *c, const sy_devices_args *a, sy_fail *f)
{
    if (strcmp(a->verb, "add") == 0)
        return sy_devices_add(c, a->what, f);
    if (strcmp(a->verb, "rotate") == 0)
        return sy_devices_rotate(c, a->what, a->grace, f);
    if (strcmp(a->verb, "revoke") == 0)
        return sy_devices_revoke(c, a->what, f);
    if (strcmp(a->verb, "remove") == 0)
        return sy_devices_remove(c, a->what, f);
    if (strcmp(a->verb, "list") == 0)
        return list(c, a->json, f);
    return sy_devices_window(c, strcmp(a->verb, "open") == 0 ? a->window : 0, f);
}

int sy_cmd_devices(int argc, char **argv)
{
    sy_devices_args a;
    int rc = parse(argc, argv, &a);
    if (rc >= 0)
        return rc;
    sy_fail f = {0};
    sy_config *c = NULL;
    sy_err e = sy_config_file_load(a.config, a.data, &c, &f);
    if (e) {
        fprintf(stderr, "steelyard devices: %s\n", f.text);
        return 2;
    }
    if (a.watch) {
        rc = watch(c);
    } else if (strcmp(a.verb, "pending") == 0) {
        rc = sy_devices_pending(c, a.json);
    } else if (strcmp(a.verb, "adopt") == 0) {
        rc = sy_devices_adopt(c, &a);
    } else if (strcmp(a.verb, "watch") == 0) {
        rc = sy_devices_watch(c, &a);
    } else {
        e = change(c, &a, &f);
        if (e)
            fprintf(stderr, "steelyard devices: %s\n", f.text);
        rc = e == SY_E_USAGE ? 2 : e ? 1 : 0;
    }
    sy_config_unref(c);
    return rc;
}
