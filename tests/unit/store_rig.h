/*
 * What the store's tests share: a folder of their own and short forms of the calls.
 */
#ifndef SY_STORE_RIG_H
#define SY_STORE_RIG_H

#include "store/store.h"

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

int store_rig_setup(void **state);
int store_rig_teardown(void **state);
sy_store *store_rig_open(const char *dir);
/* The call must succeed; the failure's text is the test's. */
#define fine(call, f)                                                                              \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s: %s", #call, (f).text);                                                   \
    } while (0)
/* One reading in the open batch. */
sy_put store_rig_put(sy_store *s, const char *series, sy_ms t, double value, sy_quality q);
/* "t:value:quality …" of a series. */
void store_rig_expect(sy_store *s, const char *series, const char *expected);
uint64_t store_rig_counter(sy_store *s, sy_counter c);
uint64_t store_rig_position(sy_store *s);

#endif
