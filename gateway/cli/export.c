/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard export: the stored readings, as `rules backtest` and `replay` read them. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/csv.h"
#include "cli/export_senml.h"
#include "cli/stored.h"

enum { FLUSH_BYTES = 1 << 16 };

static const char help[] =
    "usage: steelyard export --data DIR [--format csv|senml] [--series ID] [--from T] [--to T]\n\n"
    "Write the stored readings to standard output, ordered by time, states as words.\n\n"
    "  --data DIR     the data folder; a gateway may run on it\n"
    "  --format NAME  csv (default): time,device,point,value,quality; senml: packs of\n"
    "                 SenML JSON (RFC 8428), one a line, of at most 64 KiB; `decode --lines` "
    "reads\n"
    "                 them. What SenML cannot say is left out, and a line on stderr tells of it\n"
    "  --series ID    only this series\n"
    "  --from T       from this time on (RFC 3339 or epoch milliseconds)\n"
    "  --to T         up to this time, inclusive\n\n"
    "Exit codes: 0 fine, 1 the folder cannot be read, 2 usage.\n";

typedef struct job {
    const sy_config *config; /* may be NULL */
    sy_buf out;
    sy_senml_out *senml; /* NULL: CSV */
    bool failed;
} job;

static const char *senml_unit(const job *j, const char *series)
{
    const sy_site_point *p = sy_stored_point(j->config, series);
    const sy_unit *u = p && !p->is_state && p->unit ? sy_unit_by_id(p->unit) : NULL;
    return u ? u->senml ? u->senml : u->id : NULL;
}

static bool put(void *ctx, const sy_reading_row *r)
{
    job *j = ctx;
    const char *word = sy_stored_word(j->config, r->series, r->value);
    if (j->senml)
        j->failed = sy_senml_out_add(j->senml, r, word, senml_unit(j, r->series), &j->out) != SY_OK;
    else
        sy_csv_put(&j->out, r->t, sy_span_of(r->device), sy_span_of(r->name), r->value, word,
                   r->quality);
    if (!j->failed && j->out.n >= FLUSH_BYTES)
        j->failed = !sy_stored_flush("export", &j->out);
    return !j->failed;
}

static int run(const sy_stored_options *o, job *j)
{
    sy_store *s = sy_stored_open_readings("export", o->data);
    if (!s)
        return 1;
    sy_fail why = {0};
    if (!j->senml)
        sy_csv_put_header(&j->out);
    sy_err err = sy_store_readings(s, o->series, o->from, o->to, put, j, &why);
    sy_store_close(s);
    if (!j->failed && j->senml && sy_senml_out_end(j->senml, &j->out))
        j->failed = true;
    if (j->failed || !sy_stored_flush("export", &j->out) || fflush(stdout) != 0) {
        fputs("steelyard export: the output is not complete\n", stderr);
        return 1;
    }
    if (err) {
        fprintf(stderr, "steelyard export: %s\n", why.text);
        return 1;
    }
    if (j->senml && sy_senml_out_left(j->senml))
        fprintf(stderr,
                "steelyard export: %llu readings left out, which SenML cannot say: no finite "
                "value, or a time before 1978-07-05 or after 9999\n",
                (unsigned long long)sy_senml_out_left(j->senml));
    return 0;
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
    job j = {.config = config};
    sy_buf_init(&j.out, sy_heap());
    if (senml && !(j.senml = sy_senml_out_open())) {
        fputs("steelyard export: no memory\n", stderr);
        rc = 1;
    } else {
        rc = run(&o, &j);
    }
    sy_senml_out_close(j.senml);
    sy_buf_fini(&j.out);
    if (config)
        sy_config_unref(config);
    return rc;
}
