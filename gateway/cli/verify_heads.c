/* SPDX-License-Identifier: Apache-2.0 */
/* Heads from outside, and the restores that explain why the ledger does not continue some. */
#include <jansson.h>

#include "cli/heads_file.h"
#include "cli/verify_dir.h"
#include "store/leaves.h"

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

void sy_verify_action(sy_verifying *v, uint64_t index, const json_t *o)
{
    char time[25];
    v->count.others++;
    if (strcmp(text_of(o, "what"), "restore") != 0)
        return;
    sy_ms at = json_integer_value(json_object_get(o, "time"));
    sy_time_text(at, time);
    sy_check_say(v->c, SY_FOUND_NOTE,
                 "ledger: from leaf %llu on it goes on from a backup (%s, %.128s: %.200s)",
                 "账本：自第 %llu 叶起由备份恢复后继续（%s，%.128s：%.200s）",
                 (unsigned long long)index, time, text_of(o, "who"), text_of(o, "why"));
    if (v->n_restores < SY_VERIFY_RESTORES)
        v->restores[v->n_restores++] = (sy_verify_restore){.leaf = index, .time = at};
}

/* The head was signed over leaves that a restore lost, before it. */
static bool lost(sy_verifying *v, const sy_head *h)
{
    for (size_t i = 0; i < v->n_restores; i++) {
        sy_verify_restore *r = &v->restores[i];
        if (h->size <= r->leaf || h->time > r->time)
            continue;
        r->heads++;
        r->most = h->size > r->most ? h->size : r->most;
        return true;
    }
    return false;
}

typedef struct comparing {
    sy_verifying *v;
    uint64_t good;
} comparing;

/* Who vouches for a head that was sent before its key was certified does not matter here: whoever
 * brings it received it, and the ledger continues it or does not. */
static void compare(void *ctx, const sy_signed_head *h)
{
    comparing *x = ctx;
    sy_verifying *v = x->v;
    sy_proof_facts facts;
    sy_fail why = {0};
    if (!h) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "heads: an entry is not in the form of a signed head",
                     "签名头文件：有一项格式不符");
        return;
    }
    if (sy_signed_head_check(h, (sy_span){NULL, 0}, &facts, &why)) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "heads: %s", "签名头文件：%s", why.text);
        return;
    }
    sy_digest root; /* from stored subtrees, which were compared with the leaves */
    bool there = facts.head.size <= v->n;
    if (there && sy_store_root(v->store, facts.head.size, &root, &why) == SY_OK &&
        sy_digest_equal(&root, &facts.head.root))
        x->good++;
    else if (lost(v, &facts.head))
        return;
    else if (!there)
        sy_check_say(v->c, SY_FOUND_BROKEN,
                     "the ledger was cut: it has %llu leaves, but had sent a head of %llu",
                     "账本被截：现有 %llu 叶，但曾发出含 %llu 叶的签名头", (unsigned long long)v->n,
                     (unsigned long long)facts.head.size);
    else
        sy_check_say(v->c, SY_FOUND_BROKEN,
                     "the ledger was rewritten: its first %llu leaves are not those of the head "
                     "that was sent",
                     "账本被改写：前 %llu 叶与曾发出的签名头不符",
                     (unsigned long long)facts.head.size);
}

void sy_verify_heads_file(sy_verifying *v, const char *path)
{
    comparing x = {.v = v};
    sy_fail why = {0};
    sy_err e = sy_heads_file(path, compare, &x, &why);
    if (e == SY_E_PARSE) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "heads: %s", "签名头文件：%s", why.text);
    } else if (e) {
        if (v->f)
            *v->f = why;
        v->err = e;
        return;
    }
    for (size_t i = 0; i < v->n_restores; i++) {
        const sy_verify_restore *r = &v->restores[i];
        if (r->heads)
            sy_check_say(
                v->c, SY_FOUND_NOTE,
                "gap: %llu heads that were sent, over up to %llu leaves, are of what was "
                "lost when the ledger was restored to %llu leaves",
                "缺口：%llu 个曾发出的签名头（至 %llu 叶）属于账本恢复至 %llu 叶时丢失的部分",
                (unsigned long long)r->heads, (unsigned long long)r->most,
                (unsigned long long)r->leaf);
    }
    sy_check_say(v->c, SY_FOUND_FINE, "the ledger continues %llu heads that were sent earlier",
                 "账本延续了 %llu 个先前发出的签名头", (unsigned long long)x.good);
}
