/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by status, export, query and alerts: they read a data folder, whether or not a gateway
 * runs on it. */
#include "cli/stored.h"

#include "base/hash.h"

#include <getopt.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/control.h"
#include "pipeline/restore.h"

typedef struct parser {
    sy_stored_options *o;
    unsigned takes;
    const char *command;
} parser;

static int wrong(const parser *p, const char *what)
{
    fprintf(stderr, "steelyard %s: %s; see steelyard %s --help\n", p->command, what, p->command);
    return 2;
}

static int time_option(const parser *p, const char *text, sy_ms *out)
{
    return sy_time_parse(sy_span_of(text), out) == SY_OK
               ? -1
               : wrong(p, "a time is RFC 3339 with an offset, or epoch milliseconds");
}

static int option(const parser *p, int code, const char *value)
{
    sy_stored_options *o = p->o;
    switch (code) {
    case 'd':
        o->data = value;
        return -1;
    case 's':
        o->series = value;
        return -1;
    case 'f':
        o->format = value;
        return -1;
    case 'a':
        return time_option(p, value, &o->from);
    case 'z':
        return time_option(p, value, &o->to);
    case 'b':
        return sy_duration_parse(sy_span_of(value), &o->bucket) == SY_OK && o->bucket > 0
                   ? -1
                   : wrong(p, "--bucket is a length of time, such as '15 min', '1 h' or '1 d'");
    case 'j':
        o->json = true;
        return -1;
    case 'c':
        o->completeness = true;
        return -1;
    case 'w':
        o->watch = true;
        return -1;
    case 'u':
        o->full = true;
        return -1;
    case 'l':
        if (strncmp(value, "en", 2) != 0 && strncmp(value, "zh", 2) != 0)
            return wrong(p, "--language is en or zh");
        o->language = value[0] == 'z' ? SY_ZH : SY_EN;
        return -1;
    default:
        return wrong(p, "wrong options");
    }
}

static bool taken(unsigned takes, int code)
{
    static const struct {
        int code;
        unsigned bit;
    } rows[] = {{'s', SY_TAKES_SERIES},   {'f', SY_TAKES_FORMAT}, {'a', SY_TAKES_FROM},
                {'z', SY_TAKES_TO},       {'j', SY_TAKES_JSON},   {'u', SY_TAKES_FULL},
                {'l', SY_TAKES_LANGUAGE}, {'b', SY_TAKES_BUCKET}, {'c', SY_TAKES_COMPLETENESS},
                {'w', SY_TAKES_WATCH}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return (takes & rows[i].bit) != 0;
    return true;
}

int sy_stored_options_parse(sy_stored_options *o, unsigned takes, const char *help, int argc,
                            char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"series", required_argument, NULL, 's'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"from", required_argument, NULL, 'a'},
                                            {"to", required_argument, NULL, 'z'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"full", no_argument, NULL, 'u'},
                                            {"language", required_argument, NULL, 'l'},
                                            {"bucket", required_argument, NULL, 'b'},
                                            {"completeness", no_argument, NULL, 'c'},
                                            {"watch", no_argument, NULL, 'w'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    parser p = {o, takes, argv[0]};
    *o = (sy_stored_options){.from = SY_MS_NONE, .to = SY_MS_MAX};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        int rc = taken(takes, c) ? option(&p, c, optarg) : wrong(&p, "wrong options");
        if (rc >= 0)
            return rc;
    }
    if (optind < argc)
        return wrong(&p, "too many arguments");
    if (o->watch && o->json)
        return wrong(&p, "--watch or --json, not both");
    return o->data ? -1 : wrong(&p, "--data DIR is missing");
}

sy_store *sy_stored_open(const char *command, const char *data)
{
    sy_store *s = NULL;
    sy_fail why = {0};
    if (sy_store_open(&s, data, true, &why)) {
        fprintf(stderr, "steelyard %s: %s\n", command, why.text);
        return NULL;
    }
    return s;
}

/* {"ok":true,"open":"…"}: the hex digits become bytes in place. */
static sy_err open_of(sy_buf *answer, sy_span *bytes, sy_fail *f)
{
    static const char before[] = "{\"ok\":true,\"open\":\"", after[] = "\"}";
    size_t from = sizeof before - 1, n = 0;
    bool fine = answer->n >= from + sizeof after - 1 && memcmp(answer->p, before, from) == 0;
    size_t to = fine ? answer->n - (sizeof after - 1) : 0;
    for (size_t i = from; fine && i + 1 < to; i += 2) {
        int hi = sy_hex_digit(answer->p[i]), lo = sy_hex_digit(answer->p[i + 1]);
        fine = hi >= 0 && lo >= 0;
        answer->p[n++] = (char)(hi * 16 + lo);
    }
    *bytes = (sy_span){answer->p, n};
    return fine ? SY_OK : sy_fail_set(f, SY_E_PARSE, "the gateway's answer is not understood");
}

sy_err sy_stored_readings(sy_store **out, const char *data, sy_fail *f)
{
    enum { ANSWER_MS = 30000 };
    sy_span bytes = {0};
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    sy_err err = sy_store_open(out, data, true, f);
    if (err)
        return err;
    err = sy_control_ask(data, "open", ANSWER_MS, &answer, f);
    if (!err)
        err = open_of(&answer, &bytes, f);
    if (!err)
        err = sy_store_adopt(*out, bytes, f);
    else if (err == SY_E_NOTFOUND || err == SY_E_CLOSED)
        err = sy_restore_readings(*out, data, f);
    sy_buf_fini(&answer);
    if (err)
        sy_store_close(*out);
    return err;
}

sy_store *sy_stored_open_readings(const char *command, const char *data)
{
    sy_store *s = NULL;
    sy_fail why = {0};
    if (sy_stored_readings(&s, data, &why)) {
        fprintf(stderr, "steelyard %s: %s\n", command, why.text);
        return NULL;
    }
    return s;
}

sy_config *sy_stored_config(const char *data)
{
    sy_config *c = NULL;
    sy_buf path, hash;
    sy_buf_init(&path, sy_heap());
    sy_buf_init(&hash, sy_heap());
    sy_buf_printf(&path, "%s/accepted/current", data);
    if (!path.failed && sy_file_read(path.p, 128, &hash, NULL) == SY_OK && hash.n >= 64) {
        hash.p[64] = '\0';
        if (sy_config_load_kept(data, hash.p, &c, NULL))
            c = NULL;
    }
    sy_buf_fini(&hash);
    sy_buf_fini(&path);
    return c;
}

const sy_site_point *sy_stored_point(const sy_config *c, const char *series)
{
    size_t lo = 0, hi = c ? c->site->n_points : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(c->site->points[mid].series, series);
        if (order == 0)
            return &c->site->points[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const char *sy_stored_word(const sy_config *c, const char *series, double value)
{
    const sy_site_point *p = sy_stored_point(c, series);
    if (!p || !p->is_state)
        return NULL;
    const sy_word *w = sy_vocab_id(c->vocab, sy_span_of(p->quantity));
    return w && value >= 0 && value < (double)w->n_values ? w->values[(size_t)value].id : NULL;
}

const char *sy_stored_account(void)
{
    const char *sudo = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *me = getpwuid(getuid());
    return sudo && *sudo ? sudo : me ? me->pw_name : "unknown";
}

bool sy_stored_flush(const char *command, sy_buf *out)
{
    bool fine = !out->failed && (out->n == 0 || fwrite(out->p, 1, out->n, stdout) == out->n);
    if (!fine)
        fprintf(stderr, "steelyard %s: cannot write the output\n", command);
    sy_buf_reset(out);
    return fine;
}
