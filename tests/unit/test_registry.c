/* SPDX-License-Identifier: Apache-2.0 */
/* The table of devices: lookups by id and topic, what is refused, references across a reload. */
#include "drivers/registry.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void count_free(void *owner)
{
    ++*(int *)owner;
}

static const char *owner_of(const sy_registry *r, const char *topic)
{
    const sy_device *d = sy_registry_by_topic(r, sy_span_of(topic));
    return d ? d->id : "";
}

static void finds_by_id_and_topic(void **state)
{
    (void)state;
    static const sy_device devices[] = {
        {.id = "a", .topic = "sites/42/a"},
        {.id = "b", .topic = "sites/42/#"},
        {.id = "c", .topic = "sites/42/deep/#"},
        {.id = "d"},
        {.id = "e", .topic = "/#"},
        {.id = "f", .topic = "sites/42/deep/one"},
    };
    int freed = 0;
    sy_registry *r;
    sy_fail f;
    assert_int_equal(sy_registry_make(&r, devices, 6, count_free, &freed, &f), SY_OK);
    assert_ptr_equal(sy_registry_by_id(r, sy_span_of("d")), &devices[3]);
    assert_null(sy_registry_by_id(r, sy_span_of("x")));
    assert_null(sy_registry_by_id(r, (sy_span){"", 0}));
    assert_ptr_equal(sy_registry_by_id(r, (sy_span){"abc", 1}), &devices[0]);
    assert_string_equal(owner_of(r, "sites/42/a"), "a");
    assert_string_equal(owner_of(r, "sites/42/a/more"), "b");
    assert_string_equal(owner_of(r, "sites/42"), "b");
    assert_string_equal(owner_of(r, "sites/42/deep"), "c");
    assert_string_equal(owner_of(r, "sites/42/deep/x/y"), "c");
    assert_string_equal(owner_of(r, "sites/42/deep/one"), "f");
    assert_string_equal(owner_of(r, "sites/421"), "");
    assert_string_equal(owner_of(r, "sites"), "");
    assert_string_equal(owner_of(r, "/any"), "e");
    assert_string_equal(owner_of(r, ""), "");
    sy_registry_unref(r);
    assert_int_equal(freed, 1);
}

static void refuses_what_is_there_twice(void **state)
{
    (void)state;
    static const sy_device same_id[] = {{.id = "a"}, {.id = "a"}};
    static const sy_device same_topic[] = {{.id = "a", .topic = "t"}, {.id = "b", .topic = "t"}};
    static const sy_device no_id[] = {{.id = ""}};
    int freed = 0;
    sy_registry *r = NULL;
    sy_fail f;
    assert_int_equal(sy_registry_make(&r, same_id, 2, count_free, &freed, &f), SY_E_EXISTS);
    assert_int_equal(sy_registry_make(&r, same_topic, 2, count_free, &freed, &f), SY_E_EXISTS);
    assert_string_equal(f.text, "two devices have the topic 't': a and b");
    assert_int_equal(sy_registry_make(&r, no_id, 1, count_free, &freed, &f), SY_E_USAGE);
    assert_null(r);
    assert_int_equal(freed, 0);
}

static void slot_keeps_the_old_for_its_users(void **state)
{
    (void)state;
    static const sy_device one[] = {{.id = "a"}};
    int freed_old = 0, freed_new = 0;
    sy_registry *old, *next;
    sy_registry_slot *slot;
    sy_fail f;
    assert_int_equal(sy_registry_make(&old, one, 1, count_free, &freed_old, &f), SY_OK);
    assert_int_equal(sy_registry_make(&next, NULL, 0, count_free, &freed_new, &f), SY_OK);
    assert_int_equal(sy_registry_slot_open(&slot, old, &f), SY_OK);
    sy_registry *held = sy_registry_slot_get(slot);
    sy_registry_slot_set(slot, next);
    assert_int_equal(freed_old, 0);
    assert_non_null(sy_registry_by_id(held, sy_span_of("a")));
    sy_registry_unref(held);
    assert_int_equal(freed_old, 1);
    held = sy_registry_slot_get(slot);
    assert_null(sy_registry_by_id(held, sy_span_of("a")));
    sy_registry_unref(held);
    sy_registry_slot_close(slot);
    assert_int_equal(freed_new, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_id_and_topic),
        cmocka_unit_test(refuses_what_is_there_twice),
        cmocka_unit_test(slot_keeps_the_old_for_its_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
