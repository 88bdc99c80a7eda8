/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may log in to the managed broker and write what, as its plugin decides it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/mqtt/broker_int.h"
#include "drivers/mqtt/plugin/access.h"

/* The file with a user of each kind; the password of each is its name. */
static char *file_of(const char *skip)
{
    static char text[2000];
    const char *const users[][2] = {{"@gateway", "r\n"},
                                    {"fridge", "wt/fridge\n"},
                                    {"plant", "wplant/#\nwalarm\n"},
                                    {"@replay", "w#\n"}};
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < 4; i++) {
        char hash[SY_BROKER__HASH];
        if (skip && strcmp(users[i][0], skip) == 0) {
            continue;
        }
        assert_int_equal(sy_broker__hash(users[i][0], hash, NULL), SY_OK);
        n += (size_t)snprintf(text + n, sizeof text - n, "u%s\nh%s\n%s", users[i][0], hash,
                              users[i][1]);
    }
    return text;
}

static sy_access *parse(const char *text)
{
    sy_access *a = NULL;
    sy_fail f = {0};
    if (sy_access_parse(&a, sy_span_of(text), &f)) {
        fail_msg("%s", f.text);
    }
    return a;
}

static bool lets_in(const sy_access *a, const char *user, const char *password)
{
    return sy_access_login(a, user, password, 1000) == SY_ACCESS_YES;
}

static void only_the_right_password_lets_in(void **state)
{
    (void)state;
    sy_access *a = parse(file_of(NULL));
    assert_true(lets_in(a, "fridge", "fridge"));
    assert_true(lets_in(a, "@gateway", "@gateway"));
    const char *const wrong[][2] = {{"fridge", "plant"},  {"fridge", ""},
                                    {"fridge", NULL},     {"", ""},
                                    {NULL, NULL},         {NULL, "fridge"},
                                    {"nobody", ""},       {"fridge ", "fridge"},
                                    {"Fridge", "fridge"}, {"fridge", "fridgefridge"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(lets_in(a, wrong[i][0], wrong[i][1]));
    }
    sy_access_free(a);
}

static void no_hash_is_no_password(void **state)
{
    (void)state;
    static const char *const hashes[] = {"",
                                         "h\n",
                                         "hfridge\n",
                                         "h$7$\n",
                                         "h$7$101$\n",
                                         "h$7$0$$\n",
                                         "h$7$101$$\n",
                                         "h$7$101$AAAA$\n",
                                         "h$7$101$AAAA$AAAA\n",
                                         "h$7$-1$AAAA$AAAA\n",
                                         "h$7$99999999999$AAAA$AAAA\n",
                                         "h$6$AAAA$AAAA\n"};
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "ufridge\n%s", hashes[i]);
        sy_access *a = parse(text);
        assert_false(lets_in(a, "fridge", ""));
        assert_false(lets_in(a, "fridge", "fridge"));
        sy_access_free(a);
    }
}

static void a_device_writes_what_is_its_own(void **state)
{
    (void)state;
    sy_access *a = parse(file_of(NULL));
    static const struct {
        const char *user, *topic;
        bool may;
    } cases[] = {{"fridge", "t/fridge", true},   {"fridge", "t/fridge/x", false},
                 {"fridge", "t/fridgex", false}, {"fridge", "t/fridg", false},
                 {"fridge", "", false},          {"fridge", "alarm", false},
                 {"plant", "plant", true},       {"plant", "plant/", true},
                 {"plant", "plant/a/b", true},   {"plant", "plants", false},
                 {"plant", "alarm", true},       {"plant", "t/fridge", false},
                 {"@replay", "t/fridge", true},  {"@replay", "$", false},
                 {"@replay", "$SYS/x", false},   {"@gateway", "t/fridge", false},
                 {"nobody", "t/fridge", false},  {NULL, "t/fridge", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sy_access_may_write(a, cases[i].user, cases[i].topic), cases[i].may);
    }
    assert_true(sy_access_may_read(a, "@gateway", "any"));
    assert_false(sy_access_may_read(a, "fridge", "any") ||
                 sy_access_may_read(a, "@replay", "any") || sy_access_may_read(a, NULL, "any") ||
                 sy_access_may_read(a, "nobody", "any"));
    sy_access_free(a);
}

