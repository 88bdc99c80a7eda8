/* SPDX-License-Identifier: Apache-2.0 */
/* The page of the gateways' ledgers: what is in doubt first, then each ledger's newest head. */
#include "inbox/view.h"

enum { FLAGS_MAX = 200, SHORT = 16 };

static sy_word_id word_of(const char *kind)
{
    static const struct {
        const char *kind;
        sy_word_id word;
    } words[] = {
        {"forked", SY_W_F_FORKED},     {"cut", SY_W_F_CUT},
        {"unkept", SY_W_F_UNKEPT},     {"inconsistent", SY_W_F_INCONSISTENT},
        {"cloned", SY_W_F_CLONED},     {"moved", SY_W_F_MOVED},
        {"key", SY_W_F_KEY},           {"bad-proof", SY_W_F_BAD_PROOF},
        {"bad-head", SY_W_F_BAD_HEAD}, {"restored", SY_W_F_RESTORED},
        {"unsigned", SY_W_F_UNSIGNED},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(kind, words[i].kind) == 0) {
            return words[i].word;
        }
    }
    return SY_W_F_NO_PROOF;
}

void sy_view_verdict(const sy_view *v, const char *verdict)
{
    sy_word_id w = SY_W_P_NONE;
    if (!verdict) {
        return;
    }
    if (strcmp(verdict, "proven") == 0) {
        w = SY_W_P_PROVEN;
    } else if (strcmp(verdict, "uncertified") == 0) {
        w = SY_W_P_UNCERTIFIED;
    } else if (strcmp(verdict, "redacted") == 0) {
        w = SY_W_P_REDACTED;
    } else if (strncmp(verdict, "bad", 3) == 0) {
        w = SY_W_P_BAD;
    }
    sy_view_raw(v, " · ");
    sy_view_word(v, w);
}

typedef struct list {
    const sy_view *v;
    int n;
} list;

static void add_flag(void *ctx, const sy_inbox_flag *g)
{
    list *l = ctx;
    const sy_view *v = l->v;
    l->n++;
    sy_view_raw(v, "<li class=\"l4\"><b>");
    sy_view_word(v, word_of(g->kind));
    sy_view_raw(v, "</b> ");
    sy_view_time(v, g->received);
    sy_view_raw(v, "<br><span class=\"id\">");
    sy_view_text(v, g->source);
    sy_view_raw(v, " · ");
    sy_view_text(v, g->text);
    sy_view_raw(v, "</span></li>\n");
}

static void short_text(const sy_view *v, sy_word_id w, const char *text)
{
    char part[SHORT + 1] = "";
    memcpy(part, text, strnlen(text, SHORT));
    sy_view_raw(v, " · ");
    sy_view_word(v, w);
    sy_view_raw(v, " ");
    sy_view_text(v, part);
}

static void add_ledger(void *ctx, const sy_inbox_ledger *l)
{
    list *i = ctx;
    const sy_view *v = i->v;
    i->n++;
    sy_view_raw(v, "<li><b>");
    sy_view_text(v, l->source);
    sy_buf_printf(v->out, "</b> %lld ", (long long)l->size);
    sy_view_word(v, SY_W_LEAVES);
    sy_buf_printf(v->out, " · %lld ", (long long)l->heads);
    sy_view_word(v, SY_W_HEADS);
    sy_view_raw(v, "<br>");
    sy_view_word(v, SY_W_SIGNED);
    sy_view_raw(v, " ");
    sy_view_time(v, l->time);
    sy_view_raw(v, " · ");
    sy_view_word(v, l->certified ? SY_W_CERTIFIED : SY_W_UNCERTIFIED);
    sy_view_raw(v, "<br><span class=\"id\">");
    sy_view_text(v, l->root);
    short_text(v, SY_W_BOX, l->box);
    short_text(v, SY_W_KEY, l->kid);
    sy_view_raw(v, "</span></li>\n");
}

static void empty(const sy_view *v, sy_word_id w)
{
    sy_view_raw(v, "<li class=\"empty\">");
    sy_view_word(v, w);
    sy_view_raw(v, "</li>");
}

sy_err sy_view_ledgers(const sy_view *v, sy_fail *f)
{
    list flags = {v, 0}, ledgers = {v, 0};
    sy_view_open(v, false);
    sy_view_back(v);
    sy_view_raw(v, "<main><section><h1>");
    sy_view_word(v, SY_W_FLAGS);
    sy_view_raw(v, "</h1><ol>\n");
    sy_err e = sy_inbox_db_flags(v->db, FLAGS_MAX, add_flag, &flags, f);
    if (flags.n == 0) {
        empty(v, SY_W_NO_FLAGS);
    }
    sy_view_raw(v, "</ol></section><section><h2>");
    sy_view_word(v, SY_W_LEDGERS);
    sy_view_raw(v, "</h2><ol>\n");
    e = e != SY_OK ? e : sy_inbox_db_ledgers(v->db, add_ledger, &ledgers, f);
    if (ledgers.n == 0) {
        empty(v, SY_W_NO_LEDGER);
    }
    sy_view_raw(v, "</ol></section></main>");
    sy_view_close(v, "/ledger");
    return e;
}
