/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard export: the stored readings, as `rules backtest` and `replay` read them. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/csv.h"
#include "cli/stored.h"

enum { FLUSH_BYTES = 1 << 16 };

static const char help[] =
    "usage: steelyard export --data DIR [--format csv|senml] [--series ID] [--from T] [--to T]\n\n"
    "Write the stored readings to standard output, ordered by time, states as words.\n\n"
    "  --data DIR     the data folder; a gateway may run on it\n"
    "  --format NAME  csv (default): time,device,point,value,quality; senml: SenML JSON (RFC "
    "8428)\n"
    "  --series ID    only this series\n"
    "  --from T       from this time on (RFC 3339 or epoch milliseconds)\n"
    "  --to T         up to this time, inclusive\n\n"
    "Exit codes: 0 fine, 1 the folder cannot be read, 2 usage.\n";

typedef struct job {
    const sy_config *config; /* may be NULL */
    sy_buf out;
    bool senml, failed;
    uint64_t n;
} job;

static void put_senml(job *j, const sy_reading_row *r, const char *word)
{
    sy_buf *b = &j->out;
    const sy_site_point *p = sy_stored_point(j->config, r->series);
    const sy_unit *u = p && p->unit ? sy_unit_by_id(p->unit) : NULL;
    sy_buf_text(b, j->n ? ",\n {\"n\":" : "\n {\"n\":");
    sy_buf_json(b, sy_span_of(r->series));
    if (!word && u) {
        sy_buf_text(b, ",\"u\":");
        sy_buf_json(b, sy_span_of(u->senml ? u->senml : u->id));
    }
    sy_buf_printf(b, ",\"t\":%lld.%03d", (long long)(r->t / 1000), (int)(r->t % 1000));
    if (word) {
        sy_buf_text(b, ",\"vs\":");
        sy_buf_json(b, sy_span_of(word));
    } else {
        sy_buf_text(b, ",\"v\":");
        sy_buf_double(b, r->value);
    }
    sy_buf_char(b, '}');
}

static bool put(void *ctx, const sy_reading_row *r)
{
    job *j = ctx;
    const char *word = sy_stored_word(j->config, r->series, r->value);
    if (j->senml)
        put_senml(j, r, word);
    else
        sy_csv_put(&j->out, r->t, sy_span_of(r->device), sy_span_of(r->name), r->value, word,
                   r->quality);
    j->n++;
    if (j->out.n >= FLUSH_BYTES)
        j->failed = !sy_stored_flush("export", &j->out);
    return !j->failed;
}

static int run(const sy_stored_options *o, job *j)
{
    sy_store *s = sy_stored_open_readings("export", o->data);
    if (!s)
        return 1;
    sy_fail why = {0};
    if (j->senml)
        sy_buf_char(&j->out, '[');
    else
        sy_csv_put_header(&j->out);
    sy_err err = sy_store_readings(s, o->series, o->from, o->to, put, j, &why);
    sy_store_close(s);
    if (err) {
        fprintf(stderr, "steelyard export: %s\n", why.text);
        return 1;
    }
    if (j->senml)
        sy_buf_text(&j->out, "\n]\n");
    return j->failed || !sy_stored_flush("export", &j->out) || fflush(stdout) != 0;
}

int sy_cmd_export(int argc, char **argv)
{
    sy_stored_options o;
    int rc = sy_stored_options_parse(
        &o, SY_TAKES_FORMAT | SY_TAKES_SERIES | SY_TAKES_FROM | SY_TAKES_TO, help, argc, argv);
    if (rc >= 0)
        return rc;
    bool senml = o.format && strcmp(o.format, "senml") == 0;
    if (o.format && !senml && strcmp(o.format, "csv") != 0) {
        fprintf(stderr, "steelyard export: '%s' is no format; csv or senml\n", o.format);
        return 2;
    }
    sy_config *config = sy_stored_config(o.data);
    job j = {.config = config, .senml = senml};
    sy_buf_init(&j.out, sy_heap());
    rc = run(&o, &j);
    sy_buf_fini(&j.out);
    if (config)
        sy_config_unref(config);
    return rc;
}
