/* SPDX-License-Identifier: Apache-2.0 */
/* What LwM2M paths mean: the registry as data (lwm2m.def), and what an instance says of itself. */
#include "drivers/formats/lwm2m.h"

enum {
    ANY = INT32_MAX,
    REUSABLE = 2048, /* resources of all objects have ids from here on */
    UNIT = 5701,
    TIMESTAMP = 5518,
    QUALITY = 6042,
    INSTANCES = 64, /* that may say something of themselves in one message */
};

typedef struct resource {
    int32_t object;
    uint16_t id;
    sy_lwm2m_kind kind;
    const char *unit, *name;
} resource;

/* Ascending by (object, id). */
static const resource resources[] = {
#define SY_OBJECT(id, name)
#define SY_RESOURCE(object, id, kind, unit, name) {object, id, SY_LWM2M_KIND_##kind, unit, name},
#include "drivers/formats/lwm2m.def"
#undef SY_RESOURCE
#undef SY_OBJECT
};

static const struct {
    int32_t id;
    const char *name;
} objects[] = {
#define SY_OBJECT(id, name) {id, name},
#define SY_RESOURCE(object, id, kind, unit, name)
#include "drivers/formats/lwm2m.def"
#undef SY_RESOURCE
#undef SY_OBJECT
};

static const resource *resource_of(const sy_lwm2m_path *p)
{
    int32_t object = p->id[2] >= REUSABLE ? ANY : p->id[0], id = p->id[2];
    size_t lo = 0, hi = sizeof resources / sizeof resources[0];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const resource *r = &resources[mid];
        if (r->object == object && r->id == id)
            return r;
        if (r->object < object || (r->object == object && r->id < id))
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static const char *object_name(int32_t id)
{
    size_t lo = 0, hi = sizeof objects / sizeof objects[0];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (objects[mid].id == id)
            return objects[mid].name;
        if (objects[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool sy_lwm2m_path_of(sy_span text, sy_lwm2m_level first, sy_lwm2m_path *out)
{
    size_t i = text.n && text.p[0] == '/' ? 1 : 0, at = (size_t)first;
    *out =
        (sy_lwm2m_path){{SY_LWM2M_UNKNOWN, SY_LWM2M_UNKNOWN, SY_LWM2M_UNKNOWN, SY_LWM2M_UNKNOWN}};
    while (i < text.n) {
        int32_t id = 0;
        size_t from = i;
        for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && id <= 65535; i++)
            id = id * 10 + (text.p[i] - '0');
        if (i == from || id > 65535 || at > 3 || (i < text.n && text.p[i] != '/'))
            return false;
        out->id[at++] = id;
        i++;
    }
    return at > (size_t)first;
}

sy_lwm2m_kind sy_lwm2m_kind_of(const sy_lwm2m_path *p)
{
    const resource *r = resource_of(p);
    return r ? r->kind : SY_LWM2M_KIND_UNKNOWN;
}

/* What an instance says about its values. */
typedef struct self {
    int32_t object, instance;
    sy_span unit;
    const sy_record *time, *quality;
} self;

static self *self_of(self *all, size_t *n, const sy_lwm2m_path *p, bool add)
{
    for (size_t i = 0; i < *n; i++)
        if (all[i].object == p->id[0] && all[i].instance == p->id[1])
            return &all[i];
    if (!add || *n == INSTANCES)
        return NULL;
    all[*n] = (self){.object = p->id[0], .instance = p->id[1]};
    return &all[(*n)++];
}

/* At a glance: the most of a message is values. */
static bool of_itself(sy_span name)
{
    char last = name.n ? name.p[name.n - 1] : '\0';
    return last == '1' || last == '8' || last == '2';
}

static size_t gather(self *all, const sy_record *v, size_t n, sy_lwm2m_level first)
{
    size_t selves = 0;
    for (size_t i = 0; i < n; i++) {
        sy_lwm2m_path p;
        if (!of_itself(v[i].name) || !sy_lwm2m_path_of(v[i].name, first, &p))
            continue;
        bool unit = p.id[2] == UNIT && v[i].kind == SY_REC_TEXT;
        bool number = v[i].kind == SY_REC_NUMBER;
        if (!unit && !(number && (p.id[2] == TIMESTAMP || p.id[2] == QUALITY)))
            continue;
        self *s = self_of(all, &selves, &p, true);
        if (!s)
            break;
        if (unit)
            s->unit = v[i].text;
        else
            *(p.id[2] == TIMESTAMP ? &s->time : &s->quality) = &v[i];
    }
    return selves;
}

/* 6042: 1 rejected with certainty, 2 with probability, 3 accepted but suspicious; 0 unchecked. */
static sy_quality judged(double indicator)
{
    if (indicator == 1 || indicator == 2)
        return SY_Q_BAD | SY_Q_DEVICE_FAULT;
    return indicator == 3 ? SY_Q_UNCERTAIN : SY_Q_GOOD;
}

static void told(sy_record *r, const resource *what, const self *s)
{
    bool own = what && strcmp(what->unit, "own") == 0;
    if (r->unit.n == 0 && what && !own)
        r->unit = sy_span_of(what->unit);
    if (!s || r->kind != SY_REC_NUMBER)
        return;
    if (own && r->unit.n == 0)
        r->unit = s->unit;
    bool value = what && what->name[0] == '\0';
    if (value && s->time && !r->has_time)
        sy_record_time(r, s->time->number);
    if (value && s->quality)
        r->quality = sy_quality_worsen(r->quality, judged(s->quality->number) & SY_Q_GRADE,
                                       judged(s->quality->number) & ~(sy_quality)SY_Q_GRADE);
}

/* ".1" behind the n bytes that are there; how many there are then. An id has at most five digits.
 */
static size_t dotted(char *text, size_t n, int32_t id)
{
    char digits[8];
    size_t k = 0;
    do {
        digits[k++] = (char)('0' + id % 10);
        id /= 10;
    } while (id);
    text[n++] = '.';
    while (k)
        text[n++] = digits[--k];
    return n;
}

static sy_err local_name(sy_arena *a, sy_record *r, const sy_lwm2m_path *p, const resource *what)
{
    const char *object = object_name(p->id[0]);
    if (!object || !what)
        return SY_OK;
    bool plain = p->id[1] <= 0 && !what->name[0] && p->id[3] < 0;
    if (plain) {
        r->local = sy_span_of(object);
        return SY_OK;
    }
    size_t n = strlen(object), named = strlen(what->name);
    char *text = sy_arena_get(a, n + named + 16);
    if (!text)
        return SY_E_NOMEM;
    memcpy(text, object, n);
    if (p->id[1] > 0)
        n = dotted(text, n, p->id[1]);
    if (named) {
        text[n++] = '.';
        memcpy(text + n, what->name, named);
        n += named;
    }
    if (p->id[3] >= 0)
        n = dotted(text, n, p->id[3]);
    r->local = (sy_span){text, n};
    return SY_OK;
}

sy_err sy_lwm2m_finish(sy_arena *a, sy_record *v, size_t n, sy_lwm2m_level first)
{
    self all[INSTANCES];
    size_t selves = gather(all, v, n, first);
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++) {
        sy_lwm2m_path p;
        if (!sy_lwm2m_path_of(v[i].name, first, &p) || p.id[2] < 0)
            continue;
        const resource *what = resource_of(&p);
        e = local_name(a, &v[i], &p, what);
        told(&v[i], what, self_of(all, &selves, &p, false));
    }
    return e;
}