/* A Sparkplug node writes its topics and reads its commands, and nothing else. */
static void a_node_reads_its_commands(void **state)
{
    (void)state;
    sy_access *a = parse("u@gateway\nr\nwspBv1.0/g/NCMD/n\n"
                         "un\nwspBv1.0/g/NDATA/n\nwspBv1.0/g/DDATA/n/#\n"
                         "rspBv1.0/g/NCMD/n\nrspBv1.0/g/DCMD/n/#\n");
    assert_true(sy_access_may_read(a, "n", "spBv1.0/g/NCMD/n"));
    assert_true(sy_access_may_read(a, "n", "spBv1.0/g/DCMD/n/d"));
    assert_false(sy_access_may_read(a, "n", "spBv1.0/g/NCMD/m") ||
                 sy_access_may_read(a, "n", "spBv1.0/g/NDATA/n"));
    assert_true(sy_access_may_write(a, "n", "spBv1.0/g/NDATA/n"));
    assert_true(sy_access_may_write(a, "n", "spBv1.0/g/DDATA/n/d"));
    assert_false(sy_access_may_write(a, "n", "spBv1.0/g/NCMD/n") ||
                 sy_access_may_write(a, "n", "spBv1.0/g/DCMD/n/d"));
    assert_true(sy_access_may_write(a, "@gateway", "spBv1.0/g/NCMD/n"));
    assert_true(sy_access_may_read(a, "@gateway", "spBv1.0/g/NDATA/n"));
    assert_false(sy_access_may_read(a, "@gateway", "$SYS/x"));
    sy_access_free(a);
}

static void note(void *ctx, const char *user)
{
    strcat(ctx, user);
    strcat(ctx, " ");
}

static void who_is_gone_or_has_a_new_password_is_told(void **state)
{
    (void)state;
    char first[2000], told[100] = "";
    snprintf(first, sizeof first, "%s", file_of(NULL));
    sy_access *before = parse(first), *same = parse(first);
    sy_access_revoked(before, same, note, told);
    sy_access_revoked(NULL, same, note, told);
    assert_string_equal(told, "");
    char *plant = strstr(first, "uplant\nh");
    char less[2000];
    snprintf(less, sizeof less, "%.*s", (int)(plant - first), first);
    sy_access *after = parse(less);
    sy_access_revoked(before, after, note, told);
    assert_string_equal(told, "@replay plant ");
    plant[strlen("uplant\nh$7$101$")] ^= 1;
    sy_access *renewed = parse(first);
    told[0] = '\0';
    sy_access_revoked(before, renewed, note, told);
    assert_string_equal(told, "plant ");
    sy_access_free(before);
    sy_access_free(same);
    sy_access_free(after);
    sy_access_free(renewed);
}

static void what_is_no_list_is_refused_whole(void **state)
{
    (void)state;
    static const char *const bad[] = {"ua",  "x\n",     "hx\n",     "wx\n",   "r\n",
                                      "u\n", "ua\nw\n", "ua\nzr\n", "ua\n\n", "ua\nhx"};
    sy_access *a = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(sy_access_parse(&a, sy_span_of(bad[i]), NULL), SY_E_PARSE);
    }
    assert_int_equal(sy_access_parse(&a, (sy_span){"ua\0b\n", 5}, NULL), SY_E_PARSE);
    assert_null(a);
    a = parse("");
    assert_false(lets_in(a, "", ""));
    sy_access_free(a);
    /* Cut anywhere it is refused, or a whole list of fewer. */
    char *text = file_of(NULL);
    for (size_t n = strlen(text); n-- > 0;) {
        sy_access *part = NULL;
        if (sy_access_parse(&part, (sy_span){text, n}, NULL) == SY_OK) {
            assert_true(n == 0 || text[n - 1] == '\n');
            sy_access_free(part);
        }
    }
}

/* A user whose password is `now`, and was `before` until the time of 5000. */
static sy_access *rotated(const char *more)
{
    char text[1000], now[SY_BROKER__HASH], before[SY_BROKER__HASH];
    assert_int_equal(sy_broker__hash("now", now, NULL), SY_OK);
    assert_int_equal(sy_broker__hash("before", before, NULL), SY_OK);
    snprintf(text, sizeof text, "ufridge\nh%s\no5000 %s\nwt/fridge\n%s", now, before, more);
    return parse(text);
}

static void the_password_before_is_good_until_its_time(void **state)
{
    (void)state;
    sy_access *a = rotated("");
    assert_int_equal(sy_access_login(a, "fridge", "now", 4999), SY_ACCESS_YES);
    assert_int_equal(sy_access_login(a, "fridge", "before", 4999), SY_ACCESS_YES_OLD);
    assert_int_equal(sy_access_login(a, "fridge", "before", 5000), SY_ACCESS_WRONG);
    assert_int_equal(sy_access_login(a, "fridge", "now", 5000), SY_ACCESS_YES);
    assert_true(sy_access_has_old(a, "fridge"));
    char told[100] = "";
    sy_access_ended(a, 4000, 4999, note, told);
    sy_access_ended(a, 5000, 6000, note, told);
    assert_string_equal(told, "");
    sy_access_ended(a, 4999, 5000, note, told);
    assert_string_equal(told, "fridge ");
    sy_access_free(a);
}

