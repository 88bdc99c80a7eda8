/* SPDX-License-Identifier: Apache-2.0 */
/* The managed broker starts whatever became of its file of sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "mqtt_rig.h"

static sy_broker *start_broker(rig *r, const sy_registry *devices)
{
    static const char *const loopback[] = {"127.0.0.1:0"};
    sy_broker_options o = {.dir = r->dir,
                           .listen = loopback,
                           .n_listen = 1,
                           .max_payload = 1000,
                           .intake = &r->intake};
    sy_broker *b = NULL;
    sy_fail f = {0};
    if (sy_broker_start(&b, &o, devices, &f)) {
        fail_msg("%s", f.text);
    }
    return b;
}

/* What a power cut or a bad card may leave of the sessions; none of it keeps the gateway down. */
static void damaged_sessions_are_set_aside(void **state)
{
    static const sy_span left[] = {
        {"nonsense\n", 9},
        {"", 0},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24},
        {"\0\xB5\0mosquitto db\0\0\0\0\0\0\0\6\0\0\0\1\xff\xff\xff\xff", 30}};
    (void)state;
    sy_registry *devices = rig_devices("a");
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        rig r;
        char path[256], aside[256];
        rig_init(&r);
        snprintf(path, sizeof path, "%s/sessions.db", r.dir);
        snprintf(aside, sizeof aside, "%s/sessions.db.damaged", r.dir);
        assert_int_equal(sy_file_write(path, left[i], 0600, NULL), SY_OK);
        assert_int_equal(sy_broker_credential(r.dir, "a", "pa", NULL), SY_OK);
        sy_broker *b = start_broker(&r, devices);
        RIG_WAIT(rig_publish(sy_broker_port(b, 0), "a", "pa", "t/a", "here", NULL) == 0);
        if (i == 0)
            assert_int_equal(access(aside, F_OK), 0);
        sy_broker_stop(b);
        rig_fini(&r);
    }
    sy_registry_unref(devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_sessions_are_set_aside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
