/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was refused, as the table keeps it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/refused.h"

static void refuse(sy_refused *t, const char *who, const char *reason, sy_ms now)
{
    sy_refusal r = {.transport = SY_TRANSPORT_MQTT,
                    .why = SY_REJECT_NOT_ALLOWED,
                    .reason = reason,
                    .who = sy_span_of(who),
                    .peer = "192.0.2.7",
                    .detail = "wrong"};
    sy_refused_note(t, &r, now);
}

static char *json_of(sy_refused *t, sy_buf *b)
{
    sy_buf_init(b, sy_heap());
    sy_refused_json(t, b);
    assert_false(b->failed);
    return b->p;
}

static void each_name_and_reason_is_counted(void **state)
{
    (void)state;
    sy_refused *t = sy_refused_open();
    refuse(t, "a", "wrong-password", 1000);
    refuse(t, "b", NULL, 2000);
    refuse(t, "a", "wrong-password", 3000);
    refuse(t, "a", "stolen-topic", 2500);
    refuse(t, "a", "wrong-password", 4000);
    sy_buf b;
    const char *json = json_of(t, &b);
    assert_non_null(strstr(json, "\"total\":5,\"forgotten\":0"));
    assert_non_null(strstr(json, "[{\"transport\":\"mqtt\",\"device\":\"a\",\"reason\":"
                                 "\"wrong-password\",\"count\":3,\"last\":"
                                 "\"1970-01-01T00:00:04.000Z\",\"peer\":\"192.0.2.7\","
                                 "\"detail\":\"wrong\"}"));
    assert_non_null(strstr(json, "\"device\":\"b\",\"reason\":\"not-allowed\",\"count\":1"));
    sy_buf_fini(&b);
    sy_refused_close(t);
}

static void made_up_names_do_not_push_out_what_goes_on(void **state)
{
    (void)state;
    sy_refused *t = sy_refused_open();
    refuse(t, "real", "wrong-password", 1);
    refuse(t, "real", "wrong-password", 2);
    for (int i = 0; i < 1000; i++) {
        char name[20];
        snprintf(name, sizeof name, "n%d", i);
        refuse(t, name, "unknown-device", 10 + i);
    }
    sy_buf b;
    const char *json = json_of(t, &b);
    char forgotten[60];
    snprintf(forgotten, sizeof forgotten, "\"forgotten\":%d,", 1001 - SY_REFUSED_MAX);
    assert_non_null(strstr(json, forgotten));
    assert_non_null(strstr(json, "\"device\":\"real\""));
    assert_non_null(strstr(json, "\"device\":\"n999\""));
    assert_null(strstr(json, "\"device\":\"n100\""));
    sy_buf_fini(&b);
    sy_refused_close(t);
}

static void hostile_names_are_shown_harmlessly(void **state)
{
    (void)state;
    sy_refused *t = sy_refused_open();
    char longest[300];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    refuse(t, "a\x1b[2J\xff\n\"", "wrong-password", 1);
    refuse(t, longest, "wrong-password", 2);
    sy_buf b;
    const char *json = json_of(t, &b);
    assert_non_null(strstr(json, "\"a?[2J??\\\"\""));
    assert_non_null(strstr(json, "\"xxx"));
    for (const char *p = json; *p; p++) {
        assert_true((unsigned char)*p >= 0x20);
    }
    assert_true(b.n < 800);
    sy_buf_fini(&b);
    sy_refused_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_and_reason_is_counted),
        cmocka_unit_test(made_up_names_do_not_push_out_what_goes_on),
        cmocka_unit_test(hostile_names_are_shown_harmlessly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
