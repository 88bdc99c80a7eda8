/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from the compiled conditions of an instance: where the parts of its state lie, what
 * they are in the beginning, and by what it is moved.
 */
#include "rules/judge_build.h"
#include "rules/judge_core.h"

void sy_judge__layout(build *b)
{
    inst *i = b->i;
    size_t at = (size_t)i->n_slots * (sizeof(slot_state) / 8);
    i->at_measures = (uint16_t)at;
    at += (size_t)i->n_measures * (sizeof(measure) / 8);
    i->at_stretches = (uint16_t)at;
    at += (size_t)i->n_excepts * (sizeof(stretch) / 8);
    i->at_levels = (uint16_t)at;
    at += (size_t)i->n_levels * (sizeof(level_state) / 8);
    i->at_silences = (uint16_t)at;
    at += (size_t)i->n_silences * (sizeof(silence) / 8);
    i->at_cums = (uint16_t)at;
    at += (size_t)i->n_cums * (sizeof(cum) / 8);
    i->at_samples = (uint16_t)at;
    at += b->n_samples * (sizeof(sample_state) / 8);
    i->at_runs = (uint16_t)at;
    at += (size_t)i->n_runs * (sizeof(run_state) / 8);
    i->at_curves = (uint16_t)at;
    at += (size_t)i->n_curves * (sizeof(curve_state) / 8);
    i->at_follows = (uint16_t)at;
    at += (size_t)i->n_follows * (sizeof(follow_state) / 8);
    i->n_words = (uint16_t)at;
    if (at > WORDS_MAX) {
        b->why = "the condition needs too many points";
    }
}

void sy_judge__figure_out(build *b)
{
    inst *i = b->i;
    bool cmp = false;
    i->timers = i->n_excepts > 0;
    for (uint32_t k = 0; k < i->n_levels; k++) {
        i->clocked = i->clocked || i->levels[k].cond.clocked;
        i->timers = i->timers || i->levels[k].cond.timers || i->levels[k].during;
    }
    if (i->has_clear) {
        i->clocked = i->clocked || i->clear.clocked;
        i->timers = i->timers || i->clear.timers;
    }
    i->has_silence = i->n_silences > 0;
    i->timers = i->timers || b->n_varies > 0 || i->has_phrases || b->n_closings > 0;
    for (uint32_t k = 0; k < i->n_slots; k++) {
        jslot *s = &i->slots[k];
        const sy_site_point *p = &b->j->o.site->points[s->point];
        s->bound = p->is_state ? 3 * p->every : 0;
        i->timers = i->timers || s->bound > 0 || i->clocked;
        cmp = cmp || s->cmp;
        i->reach = later(i->reach, later(s->wait, FLUTTER_MS));
    }
    i->mixed = cmp && i->clocked;
}

void sy_judge__state_init(const inst *i, state *s)
{
    memset(s, 0, st_bytes(i));
    s->t = SY_MS_NONE;
    s->tuned = SY_MS_NONE;
    s->alert.raised = SY_MS_NONE;
    for (uint32_t k = 0; k < i->n_slots; k++) {
        st_slots(s)[k].t = SY_MS_NONE;
    }
    for (uint32_t k = 0; k < i->n_measures; k++) {
        st_measures(i, s)[k].first = SY_MS_NONE;
        st_measures(i, s)[k].unk_since = SY_MS_NONE;
    }
    for (uint32_t k = 0; k < i->n_excepts; k++) {
        stretch *x = &st_stretches(i, s)[k];
        x->a = x->bridge = SY_MS_NONE;
        x->day = INT64_MIN;
    }
    for (uint32_t k = 0; k < i->n_runs; k++) {
        st_runs(i, s)[k].onset = st_runs(i, s)[k].to = SY_MS_NONE;
        st_runs(i, s)[k].last = SY_MS_NONE;
    }
    for (uint32_t k = 0; k < i->n_cums; k++) {
        st_cums(i, s)[k].since = SY_MS_NONE;
    }
    for (uint32_t k = 0; k < i->n_samples; k++) {
        st_samples(i, s)[k] = (sample_state){.t = SY_MS_NONE, .v = UNKNOWN3};
    }
    for (uint32_t k = 0; k < i->n_curves; k++) {
        st_curves(i, s)[k].begun = SY_MS_NONE;
    }
    for (uint32_t k = 0; k < i->n_follows; k++) {
        st_follows(i, s)[k] = (follow_state){.begun = SY_MS_NONE, .last_a = UNKNOWN3};
    }
    for (uint32_t k = 0; k < i->n_silences; k++) {
        st_silences(i, s)[k].since = SY_MS_NONE;
    }
}
