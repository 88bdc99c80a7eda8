/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as JSON: one object a node, with what it is made of in "inside". */
#include "cli/rules_explain.h"

#include <math.h>

static const char *truth(sy_truth v)
{
    return v == SY_IS_TRUE ? "\"true\"" : v == SY_IS_FALSE ? "\"false\"" : "\"unknown\"";
}

static void put_time(sy_buf *b, const char *key, sy_ms t)
{
    char text[25];
    if (t == SY_MS_NONE) {
        sy_buf_printf(b, ", \"%s\": null", key);
        return;
    }
    sy_time_text(t, text);
    sy_buf_printf(b, ", \"%s\": \"%s\"", key, text);
}

/* What sy_explain_… writes, as a JSON string. */
static void put_written(sy_explain_out *x, const char *key,
                        void (*fn)(const sy_explain_out *x, const sy_told *t), const sy_told *t)
{
    sy_buf text, *out = x->out;
    sy_buf_init(&text, sy_heap());
    x->out = &text;
    fn(x, t);
    x->out = out;
    out->failed = out->failed || text.failed;
    sy_buf_printf(out, ", \"%s\": ", key);
    if (text.n) {
        sy_buf_json(out, sy_buf_span(&text));
    } else {
        sy_buf_text(out, "null");
    }
    sy_buf_fini(&text);
}

static void source(const sy_explain_out *x, const sy_told *t)
{
    if (t->except) {
        sy_explain_source(x->out, t->except->pos);
    } else if (t->cond) {
        sy_explain_source(x->out, t->cond->pos);
    }
}

static void limit_a(const sy_explain_out *x, const sy_told *t)
{
    sy_explain_limit(x, &t->cond->a);
}

static void limit_b(const sy_explain_out *x, const sy_told *t)
{
    sy_explain_limit(x, &t->cond->b);
}

static void length(const sy_explain_out *x, const sy_told *t)
{
    if (t->cond && t->cond->hold.kind != SY_HOLD_NONE) {
        sy_explain_limit(x, &t->cond->hold.length);
    }
}

static void value(const sy_explain_out *x, const sy_told *t)
{
    if (t->at != SY_MS_NONE) {
        sy_explain_value(x, t->point, t->reading);
    }
}

static void row_value(const sy_explain_out *x, const sy_told *t)
{
    const sy_row *r = sy_explain_row(x, t->point);
    if (r) {
        sy_explain_value(x, t->point, r->value);
    }
}

static void row_quality(const sy_explain_out *x, const sy_told *t)
{
    const sy_row *r = sy_explain_row(x, t->point);
    if (r) {
        sy_quality_text(r->quality, x->out);
    }
}

static void reading(sy_explain_out *x, const sy_told *t)
{
    const sy_row *r = sy_explain_row(x, t->point);
    sy_buf_text(x->out, ", \"series\": ");
    sy_buf_json(x->out, sy_span_of(x->site->points[t->point].series));
    put_written(x, "reading", value, t);
    put_time(x->out, "time", t->at);
    put_written(x, "latest", row_value, t);
    put_time(x->out, "latest_time", r ? r->t : SY_MS_NONE);
    put_written(x, "latest_quality", row_quality, t);
}

static void measure(sy_explain_out *x, const sy_told *t)
{
    sy_buf_printf(x->out,
                  ", \"counted_ms\": %lld, \"unknown_ms\": %lld, \"exempt_ms\": %lld, "
                  "\"needed_ms\": %lld, \"window_ms\": %lld, \"reached\": %s",
                  (long long)t->counted, (long long)t->unknown, (long long)t->exempt,
                  (long long)t->needed, (long long)t->window, t->reached ? "true" : "false");
    put_time(x->out, "since", t->onset);
}

static void limits(sy_explain_out *x, const sy_told *t)
{
    if (t->has_limits) {
        bool two = t->cond->op == SY_OP_OUTSIDE || t->cond->op == SY_OP_WITHIN;
        put_written(x, "limit", limit_a, t);
        sy_buf_text(x->out, ", \"limit_used\": ");
        sy_buf_double(x->out, t->a);
        if (two) {
            put_written(x, "limit_to", limit_b, t);
            sy_buf_text(x->out, ", \"limit_to_used\": ");
            sy_buf_double(x->out, t->b);
        }
    }
}

