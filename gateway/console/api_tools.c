/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line tools do, for the pages: the workshop of rules, evidence, the assessment.
 */
#include <jansson.h>
#include <stdio.h>

#include "console/api.h"
#include "console/jobs.h"
#include "pipeline/members.h"

/* What a tool wrote as JSON, and how it ended: {"exit":…,"said":…,"result":…}. */
static enum MHD_Result answer_job(sy_request *r)
{
    sy_job *job = r->job;
    sy_buf b;
    if (job->exit < 0) {
        return sy_answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "not-finished", job->why);
    }
    json_t *whole = job->out.n ? json_loadb(job->out.p, job->out.n, 0, NULL) : NULL;
    sy_buf_init(&b, sy_heap());
    sy_buf_char(&b, '{');
    sy_member_int(&b, "exit", job->exit);
    sy_member_text(&b, "said", job->why[0] ? job->why : NULL);
    sy_member_key(&b, "result");
    if (whole) {
        sy_buf_span_put(&b, sy_buf_span(&job->out));
    } else {
        sy_buf_text(&b, "null");
    }
    sy_buf_text(&b, "}\n");
    json_decref(whole);
    enum MHD_Result queued = sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&b);
    return queued;
}

static enum MHD_Result start(sy_request *r, sy_err e, sy_fail *f)
{
    e = e ? e : sy_job_start(r, f);
    return e ? sy_answer_fail(r, f) : MHD_YES;
}

/* Of a text in force by its name as it is shown; NULL: there is none. */
static const sy_source *in_force(const sy_config *c, const char *name)
{
    for (size_t i = 0; name && i < c->n_rules; i++) {
        if (strcmp(c->rules[i].name, name) == 0) {
            return &c->rules[i];
        }
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The files of a backtest: the text that is edited, what it is compared with, the time. */
static sy_err add_backtest(sy_request *r, sy_job *job, const json_t *body, const char *edited,
                           sy_fail *f)
{
    const char *name = json_string_value(json_object_get(body, "file"));
    const char *from = json_string_value(json_object_get(body, "from"));
    const char *to = json_string_value(json_object_get(body, "to"));
    const char *old = NULL;
    sy_ms t;
    if ((from && sy_time_parse(sy_span_of(from), &t)) ||
        (to && sy_time_parse(sy_span_of(to), &t))) {
        return sy_fail_set(f, SY_E_RANGE, "from and to are times (RFC 3339)");
    }
    const char *const words[] = {"rules",  "backtest",       "--config", r->console->file,
                                 "--data", r->console->data, "--json"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        sy_job_word(job, words[i]);
    }
    sy_config *c = r->console->config(r->console->ctx);
    const sy_source *source = in_force(c, name);
    sy_err e = source ? sy_job_file(job, "in-force.rules", source->text, &old, f) : SY_OK;
    sy_config_unref(c);
    if (!e && old) {
        sy_job_word(job, "--against");
        sy_job_word(job, old);
    }
    const char *const times[] = {"--from", from, "--to", to};
    for (size_t i = 0; i < 4 && !e; i += 2) {
        const char *copy =
            times[i + 1] ? sy_arena_text(&job->arena, sy_span_of(times[i + 1])) : NULL;
        if (copy) {
            sy_job_word(job, times[i]);
            sy_job_word(job, copy);
        }
    }
    sy_job_word(job, edited);
    return e;
}

static sy_err add_tool(sy_request *r, sy_job *job, const json_t *body, sy_fail *f)
{
    const json_t *text = json_object_get(body, "text");
    const char *tool = r->part[0], *edited = NULL;
    bool check = strcmp(tool, "check") == 0, test = strcmp(tool, "test") == 0;
    if (!json_is_string(text)) {
        return sy_fail_set(f, SY_E_PARSE, "a JSON object with text is needed");
    }
    if (!check && !test && strcmp(tool, "backtest") != 0) {
        return sy_fail_set(f, SY_E_NOTFOUND, "check, test or backtest");
    }
    sy_span rules = {json_string_value(text), json_string_length(text)};
    sy_err e = sy_job_file(job, "edited.rules", rules, &edited, f);
    if (e || (!check && !test)) {
        return e ? e : add_backtest(r, job, body, edited, f);
    }
    const char *const words[] = {"rules", tool, "--config", r->console->file, "--json", edited};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        sy_job_word(job, words[i]);
    }
    return SY_OK;
}

enum MHD_Result sy_api_workshop(sy_request *r)
{
    sy_job *job = NULL;
    sy_fail f;
    if (r->job) {
        return answer_job(r);
    }
    json_t *body = json_loadb(r->body.p ? r->body.p : "", r->body.n, JSON_REJECT_DUPLICATES, NULL);
    sy_err e = sy_job_begin(r, &job, &f);
    e = e ? e : add_tool(r, job, body, &f);
    json_decref(body);
    return start(r, e, &f);
}

/* The rule texts in force, with their names. */
enum MHD_Result sy_api_rules(sy_request *r)
{
    sy_config *c = r->console->config(r->console->ctx);
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_char(&b, '[');
    for (size_t i = 0; i < c->n_rules; i++) {
        sy_buf_text(&b, i ? ",{" : "{");
        sy_member_text(&b, "file", c->rules[i].name);
        sy_member_text(&b, "name", base_name(c->rules[i].name));
        sy_member_key(&b, "text");
        sy_buf_json(&b, c->rules[i].text);
        sy_buf_char(&b, '}');
    }
    sy_buf_text(&b, "]\n");
    enum MHD_Result queued = sy_answer_json(r, MHD_HTTP_OK, &b);
    sy_buf_fini(&b);
    sy_config_unref(c);
    return queued;
}

static bool is_alert_id(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");
    return n >= 8 && n <= 64 && text[n] == 0;
}

enum MHD_Result sy_api_evidence(sy_request *r)
{
    sy_job *job = r->job;
    sy_fail f;
    char name[100];
    if (job && job->exit == 0) {
        snprintf(name, sizeof name, "evidence-%.64s.html", r->part[0]);
        return sy_answer_file(r, "text/html; charset=utf-8", name, &job->out);
    }
    if (job) {
        return sy_answer_error(r, job->exit < 0 ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_NOT_FOUND,
                               "no-evidence", job->why);
    }
    if (!is_alert_id(r->part[0])) {
        return sy_answer_error(r, MHD_HTTP_NOT_FOUND, "not-found", "there is no such alert");
    }
    const char *const words[] = {"evidence",       r->part[0],   "--data",
                                 r->console->data, "--language", r->zh ? "zh" : "en"};
    sy_err e = sy_job_begin(r, &job, &f);
    for (size_t i = 0; !e && i < sizeof words / sizeof words[0]; i++) {
        sy_job_word(job, words[i]);
    }
    return start(r, e, &f);
}

/* The exit code is 1 where something is bad, which is an answer like any other. */
enum MHD_Result sy_api_assess(sy_request *r)
{
    sy_job *job = r->job;
    sy_fail f;
    if (job && (job->exit == 0 || job->exit == 1) && job->out.n) {
        return sy_answer_json(r, MHD_HTTP_OK, &job->out);
    }
    if (job) {
        return sy_answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "not-assessed", job->why);
    }
    const char *const words[] = {"assess", "--config",       r->console->file,
                                 "--data", r->console->data, "--json"};
    sy_err e = sy_job_begin(r, &job, &f);
    for (size_t i = 0; !e && i < sizeof words / sizeof words[0]; i++) {
        sy_job_word(job, words[i]);
    }
    return start(r, e, &f);
}
