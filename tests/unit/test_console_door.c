/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts in their file, sessions and their ends, and how long one who guesses has to wait. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console/guard.h"
#include "console/session.h"

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char dir[] = "/tmp/sy-users-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char path[100];
    (void)state;
    snprintf(path, sizeof path, "%s/users", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/users.lock", dir);
    unlink(path);
    return rmdir(dir);
}

static void write_users(const char *text)
{
    char path[100];
    sy_fail f;
    snprintf(path, sizeof path, "%s/users", dir);
    assert_int_equal(sy_file_write(path, sy_span_of(text), 0600, &f), SY_OK);
}

static void accounts(void **state)
{
    sy_users u;
    sy_fail f;
    struct stat st;
    char path[100];
    (void)state;
    assert_int_equal(sy_users_read(dir, &u, &f), SY_OK);
    assert_int_equal(u.n, 0);
    assert_int_equal(sy_users_set(dir, "李", SY_ROLE_INSPECTOR, NULL, &f), SY_E_NOTFOUND);
    assert_int_equal(sy_users_set(dir, "李", SY_ROLE_INSPECTOR, "short", &f), SY_E_RANGE);
    assert_int_equal(sy_users_set(dir, "the-name-itself", SY_ROLE_VIEWER, "the-name-itself", &f),
                     SY_E_RANGE);
    assert_int_equal(sy_users_set(dir, "a b", SY_ROLE_VIEWER, "long enough", &f), SY_E_RANGE);
    assert_int_equal(sy_users_set(dir, "李", SY_ROLE_INSPECTOR, "long enough", &f), SY_OK);
    assert_int_equal(sy_users_set(dir, "wang", SY_ROLE_VIEWER, "long enough", &f), SY_OK);
    assert_int_equal(sy_users_read(dir, &u, &f), SY_OK);
    assert_int_equal(u.n, 2);
    const sy_user *li = sy_users_find(&u, "李"), *wang = sy_users_find(&u, "wang");
    assert_non_null(li);
    assert_int_equal(li->role, SY_ROLE_INSPECTOR);
    assert_string_not_equal(li->hash, wang->hash); /* a salt each */
    assert_true(sy_user_check(li, sy_span_of("long enough")));
    assert_false(sy_user_check(li, sy_span_of("long enougH")));
    assert_false(sy_user_check(li, (sy_span){NULL, 0}));
    assert_false(sy_user_check(NULL, sy_span_of("long enough")));
    unsigned char before[32], after[32];
    sy_user_stamp(li, before);
    sy_users_free(&u);
    snprintf(path, sizeof path, "%s/users", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(sy_users_set(dir, "李", SY_ROLE_AUDITOR, NULL, &f), SY_OK);
    assert_int_equal(sy_users_read(dir, &u, &f), SY_OK);
    li = sy_users_find(&u, "李");
    sy_user_stamp(li, after);
    assert_memory_not_equal(before, after, 32);
    assert_true(sy_user_check(li, sy_span_of("long enough"))); /* the password stayed */
    sy_users_free(&u);
    assert_int_equal(sy_users_remove(dir, "李", &f), SY_OK);
    assert_int_equal(sy_users_remove(dir, "李", &f), SY_E_NOTFOUND);
    assert_int_equal(sy_users_read(dir, &u, &f), SY_OK);
    assert_int_equal(u.n, 1);
    sy_users_free(&u);
}

static void a_bad_file_lets_nobody_in(void **state)
{
    static const char *const bad[] = {
        "li king $argon2id$v=19$m=19456,t=2,p=1$aaaa$bbbb\n",
        "li viewer\n",
        "li\n",
        "\xff x y\n",
        "li viewer $argon2id$v=19$m=19456 more\n",
        "li viewer $argon2id$v=19$m=19456,t=2\nli viewer $argon2id$v=19$m=19456,t=2\n"};
    sy_users u;
    sy_fail f;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_users(bad[i]);
        assert_int_equal(sy_users_read(dir, &u, &f), SY_E_CORRUPT);
        assert_int_equal(u.n, 0);
        assert_non_null(strstr(f.text, "line "));
    }
    write_users("# nobody\n");
    assert_int_equal(sy_users_read(dir, &u, &f), SY_OK);
    sy_users_free(&u);
}

static const sy_user someone = {"li", SY_ROLE_VIEWER, "hash"};