static void point(sy_explain_out *x, const sy_told *t)
{
    sy_buf_printf(x->out, ", \"value\": %s", truth(t->value));
    reading(x, t);
    if (t->cond && t->cond->op == SY_OP_NO_DATA) {
        sy_buf_printf(x->out, ", \"silent_ms\": %lld, \"needed_ms\": %lld", (long long)t->counted,
                      (long long)t->needed);
    } else {
        sy_buf_printf(x->out, ", \"by_itself\": %s", truth(t->then));
    }
    limits(x, t);
}

static void derived(sy_explain_out *x, const sy_told *t)
{
    sy_buf_printf(x->out, ", \"value\": %s, \"comes_to\": ", truth(t->value));
    sy_buf_double(x->out, t->at == SY_MS_NONE ? (double)NAN : t->reading);
    put_time(x->out, "time", t->at);
    sy_buf_printf(x->out, ", \"by_itself\": %s", truth(t->then));
    limits(x, t);
}
static void instance(sy_explain_out *x, const sy_told *t)
{
    sy_buf_text(x->out, ", \"rule\": ");
    sy_buf_json(x->out, sy_span_of(x->of.rule->id));
    sy_buf_text(x->out, ", \"subject\": ");
    sy_buf_json(x->out, sy_span_of(x->of.subject));
    put_time(x->out, "at", x->at);
    sy_buf_printf(x->out,
                  ", \"in_force\": %s, \"alert\": ", t->value == SY_IS_TRUE ? "true" : "false");
    if (!t->open) {
        sy_buf_text(x->out, "null");
        return;
    }
    sy_buf_printf(x->out, "{\"severity\": \"%s\"", sy_alert_level_text(t->level, SY_EN));
    put_time(x->out, "onset", t->onset);
    put_time(x->out, "raised", t->raised);
    sy_buf_char(x->out, '}');
}

static void members(sy_explain_out *x, const sy_told *t)
{
    switch (t->kind) {
    case SY_TOLD_INSTANCE:
        instance(x, t);
        break;
    case SY_TOLD_LEVEL:
        sy_buf_printf(x->out, ", \"level\": \"%s\", \"open\": %s, \"blocked\": %s",
                      sy_alert_level_text(t->level, SY_EN), t->open ? "true" : "false",
                      t->blocked ? "true" : "false");
        break;
    case SY_TOLD_CLEAR:
        sy_buf_printf(x->out, ", \"by_default\": %s, \"value\": %s", t->cond ? "false" : "true",
                      truth(t->value));
        break;
    case SY_TOLD_HOLD:
        put_written(x, "length", length, t);
        measure(x, t);
        break;
    case SY_TOLD_COND:
        put_written(x, "text", source, t);
        sy_buf_printf(x->out, ", \"value\": %s", truth(t->value));
        break;
    case SY_TOLD_POINT:
        point(x, t);
        break;
    case SY_TOLD_DERIVED:
        derived(x, t);
        break;
    case SY_TOLD_EXCEPT:
        put_written(x, "text", source, t);
        sy_buf_printf(x->out, ", \"on\": %s, \"used\": %lld", t->open ? "true" : "false",
                      (long long)t->used);
        put_time(x->out, "since", t->at);
        break;
    case SY_TOLD_WATCH:
        reading(x, t);
        break;
    }
}

static void close_to(sy_explain_out *x, int depth)
{
    for (; x->depth > depth; x->depth--) {
        sy_buf_text(x->out, "]}");
        x->more = true;
    }
}

void sy_explain_json(void *ctx, const sy_told *t)
{
    static const char *const kinds[] = {"instance", "level",   "clear",     "hold", "condition",
                                        "compare",  "derived", "exemption", "point"};
    sy_explain_out *x = ctx;
    close_to(x, t->depth);
    sy_buf_printf(x->out, "%s\n%*s{\"kind\": \"%s\"", x->more ? "," : "", 2 * t->depth + 2, "",
                  kinds[t->kind]);
    members(x, t);
    sy_buf_text(x->out, ", \"inside\": [");
    x->depth = t->depth + 1;
    x->more = false;
}

void sy_explain_json_end(sy_explain_out *x)
{
    close_to(x, 0);
}
