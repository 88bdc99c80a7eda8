/* SPDX-License-Identifier: Apache-2.0 */
/* What a device says as a value of a point. Guessing would judge wrongly, so what is not certain is
 * refused with the reason: text where a number is due, a unit of another kind, a truth value or a
 * number for a state whose words nobody mapped to them. */
#include <math.h>

#include "pipeline/decode.h"

enum { SHOWN = 40 }; /* bytes of a device's text in a reason */

static int shown(sy_span s)
{
    return s.n < SHOWN ? (int)s.n : SHOWN;
}

static bool unitless(sy_span unit)
{
    return unit.n == 0 || sy_span_is(unit, "1") || sy_span_is(unit, "/") ||
           sy_span_is(unit, "count") || sy_span_is(unit, "pH");
}

/* Relative humidity that the device writes as a plain percentage: the same number. */
static bool humidity(const sy_unit *from, const sy_unit *to)
{
    return from && to && strcmp(from->id, "%") == 0 && strcmp(to->id, "%RH") == 0;
}

static sy_err quantity(const sy_site_point *point, const sy_record *rec, double *value,
                       sy_quality *quality, sy_fail *why)
{
    if (rec->kind == SY_REC_TEXT)
        return sy_fail_set(why, SY_E_RANGE, "a number written as text");
    if (rec->kind != SY_REC_NUMBER)
        return sy_fail_set(why, SY_E_RANGE, "%s where a number is due",
                           rec->kind == SY_REC_BOOL ? "a truth value" : "nothing");
    if (!isfinite(rec->number))
        return sy_fail_set(why, SY_E_RANGE, "not a finite number");
    *value = rec->number;
    if (rec->unit.n == 0 || (point->unit == NULL && unitless(rec->unit)))
        return SY_OK;
    const sy_unit *from = sy_unit_of_device(rec->unit);
    const sy_unit *to = point->unit ? sy_unit_by_id(point->unit) : NULL;
    if (humidity(from, to))
        return SY_OK;
    if (!sy_unit_convertible(from, to))
        return sy_fail_set(why, SY_E_RANGE, "unit '%.*s' does not convert to %s", shown(rec->unit),
                           rec->unit.p, point->unit ? point->unit : "a plain number");
    if (from == to || strcmp(from->id, to->id) == 0)
        return SY_OK;
    *value = sy_unit_convert(rec->number, from, to);
    *quality |= SY_Q_UNIT_CONVERTED;
    return isfinite(*value) ? SY_OK : sy_fail_set(why, SY_E_RANGE, "not a finite number");
}

/* The value as JSON text, as the configuration writes a device's spelling of a state. */
static void spelled(const sy_record *rec, sy_buf *out)
{
    if (rec->kind == SY_REC_BOOL)
        sy_buf_text(out, rec->number != 0 ? "true" : "false");
    else if (rec->kind == SY_REC_NUMBER)
        sy_buf_double(out, rec->number);
    else
        sy_buf_json(out, rec->text);
}

static sy_err state(const sy_config *config, const sy_site_point *point, const sy_channel *channel,
                    const sy_record *rec, double *value, sy_fail *why)
{
    if (rec->kind == SY_REC_NULL)
        return sy_fail_set(why, SY_E_RANGE, "nothing where a state is due");
    int found = -1;
    if (channel->n_states > 0) {
        sy_buf text;
        sy_buf_init(&text, sy_heap());
        spelled(rec, &text);
        bool failed = text.failed;
        for (size_t i = 0; i < channel->n_states && !failed && found < 0; i++)
            if (sy_span_is(sy_buf_span(&text), channel->states[i].text) ||
                (rec->kind == SY_REC_TEXT && sy_span_is(rec->text, channel->states[i].text)))
                found = channel->states[i].state;
        sy_buf_fini(&text);
        if (failed)
            return sy_fail_set(why, SY_E_NOMEM, "out of memory");
    }
    if (found < 0 && rec->kind == SY_REC_TEXT) {
        const sy_word *word = sy_vocab_id(config->vocab, sy_span_of(point->quantity));
        found = word ? sy_word_value_find(word, rec->text) : -1;
    }
    if (found < 0)
        return rec->kind == SY_REC_TEXT
                   ? sy_fail_set(why, SY_E_RANGE, "'%.*s' is no value of %s", shown(rec->text),
                                 rec->text.p, point->quantity)
                   : sy_fail_set(why, SY_E_RANGE, "%s has no value for this; map it by `states:`",
                                 point->quantity);
    *value = found;
    return SY_OK;
}

sy_err sy_decode_value(const sy_config *config, const sy_channel *channel, const sy_record *rec,
                       double *value, sy_quality *quality, sy_fail *why)
{
    const sy_site_point *point = &config->site->points[channel->point];
    if (point->is_state)
        return state(config, point, channel, rec, value, why);
    sy_err err = quantity(point, rec, value, quality, why);
    if (err)
        return err;
    if ((!isnan(point->range_lo) && *value < point->range_lo) ||
        (!isnan(point->range_hi) && *value > point->range_hi))
        *quality = sy_quality_worsen(*quality, SY_Q_BAD, SY_Q_OUT_OF_RANGE);
    return SY_OK;
}