static void sessions(void **state)
{
    char token[SY_TOKEN + 1], guard[SY_TOKEN + 1], other[SY_TOKEN + 1], name[SY_USER_NAME + 1];
    unsigned char stamp[32], want[32];
    sy_sessions *s = sy_sessions_open((sy_session_times){1000, 5000});
    (void)state;
    sy_user_stamp(&someone, want);
    sy_sessions_begin(s, &someone, 0, token, guard);
    assert_true(sy_sessions_find(s, token, 900, name, stamp));
    assert_string_equal(name, "li");
    assert_memory_equal(stamp, want, 32);
    assert_true(sy_sessions_guarded(s, token, guard));
    assert_false(sy_sessions_guarded(s, token, token));
    assert_false(sy_sessions_guarded(s, token, ""));
    assert_true(sy_sessions_guard(s, token, other));
    assert_string_equal(other, guard);
    assert_false(sy_sessions_find(s, guard, 900, name, stamp));
    assert_false(sy_sessions_find(s, "", 900, name, stamp));
    assert_true(sy_sessions_find(s, token, 1800, name, stamp)); /* used: it goes on */
    assert_false(sy_sessions_find(s, token, 2900, name, stamp));
    assert_false(sy_sessions_find(s, token, 1800, name, stamp)); /* over is over */

    sy_sessions_begin(s, &someone, 0, token, guard);
    for (sy_ms t = 500; t <= 5000; t += 500) {
        assert_true(sy_sessions_find(s, token, t, name, stamp));
    }
    assert_false(sy_sessions_find(s, token, 5100, name, stamp)); /* used or not */

    sy_sessions_begin(s, &someone, 0, token, guard);
    sy_sessions_end(s, token);
    assert_false(sy_sessions_find(s, token, 1, name, stamp));
    sy_sessions_close(s);
}

static void one_user_does_not_take_all_sessions(void **state)
{
    static const sy_user greedy = {"greedy", SY_ROLE_VIEWER, "hash"};
    char token[SY_TOKEN + 1], guard[SY_TOKEN + 1], mine[SY_TOKEN + 1], name[SY_USER_NAME + 1];
    unsigned char stamp[32];
    sy_sessions *s = sy_sessions_open(sy_session_defaults);
    (void)state;
    sy_sessions_begin(s, &someone, 0, mine, guard);
    for (int i = 0; i < 3 * SY_SESSIONS; i++) {
        sy_sessions_begin(s, &greedy, i + 1, token, guard);
    }
    assert_int_equal(sy_sessions_count(s, 1000), SY_SESSIONS / 4 + 1);
    assert_true(sy_sessions_find(s, mine, 1000, name, stamp));
    assert_true(sy_sessions_find(s, token, 1000, name, stamp));
    sy_sessions_close(s);
}

static void guessing(void **state)
{
    sy_guard *g = sy_guard_open();
    sy_ms now = 1000;
    (void)state;
    for (int i = 0; i < SY_GUARD_FREE; i++) {
        assert_int_equal(sy_guard_wait(g, "li", "10.0.0.1", now), 0);
        sy_guard_failed(g, "li", "10.0.0.1", now);
    }
    assert_int_equal(sy_guard_wait(g, "li", "10.0.0.1", now), 1000);
    assert_int_equal(sy_guard_wait(g, "li", "10.0.0.2", now), 1000);   /* the name */
    assert_int_equal(sy_guard_wait(g, "wang", "10.0.0.1", now), 1000); /* the address */
    assert_int_equal(sy_guard_wait(g, "wang", "10.0.0.2", now), 0);
    assert_int_equal(sy_guard_wait(g, "li", "10.0.0.1", now + 1000), 0);
    sy_guard_failed(g, "li", "10.0.0.1", now + 1000);
    assert_int_equal(sy_guard_wait(g, "li", "10.0.0.1", now + 1000), 2000);
    for (int i = 0; i < 100; i++) {
        sy_guard_failed(g, "li", "10.0.0.1", now);
    }
    assert_int_equal(sy_guard_wait(g, "li", "10.0.0.1", now), 15 * 60 * 1000);
    sy_guard_passed(g, "li", "10.0.0.1", now);
    assert_int_equal(sy_guard_wait(g, "li", "10.0.0.1", now), 0);
    sy_guard_close(g);
}

static void a_stranger_does_not_lock_a_person_out(void **state)
{
    sy_guard *g = sy_guard_open();
    char name[20];
    (void)state;
    sy_guard_passed(g, "li", "10.0.0.1", 1000);
    for (int i = 0; i < 50; i++) {
        sy_guard_failed(g, "li", "6.6.6.6", 2000);
    }
    for (int i = 0; i < SY_GUARD_ROWS - 1; i++) { /* names that nobody has */
        snprintf(name, sizeof name, "x%d", i);
        sy_guard_failed(g, name, "6.6.6.6", 1500);
    }
    assert_int_equal(sy_guard_wait(g, "li", "10.0.0.1", 2000), 0);
    assert_true(sy_guard_wait(g, "li", "6.6.6.6", 2000) > 0);
    assert_true(sy_guard_wait(g, "li", "10.0.0.9", 2000) > 0);
    sy_guard_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts), cmocka_unit_test(a_bad_file_lets_nobody_in),
        cmocka_unit_test(sessions), cmocka_unit_test(one_user_does_not_take_all_sessions),
        cmocka_unit_test(guessing), cmocka_unit_test(a_stranger_does_not_lock_a_person_out),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
