/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What replay writes is what the formats read: names, values and times to the millisecond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/replay_int.h"
#include "drivers/formats/format.h"

static const sy_ms noon = 1780372800123;
static const sy_channel channels[] = {{.name = "temperature"}, {.name = "door"}};
static const sy_map_row map[] = {
    {"temperature", "$.a.list[2].t"}, {"door", "$.a.door"}, {"time", "$.ts"}};

static sy_device device_of(const char *format)
{
    return (sy_device){.id = "d",
                       .transport = SY_TRANSPORT_COAP,
                       .format = format,
                       .map = map,
                       .n_map = strcmp(format, "json") == 0 ? 3 : 0,
                       .channels = channels,
                       .n_channels = 2};
}

static void add(sy_replay_step *s, const sy_device *d, size_t channel, sy_ms t, const char *value)
{
    void *rows = s->rows;
    assert_int_equal(sy_grow(sy_heap(), &rows, &s->cap_rows, s->n_rows + 1, sizeof *s->rows),
                     SY_OK);
    s->rows = rows;
    s->rows[s->n_rows] = (sy_replay_row){.device = d,
                                         .channel = &channels[channel],
                                         .t = t,
                                         .value_at = s->text.n,
                                         .value_n = strlen(value),
                                         .order = s->n_rows};
    s->n_rows++;
    sy_buf_text(&s->text, value);
}

typedef struct seen {
    size_t n;
    char text[512];
    sy_ms t;
} seen;

static sy_err note(void *ctx, const sy_record *r)
{
    seen *s = ctx;
    size_t at = strlen(s->text);
    if (r->kind == SY_REC_TEXT) {
        snprintf(s->text + at, sizeof s->text - at, "%.*s=%.*s ", (int)r->name.n, r->name.p,
                 (int)r->text.n, r->text.p);
    } else {
        snprintf(s->text + at, sizeof s->text - at, "%.*s=%.17g ", (int)r->name.n, r->name.p,
                 r->number);
    }
    s->t = r->has_time ? r->time : 0;
    s->n++;
    return SY_OK;
}

static seen decode(const sy_replay_step *s, size_t i)
{
    const sy_replay_message *m = &s->messages[i];
    const sy_format *format = sy_format_find(sy_span_of(m->device->format));
    seen got = {0};
    sy_fail f = {0};
    sy_span payload = {s->payload.p + m->at, m->n};
    if (format->decode(payload, m->device->n_map ? m->device : NULL, note, &got, &f)) {
        fail_msg("%s: %s", m->device->format, f.text);
    }
    return got;
}

static void each_format_reads_what_was_written(void **state)
{
    (void)state;
    static const char *const formats[] = {"senml-json", "senml-cbor", "json"};
    const sy_config c = {0};
    for (size_t i = 0; i < 3; i++) {
        sy_device d = device_of(formats[i]);
        sy_replay_step s;
        sy_replay_step_init(&s);
        add(&s, &d, 0, noon, "-18.100000000000001");
        add(&s, &d, 1, noon, "open");
        add(&s, &d, 0, noon + 1, "0.1");
        assert_int_equal(sy_replay_encode(&c, &s, NULL), SY_OK);
        assert_int_equal(s.n_messages, 2);
        seen got = decode(&s, 0);
        assert_int_equal(got.n, 2);
        assert_string_equal(got.text, "temperature=-18.100000000000001 door=open ");
        assert_true(got.t == noon);
        got = decode(&s, 1);
        assert_string_equal(got.text, "temperature=0.10000000000000001 ");
        assert_true(got.t == noon + 1);
        sy_replay_step_fini(&s);
    }
}

static void a_bare_number_carries_one_reading_and_no_time(void **state)
{
    (void)state;
    const sy_config c = {0};
    sy_device d = device_of("number"), j = device_of("json");
    assert_true(sy_replay_timeless(&d));
    assert_false(sy_replay_timeless(&j));
    j.n_map = 2;
    assert_true(sy_replay_timeless(&j));
    sy_replay_step s;
    sy_replay_step_init(&s);
    add(&s, &d, 0, noon, "7.25");
    assert_int_equal(sy_replay_encode(&c, &s, NULL), SY_OK);
    assert_string_equal(decode(&s, 0).text, "=7.25 ");
    add(&s, &d, 1, noon, "1");
    sy_buf_reset(&s.payload);
    assert_int_equal(sy_replay_encode(&c, &s, NULL), SY_E_USAGE);
    sy_replay_step_fini(&s);
}

/* Two values of one point at one time are two messages: a plain JSON object cannot hold both. */
static void two_values_of_one_instant_are_two_messages(void **state)
{
    (void)state;
    const sy_config c = {0};
    sy_device d = device_of("json");
    sy_replay_step s;
    sy_replay_step_init(&s);
    add(&s, &d, 0, noon, "1");
    add(&s, &d, 0, noon, "2");
    assert_int_equal(sy_replay_encode(&c, &s, NULL), SY_OK);
    assert_int_equal(s.n_messages, 2);
    assert_string_equal(decode(&s, 0).text, "temperature=1 ");
    assert_string_equal(decode(&s, 1).text, "temperature=2 ");
    sy_replay_step_fini(&s);
}

static void a_shuffle_keeps_every_message_and_depends_on_the_seed_alone(void **state)
{
    (void)state;
    const sy_config c = {0};
    sy_device d = device_of("senml-json");
    size_t order[2][20];
    for (size_t round = 0; round < 2; round++) {
        sy_replay_step s;
        sy_replay_step_init(&s);
        uint64_t seed = 7, sum = 0;
        for (size_t i = 0; i < 20; i++) {
            add(&s, &d, 0, noon + (sy_ms)i, "1");
        }
        assert_int_equal(sy_replay_encode(&c, &s, NULL), SY_OK);
        sy_replay_shuffle(&s, &seed);
        bool moved = false;
        for (size_t i = 0; i < 20; i++) {
            order[round][i] = s.messages[i].row;
            sum += s.messages[i].row;
            moved = moved || s.messages[i].row != i;
        }
        assert_int_equal(sum, 190);
        assert_true(moved);
        sy_replay_step_fini(&s);
    }
    assert_memory_equal(order[0], order[1], sizeof order[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_reads_what_was_written),
        cmocka_unit_test(a_bare_number_carries_one_reading_and_no_time),
        cmocka_unit_test(two_values_of_one_instant_are_two_messages),
        cmocka_unit_test(a_shuffle_keeps_every_message_and_depends_on_the_seed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
