/*
 * steelyard conform: what a receiver of events must do (docs/receiver.md), tried over the wire.
 * conform.c: options and the table; conform_cases.c: what is tried. One thread.
 */
#ifndef SY_CONFORM_H
#define SY_CONFORM_H

#include <jansson.h>

#include "base/os.h"
#include "ledger/jws.h"
#include "upstream/http.h"
#include "upstream/tls.h"

enum { SY_CONFORM_RUN = 16 };

typedef struct sy_conform {
    sy_url url;
    sy_tls_paths files;
    const char *gateway;          /* id in the source of the events */
    sy_es256 *key;                /* NULL: signatures are not tried */
    sy_buf header;                /* of its signatures */
    char run[SY_CONFORM_RUN + 1]; /* part of each id, so that each run has its own events */
    int next;                     /* number of the next event */
    bool zh;
    json_t *rows; /* [{"name","pass","want","got"}] */
    int failed;
} sy_conform;

/* One row; want and got are what was asked for and what came. */
void sy_conform_row(sy_conform *c, const char *name, bool pass, const char *want, const char *got);
/* All of them, in order. */
void sy_conform_cases(sy_conform *c);

#endif