static void a_rotation_cuts_off_once_the_old_password_is_over(void **state)
{
    (void)state;
    sy_access *first = parse("ua\nh1\n"), *both = parse("ua\nh2\no5000 1\n"),
              *last = parse("ua\nh2\n");
    char told[100] = "";
    sy_access_revoked(first, both, note, told);
    assert_string_equal(told, "");
    sy_access_revoked(both, last, note, told);
    assert_string_equal(told, "a ");
    sy_access_revoked(first, last, note, told);
    assert_string_equal(told, "a a ");
    sy_access_free(first);
    sy_access_free(both);
    sy_access_free(last);
}

static void a_certificate_lets_in_who_is_said_to_have_one(void **state)
{
    (void)state;
    sy_access *a = rotated("ucert\nc\nwt/cert\nulost\nc\nx\nwt/lost\n");
    assert_int_equal(sy_access_certificate(a, "cert"), SY_ACCESS_YES);
    assert_int_equal(sy_access_certificate(a, "fridge"), SY_ACCESS_WRONG);
    assert_int_equal(sy_access_certificate(a, "nobody"), SY_ACCESS_UNKNOWN);
    assert_int_equal(sy_access_certificate(a, "lost"), SY_ACCESS_REVOKED);
    assert_int_equal(sy_access_login(a, "cert", "", 1000), SY_ACCESS_WRONG);
    assert_int_equal(sy_access_login(a, "lost", "", 1000), SY_ACCESS_REVOKED);
    sy_access *without = rotated("ulost\nc\nx\n");
    char told[100] = "";
    sy_access_revoked(a, without, note, told);
    assert_non_null(strstr(told, "cert "));
    sy_access *first = parse("ucert\nc\n"), *then = parse("ucert\nh1\n");
    told[0] = '\0';
    sy_access_revoked(first, then, note, told);
    assert_string_equal(told, "cert ");
    sy_access_free(first);
    sy_access_free(then);
    sy_access_free(without);
    sy_access_free(a);
}

static void a_stranger_writes_what_no_device_does_and_only_in_time(void **state)
{
    (void)state;
    char text[1000], hash[SY_BROKER__HASH];
    assert_int_equal(sy_broker__hash("once", hash, NULL), SY_OK);
    snprintf(text, sizeof text, "u@onboard\nh%s\ne5000\ns\nua\nwt/a\nub\nwt/b/#\nu@replay\nw#\n",
             hash);
    sy_access *a = parse(text);
    assert_int_equal(sy_access_login(a, "@onboard", "once", 4999), SY_ACCESS_YES);
    assert_int_equal(sy_access_login(a, "@onboard", "twice", 4999), SY_ACCESS_WRONG);
    assert_int_equal(sy_access_login(a, "@onboard", "once", 5000), SY_ACCESS_OVER);
    assert_true(sy_access_is_stranger(a, "@onboard"));
    assert_false(sy_access_is_stranger(a, "a") || sy_access_is_stranger(a, NULL));
    assert_true(sy_access_may_write(a, "@onboard", "t/new"));
    static const char *const not_these[] = {"t/a", "t/b", "t/b/c", "$", "$SYS/x"};
    for (size_t i = 0; i < sizeof not_these / sizeof not_these[0]; i++) {
        assert_false(sy_access_may_write(a, "@onboard", not_these[i]));
    }
    assert_false(sy_access_may_read(a, "@onboard", "t/a"));
    sy_access_free(a);
}

static void a_line_that_says_nothing_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"o\n",       "o12\n", "ox $7$\n",
                                      "o-1 $7$\n", "e\n",   "e5x\n",
                                      "cc\n",      "z\n",   "o99999999999999999999 $7$\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[100];
        sy_access *a = NULL;
        snprintf(text, sizeof text, "ufridge\n%s", bad[i]);
        assert_int_equal(sy_access_parse(&a, sy_span_of(text), NULL), SY_E_PARSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_reads_its_commands),
        cmocka_unit_test(only_the_right_password_lets_in),
        cmocka_unit_test(the_password_before_is_good_until_its_time),
        cmocka_unit_test(a_rotation_cuts_off_once_the_old_password_is_over),
        cmocka_unit_test(a_certificate_lets_in_who_is_said_to_have_one),
        cmocka_unit_test(a_stranger_writes_what_no_device_does_and_only_in_time),
        cmocka_unit_test(a_line_that_says_nothing_is_refused),
        cmocka_unit_test(no_hash_is_no_password),
        cmocka_unit_test(a_device_writes_what_is_its_own),
        cmocka_unit_test(who_is_gone_or_has_a_new_password_is_told),
        cmocka_unit_test(what_is_no_list_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
