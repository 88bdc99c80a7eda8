/* SPDX-License-Identifier: Apache-2.0 */
/* The box tells that its mains are lost long before its next measurement is due. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "journal_rig.h"
#include "run/self.h"

static sy_config config; /* no owner: nobody frees it */

/* An intake that keeps the newest message. */
typedef struct heard {
    pthread_mutex_t mu;
    pthread_cond_t came;
    char text[512];
} heard;

static sy_err submit(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    heard *h = ctx;
    (void)f;
    pthread_mutex_lock(&h->mu);
    snprintf(h->text, sizeof h->text, "%.*s", (int)m->payload.n, m->payload.p);
    pthread_cond_signal(&h->came);
    pthread_mutex_unlock(&h->mu);
    *seq = 1;
    *kept = true;
    return SY_OK;
}

/* How long it took until a message had the text, ms; more than 10 s fail. */
static sy_ms wait_for(heard *h, const char *text)
{
    struct timespec until;
    sy_ms began = sy_mono_ms();
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&h->mu);
    while (rc == 0 && !strstr(h->text, text))
        rc = pthread_cond_timedwait(&h->came, &h->mu, &until);
    pthread_mutex_unlock(&h->mu);
    assert_int_equal(rc, 0);
    return sy_mono_ms() - began;
}

static void put(const char *root, const char *name, const char *text)
{
    char path[600];
    sy_fail f;
    snprintf(path, sizeof path, "%s/sys/class/power_supply/AC/%s", root, name);
    assert_int_equal(sy_file_write(path, sy_span_of(text), 0600, &f), SY_OK);
}

static void test_mains_lost(void **state)
{
    const char *root = *state;
    static const char *const folders[] = {"/sys", "/sys/class", "/sys/class/power_supply",
                                          "/sys/class/power_supply/AC", "/journal"};
    char path[600];
    sy_fail f;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s%s", root, folders[i]);
        assert_int_equal(sy_dir_make(path, &f), SY_OK);
    }
    put(root, "type", "Mains\n");
    put(root, "online", "1\n");
    sy_journal_options o = rig_options(path, 1 << 20);
    sy_journal *j = rig_open(&o, NULL);
    const sy_channel mains = {.name = "mains"};
    const sy_device box = {.id = "box",
                           .transport = SY_TRANSPORT_BOX,
                           .format = "senml-json",
                           .poll = 60000,
                           .channels = &mains,
                           .n_channels = 1};
    sy_registry *r;
    sy_registry_slot *slot;
    assert_int_equal(sy_registry_make(&r, &box, 1, NULL, NULL, &f), SY_OK);
    assert_int_equal(sy_registry_slot_open(&slot, r, &f), SY_OK);
    heard h = {.mu = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    const sy_intake intake = {.ctx = &h, .submit = submit};
    const sy_self_options self = {
        .intake = &intake, .devices = slot, .journal = j, .data = root, .root = root};
    sy_self *s;
    assert_int_equal(sy_self_start(&s, &self, &config, &f), SY_OK);
    wait_for(&h, "\"on\"");
    put(root, "online", "0\n");
    assert_in_range(wait_for(&h, "\"off\""), 0, 5000);
    put(root, "online", "1\n");
    assert_in_range(wait_for(&h, "\"on\""), 0, 5000);
    sy_self_stop(s);
    sy_registry_slot_close(slot);
    sy_journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mains_lost, rig_dir_setup, rig_dir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
