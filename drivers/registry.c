/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of devices and the slot where drivers find the one in force.
 *
 * Hash tables beside the caller's array: devices by id and by MN, topics by their text. A topic
 * ending in "/#" is kept under what stands before it, so that a lookup tries the whole topic and
 * then its parents, longest first, without building any text. The slot is a pointer under a lock: a
 * reload swaps it, and the count of references keeps the old table until its last user is done.
 */
#include "drivers/registry.h"

#include <pthread.h>
#include <stdlib.h>

#include "drivers/formats/sparkplug.h"

#define HASH_NONFATAL_OOM         1
#define uthash_nonfatal_oom(elem) (oom = true)
#define HASH_BKT_CAPACITY_THRESH  2U /* short chains: this is asked for every message */
#include <uthash.h>

typedef struct node {
    const sy_device *device;
    UT_hash_handle hh;
} node;

typedef struct index_tables {
    node *by_id;
    node *exact; /* topics as they are */
    node *below; /* topics ending in "/#", by what stands before */
    node *by_mn;
    node *by_node; /* of Sparkplug */
    node *nodes;
} index_tables;

struct sy_registry_slot {
    pthread_mutex_t lock;
    sy_registry *current;
};

static node *find(node *head, sy_span key)
{
    node *found = NULL;
    HASH_FIND(hh, head, key.p, key.n, found);
    return found;
}

/* SY_E_EXISTS where the key is taken. */
static sy_err add(node **head, node *n, sy_span key, const char *what, sy_fail *f)
{
    bool oom = false;
    const node *other = find(*head, key);
    if (other)
        return sy_fail_set(f, SY_E_EXISTS, "two devices have the %s '%.*s': %s and %s", what,
                           (int)key.n, key.p, other->device->id, n->device->id);
    HASH_ADD_KEYPTR(hh, *head, key.p, (unsigned)key.n, n);
    return oom ? sy_fail_set(f, SY_E_NOMEM, "no memory for the table of devices") : SY_OK;
}

static bool below_topic(sy_span *topic)
{
    if (topic->n < 2 || memcmp(topic->p + topic->n - 2, "/#", 2) != 0)
        return false;
    topic->n -= 2;
    return true;
}

static sy_err fill(index_tables *x, const sy_device *devices, size_t n, sy_fail *f)
{
    for (size_t i = 0; i < n; i++) {
        node *id = &x->nodes[4 * i], *topic = id + 1, *mn = id + 2, *spb = id + 3;
        id->device = topic->device = mn->device = spb->device = &devices[i];
        sy_span key = sy_span_of(devices[i].id);
        if (key.n == 0)
            return sy_fail_set(f, SY_E_USAGE, "device %zu has no id", i + 1);
        sy_err e = add(&x->by_id, id, key, "id", f);
        if (e != SY_OK)
            return e;
        key = sy_span_of(devices[i].mn);
        e = key.n > 0 ? add(&x->by_mn, mn, key, "MN", f) : SY_OK;
        if (e != SY_OK)
            return e;
        key = sy_span_of(devices[i].node);
        e = key.n > 0 ? add(&x->by_node, spb, key, "node", f) : SY_OK;
        if (e != SY_OK)
            return e;
        key = sy_span_of(devices[i].topic);
        if (key.n == 0)
            continue;
        node **head = below_topic(&key) ? &x->below : &x->exact;
        e = add(head, topic, key, "topic", f);
        if (e != SY_OK)
            return e;
    }
    return SY_OK;
}

static void tables_free(index_tables *x)
{
    if (!x)
        return;
    HASH_CLEAR(hh, x->by_id);
    HASH_CLEAR(hh, x->exact);
    HASH_CLEAR(hh, x->below);
    HASH_CLEAR(hh, x->by_mn);
    HASH_CLEAR(hh, x->by_node);
    free(x->nodes);
    free(x);
}

