/*
 * A folder with a good configuration, to spoil one thing at a time.
 */
#ifndef SY_TEST_CONFIG_RIG_H
#define SY_TEST_CONFIG_RIG_H

#include "config/config.h"

typedef struct config_rig {
    char dir[64];   /* made by rig_open */
    char file[96];  /* dir/gw.yaml */
    char data[96];  /* dir/data */
    sy_arena arena; /* of the findings */
    sy_findings findings;
    sy_config *config; /* of the last load */
    sy_fail fail;
} config_rig;

extern const char rig_yaml[]; /* the good configuration */

void rig_open(config_rig *r);
void rig_close(config_rig *r);
/* A file in the folder, given as text. */
void rig_write(config_rig *r, const char *name, const char *text);
void rig_write_bytes(config_rig *r, const char *name, const void *bytes, size_t n);
/* The good configuration with the first `from` replaced by `to`; then load it. */
sy_err rig_load_with(config_rig *r, const char *from, const char *to);
/* Load dir/gw.yaml as it is. */
sy_err rig_load(config_rig *r);
/* The first finding with this code, or NULL. */
const sy_finding *rig_find(const config_rig *r, const char *code);

#endif
