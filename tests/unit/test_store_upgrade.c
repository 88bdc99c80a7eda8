/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of readings as rows (schema 2) becomes one of chunks, with all that was in it; an upgrade
 * that is killed or has no room leaves the old one as it was; a tool refuses to read an old one.
 */
#include "store/store_int.h"

#include "store_rig.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 30000, RECENT = 100 };

static const char old_schema[] =
    "PRAGMA journal_mode=WAL; BEGIN;"
    "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO counter VALUES('journal_seq',777),('stored',30100);"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, series TEXT NOT NULL UNIQUE,"
    " device TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL);"
    "CREATE TABLE reading(series INTEGER NOT NULL, t INTEGER NOT NULL, value REAL NOT NULL,"
    " quality INTEGER NOT NULL, recv INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " PRIMARY KEY(series,t,value)) WITHOUT ROWID;"
    "CREATE TABLE recent(number INTEGER PRIMARY KEY, series INTEGER NOT NULL, t INTEGER NOT NULL,"
    " value REAL NOT NULL, quality INTEGER NOT NULL, recv INTEGER NOT NULL, seq INTEGER NOT NULL);"
    "CREATE VIEW every_reading AS SELECT series,t,value,quality,recv,seq FROM reading"
    " UNION ALL SELECT series,t,value,quality,recv,seq FROM recent;"
    "CREATE TABLE alert(id TEXT PRIMARY KEY, rule TEXT NOT NULL, pack TEXT,"
    " subject TEXT NOT NULL, series TEXT NOT NULL, version INTEGER NOT NULL,"
    " severity INTEGER NOT NULL, state INTEGER NOT NULL, onset INTEGER NOT NULL,"
    " raised INTEGER NOT NULL, cleared INTEGER, min REAL, max REAL, count INTEGER NOT NULL,"
    " counted INTEGER NOT NULL, unknown INTEGER NOT NULL, exempt INTEGER NOT NULL,"
    " driver_is_state INTEGER NOT NULL, message_en TEXT, message_zh TEXT, replaces TEXT,"
    " judgement_hash TEXT, trial INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE event(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL, alert TEXT, time INTEGER NOT NULL, severity INTEGER NOT NULL,"
    " priority INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE outbox(destination TEXT NOT NULL, number INTEGER NOT NULL,"
    " priority INTEGER NOT NULL, alert TEXT, PRIMARY KEY(destination,number)) WITHOUT ROWID;"
    "CREATE INDEX outbox_order ON outbox(destination,priority,number);"
    "CREATE INDEX outbox_alert ON outbox(destination,alert) WHERE alert IS NOT NULL;"
    "CREATE TABLE refused(destination TEXT NOT NULL, number INTEGER NOT NULL,"
    " why TEXT NOT NULL, PRIMARY KEY(destination,number)) WITHOUT ROWID;"
    "CREATE TABLE snapshot(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL,"
    " set_hash TEXT NOT NULL, bytes BLOB NOT NULL);"
    "PRAGMA user_version=2; PRAGMA application_id=1398036804;"
    "INSERT INTO series VALUES(1,'a','d','n','Cel'),(2,'b','e','m',''),(3,'c','e','k','');";

static double value_of(int i)
{
    return i % 500 == 77 ? NAN : (double)(i % 97) / 10;
}