sy_err sy_registry_make(sy_registry **out, const sy_device *devices, size_t n,
                        void (*free_owner)(void *), void *owner, sy_fail *f)
{
    sy_registry *r = calloc(1, sizeof *r);
    index_tables *x = calloc(1, sizeof *x);
    sy_err e = SY_E_NOMEM;
    if (x)
        x->nodes = calloc(n > 0 ? n : 1, 4 * sizeof *x->nodes);
    if (!r || !x || !x->nodes) {
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for the table of devices");
        goto fail;
    }
    e = fill(x, devices, n, f);
    if (e != SY_OK)
        goto fail;
    *r = (sy_registry){devices, n, x, free_owner, owner, 1};
    *out = r;
    return SY_OK;
fail:
    tables_free(x);
    free(r);
    return e;
}

sy_registry *sy_registry_ref(sy_registry *r)
{
    __atomic_add_fetch(&r->refs, 1, __ATOMIC_RELAXED);
    return r;
}

void sy_registry_unref(sy_registry *r)
{
    if (!r || __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    tables_free(r->index);
    if (r->free)
        r->free(r->owner);
    free(r);
}

const sy_device *sy_registry_by_id(const sy_registry *r, sy_span id)
{
    const index_tables *x = r->index;
    const node *found = id.n > 0 ? find(x->by_id, id) : NULL;
    return found ? found->device : NULL;
}

/* The node that writes this topic: its name is the topic without the type and the device. */
static const node *of_node(const index_tables *x, sy_span topic)
{
    char name[SY_SPB_TOPIC];
    sy_spb_topic t = x->by_node ? sy_spb_topic_of(topic) : (sy_spb_topic){.kind = SY_SPB_NONE};
    size_t n = t.group.n + 1 + t.node.n;
    if (t.kind == SY_SPB_NONE || n > sizeof name)
        return NULL;
    memcpy(name, t.group.p, t.group.n);
    name[t.group.n] = '/';
    memcpy(name + t.group.n + 1, t.node.p, t.node.n);
    return find(x->by_node, (sy_span){name, n});
}

const sy_device *sy_registry_by_topic(const sy_registry *r, sy_span topic)
{
    const index_tables *x = r->index;
    if (topic.n == 0)
        return NULL;
    const node *found = find(x->exact, topic);
    found = found ? found : of_node(x, topic);
    while (!found) {
        found = find(x->below, topic);
        const char *cut = topic.n > 0 ? memrchr(topic.p, '/', topic.n) : NULL;
        if (!cut)
            break;
        topic.n = (size_t)(cut - topic.p);
    }
    return found ? found->device : NULL;
}

const sy_device *sy_registry_by_mn(const sy_registry *r, sy_span mn)
{
    const index_tables *x = r->index;
    const node *found = mn.n > 0 ? find(x->by_mn, mn) : NULL;
    return found ? found->device : NULL;
}

bool sy_device_from(const sy_device *d, const unsigned char addr[16])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (!d->from.set)
        return false;
    int bits = d->from.bits;
    bool v4 = memcmp(addr, mapped, sizeof mapped) == 0;
    if (v4 == d->from.v6)
        return false;
    if (v4)
        addr += 12;
    if (bits < 0 || bits > (v4 ? 32 : 128))
        return false;
    size_t whole = (size_t)bits / 8;
    if (memcmp(addr, d->from.addr, whole) != 0)
        return false;
    unsigned mask = 0xff00u >> (bits % 8) & 0xffu;
    return bits % 8 == 0 || ((addr[whole] ^ d->from.addr[whole]) & mask) == 0;
}

sy_err sy_registry_slot_open(sy_registry_slot **out, sy_registry *first, sy_fail *f)
{
    sy_registry_slot *s = calloc(1, sizeof *s);
    if (!s)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the slot of the devices");
    pthread_mutex_init(&s->lock, NULL);
    s->current = first;
    *out = s;
    return SY_OK;
}

void sy_registry_slot_set(sy_registry_slot *s, sy_registry *next)
{
    pthread_mutex_lock(&s->lock);
    sy_registry *old = s->current;
    s->current = next;
    pthread_mutex_unlock(&s->lock);
    sy_registry_unref(old);
}

sy_registry *sy_registry_slot_get(sy_registry_slot *s)
{
    pthread_mutex_lock(&s->lock);
    sy_registry *r = sy_registry_ref(s->current);
    pthread_mutex_unlock(&s->lock);
    return r;
}

void sy_registry_slot_close(sy_registry_slot *s)
{
    if (!s)
        return;
    sy_registry_unref(s->current);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
