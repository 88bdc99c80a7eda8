/*
 * Calendar windows: local hours and days of the premises. A leaf of one (N_CLOSE) has a value at
 * the close of its window alone, computed from the logs.
 */
#ifndef SY_JUDGE_CLOSE_H
#define SY_JUDGE_CLOSE_H

#include "rules/judge_term.h"

typedef enum close_kind { C_HOURLY, C_DAILY, C_SHARE, C_LASTS } close_kind;
typedef struct closing {
    uint8_t kind;
    bool daily;     /* closes at midnight; else every hour */
    window what;    /* HOURLY, DAILY: which readings count, and how many are expected */
    uint16_t event; /* SHARE: slot of the event */
    root only_when; /* SHARE: which events are counted */
    root test;      /* SHARE: which of them are bad */
    bool counts;    /* SHARE: only_when is there */
    double counted; /* SHARE: at least so many */
    uint16_t level; /* LASTS: of the rule */
    int64_t times;  /* LASTS: closes in a row */
    uint16_t item;  /* LASTS: its run in the state */
} closing;

#endif