static void make_old(const char *dir)
{
    char path[512];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof path, "%s/store.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, old_schema, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "INSERT INTO reading VALUES(?1,?2,?3,?4,5,?5)", -1, &st, NULL),
        SQLITE_OK);
    for (int i = 0; i < ROWS; i++) {
        sy_store__bind(st, "iidii", (int64_t)(1 + i % 2), (int64_t)i * 60000, value_of(i),
                       (int64_t)(i % 100 == 9 ? SY_Q_BAD | SY_Q_STUCK : 0), (int64_t)i / 100);
        assert_int_equal(sqlite3_step(st), SQLITE_DONE);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    /* Two values of one time, as they were marked; and some that were not settled yet. */
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO reading VALUES(3,5,1.5,257,5,1),(3,5,2.5,257,5,1);"
                     "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 98)"
                     "INSERT INTO recent SELECT x,3,x*10000,x,0,5,9 FROM c; COMMIT",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

static int64_t number(const char *dir, const char *sql)
{
    char path[512];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof path, "%s/store.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void expect_old(const char *dir)
{
    assert_int_equal(number(dir, "PRAGMA user_version"), 2);
    assert_int_equal(number(dir, "SELECT count(*) FROM every_reading"), ROWS + RECENT);
    assert_int_equal(number(dir, "SELECT count(*) FROM sqlite_master WHERE name='chunk'"), 0);
}

static bool check_row(void *ctx, const sy_reading_row *r)
{
    int *n = ctx, i = (int)(r->t / 60000);
    assert_int_equal(r->t, (sy_ms)*n * 120000);
    assert_true(isnan(value_of(i)) ? isnan(r->value) : r->value == value_of(i));
    assert_int_equal(r->quality, i % 100 == 9 ? SY_Q_BAD | SY_Q_STUCK : 0);
    assert_string_equal(r->device, "d");
    ++*n;
    return true;
}

static bool count_row(void *ctx, const sy_reading_row *r)
{
    int *n = ctx;
    if (r->t == 5)
        assert_int_equal(r->quality, SY_Q_UNCERTAIN | SY_Q_CONFLICT);
    ++*n;
    return true;
}

static void expect_new(const char *dir)
{
    sy_fail f = {0};
    int n = 0;
    sy_put put;
    sy_store *s = store_rig_open(dir);
    fine(sy_store_readings(s, "a", SY_MS_NONE, SY_MS_MAX, check_row, &n, &f), f);
    assert_int_equal(n, ROWS / 2);
    n = 0;
    fine(sy_store_readings(s, NULL, SY_MS_NONE, SY_MS_MAX, count_row, &n, &f), f);
    assert_int_equal(n, ROWS + RECENT);
    assert_int_equal(store_rig_position(s), 777);
    assert_int_equal(sy_store_open_seq(s), 777);
    assert_int_equal(store_rig_counter(s, SY_N_stored), ROWS + RECENT);
    /* What was there is known still. */
    fine(sy_store_begin(s, false, &f), f);
    fine(sy_store_reading(s, 1, 600000, value_of(10), 0, 9, 778, &put, &f), f);
    assert_int_equal(put, SY_PUT_DUPLICATE);
    fine(sy_store_reading(s, 3, 980000, 98, 0, 9, 778, &put, &f), f);
    assert_int_equal(put, SY_PUT_DUPLICATE);
    sy_store_rollback(s);
    sy_store_close(s);
    assert_true(number(dir, "SELECT count(*) FROM chunk") >= ROWS / SY_SEAL_N - 2);
    assert_int_equal(number(dir, "SELECT count(*) FROM chunk"),
                     number(dir, "SELECT count(*) FROM leaf"));
    assert_int_equal(number(dir, "SELECT count(*) FROM sqlite_master WHERE name='reading'"), 0);
}

static void rows_become_chunks(void **state)
{
    sy_store *s = NULL;
    sy_fail f = {0};
    make_old(*state);
    assert_int_equal(sy_store_open(&s, *state, true, &f),
                     SY_E_UNSUPPORTED); /* a tool changes nothing */
    assert_non_null(strstr(f.text, "start the gateway"));
    expect_old(*state);
    expect_new(*state);
}

/* The data base's files may not grow beyond `bytes`. */
static void upgrade_with_room_for(const char *dir, rlim_t bytes)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sy_store *s = NULL;
        sy_fail f = {0};
        struct rlimit room = {bytes, bytes};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &room);
        _exit(sy_store_open(&s, dir, false, &f) == SY_E_FULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void an_upgrade_without_room(void **state)
{
    make_old(*state);
    upgrade_with_room_for(*state, 4096);
    expect_old(*state);
    upgrade_with_room_for(*state, 60000);
    expect_old(*state);
    expect_new(*state);
}

static void an_upgrade_that_is_killed(void **state)
{
    int killed = 0;
    bool done = false;
    make_old(*state);
    for (long us = 2000; !done; us += us / 4) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            sy_store *s = NULL;
            sy_fail f = {0};
            struct itimerval end = {.it_value = {us / 1000000, us % 1000000}};
            setitimer(ITIMER_REAL, &end, NULL); /* ends it as SIGKILL would */
            _exit(sy_store_open(&s, *state, false, &f) ? 1 : 0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        done = number(*state, "PRAGMA user_version") != 2;
        if (!done)
            expect_old(*state);
        killed += !done;
    }
    assert_true(killed > 2);
    expect_new(*state);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, store_rig_setup, store_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(rows_become_chunks),
        dir_test(an_upgrade_without_room),
        dir_test(an_upgrade_that_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
