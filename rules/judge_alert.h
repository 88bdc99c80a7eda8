/*
 * Alerts: what is judged beside what has been told, and the changes between them.
 */
#ifndef SY_JUDGE_ALERT_H
#define SY_JUDGE_ALERT_H

#include "rules/judge_core.h"

/* SY_E_NOMEM. */
sy_err sy_judge__rec_open(sy_judge *j, inst *i, const outcome *o);
void sy_judge__rec_set(inst *i, const outcome *o);
void sy_judge__rec_restore(inst *i);
sy_err sy_judge__publish(sy_judge *j, inst *i);
void sy_judge__emit(sy_judge *j);
void sy_judge__id(const sy_judge *j, const inst *i, sy_ms onset, char out[33]);
void sy_judge__settle(inst *i); /* after a new base: what can no longer change */
/* An alert as it is shown; id and replaces are buffers of the caller. */
sy_alert sy_judge__view(const sy_judge *j, const inst *i, const outcome *o, sy_ms replaces,
                        sy_alert_level level, char replaces_id[33]);
/* The rule is on trial on that day. */
bool sy_judge__on_trial(const sy_judge *j, const inst *i, sy_ms raised);
sy_alert_level sy_judge__highest(const outcome *o);

#endif
