/*
 * A data folder with an accepted configuration, a journal written by the test and no network, for
 * the tests of the pipeline.
 */
#ifndef SY_TEST_PIPELINE_RIG_H
#define SY_TEST_PIPELINE_RIG_H

#include "drivers/formats/format.h"
#include "pipeline/pipeline.h"

/* 2026-01-05T00:00:00Z: the rules are in force, all times of the tests are near it. */
#define RIG_DAY ((sy_ms)1767571200000)
#define RIG_MIN ((sy_ms)60000)

typedef struct pipeline_rig {
    char dir[64], data[96];
    sy_config *config;
    sy_journal *journal;
    sy_store *store;
    sy_pipeline *pipeline;
    sy_fail fail;
} pipeline_rig;

/* A folder with the configuration and its rules, accepted. */
void rig_open(pipeline_rig *r);
void rig_close(pipeline_rig *r);
/* The same for cmocka: *state is a pipeline_rig. */
int rig_set_up(void **state);
int rig_tear_down(void **state);
/* Another configuration, loaded and kept: the rule's limit, and more keys of the point t2/t. */
void rig_reload(pipeline_rig *r, const char *limit, const char *t2_more);
/* Other rules under the same configuration. */
void rig_rules(pipeline_rig *r, const char *text);

/* Likewise, and the box measures its uplink: the device box, the point box/uplink-delay. */
void rig_box(pipeline_rig *r, const char *text);

/* Journal and store of the folder; replay clock. */
void rig_log_open(pipeline_rig *r);
void rig_log_close(pipeline_rig *r);
uint64_t rig_append(pipeline_rig *r, sy_jtype type, sy_ms recv, const char *payload);
uint64_t rig_start(pipeline_rig *r); /* START and ACTIVATION */
uint64_t rig_mark(pipeline_rig *r, sy_ms t);
/* A message over MQTT: flags SY_MSG_*. */
uint64_t rig_message(pipeline_rig *r, const char *topic, unsigned flags, const char *payload);
/* {"n":"t"…} of device t1 over s/t1. */
uint64_t rig_celsius(pipeline_rig *r, sy_ms t, double celsius);

/* After rig_box: what the box measured of its uplink. */
uint64_t rig_uplink(pipeline_rig *r, sy_ms t, double hours);

/* Options that the tests use, over the rig's journal and store. */
sy_pipeline_options rig_options(pipeline_rig *r);
void rig_run(pipeline_rig *r); /* start, wait for all that is in the journal, stop */

/* Everything that the store shows, as text: readings, alerts, events with bodies, counters. */
void rig_dump(pipeline_rig *r, sy_buf *out);
uint64_t rig_counter(pipeline_rig *r, sy_counter c);

#endif
