/*
 * A storm as one event: the points of a premises that fall silent together, because the power is
 * off there, the box's own line is down, or it has just started, are a group of "has no data"
 * alerts; what a rule tells of that line belongs to it, too. Part of the engine's state, a function
 * of the log.
 *
 * A group is told once, before its first member, and once more when no member is open any longer;
 * who was woken by it is not woken by its members (docs/lifecycle.md). One thread.
 */
#ifndef SY_GROUP_H
#define SY_GROUP_H

#include "pipeline/standing.h"
#include "pipeline/uplink.h"

/* Points that fell silent within so long of each other did so together; or within their expected
 * interval, where that is longer. */
#define SY_GROUP_WITHIN ((sy_ms)60000)
enum { SY_GROUP_LEAST = 3, SY_GROUPS = 1024 };

typedef enum sy_group_cause { SY_GROUP_SILENT, SY_GROUP_BOOT, SY_GROUP_UPLINK } sy_group_cause;

typedef struct sy_group {
    char id[33]; /* hex of 16 bytes of SHA-256(gateway NUL "group" NUL premises NUL onset) */
    char first[33], *premises;
    sy_group_cause cause; /* as it was told when it began, */
    bool uplink;          /* and what its end says beside it: the uplink was down */
    sy_alert_level level; /* of its first member, */
    sy_ms onset, raised;  /* likewise */
    uint32_t quiet, of;   /* points without data then, and points that send at an interval */
} sy_group;
typedef struct sy_groups {
    sy_group *v; /* in the order in which they began */
    size_t n, cap;
} sy_groups;

/* The alert is one of "has no data", or of the box's own uplink. */
bool sy_group_wants(const sy_change *c, const sy_config *config);

typedef struct sy_group_look { /* what is known when an alert is raised */
    const sy_config *config;
    const sy_judge *judge;
    const sy_uplink *uplink;
    sy_ms start; /* of the box: silence counts from then at the earliest */
} sy_group_look;
/* The group that the alert belongs to: one that is open, or a new one (*made); NULL: none. It lives
 * until the next call. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_groups_of(sy_groups *g, const sy_group_look *look, const sy_change *c,
                                const sy_group **out, bool *made);
const sy_group *sy_groups_find(const sy_groups *g, const char *id); /* NULL */
/* No member is open any longer: it is forgotten. */
void sy_groups_end(sy_groups *g, const char *id);
void sy_groups_fini(sy_groups *g);

/* Its event: "raised" (cleared SY_MS_NONE), "cleared". `members`: alerts that belonged to it. */
void sy_group_event(const sy_group *g, const sy_config *config, bool replay_clock, sy_ms cleared,
                    size_t members, sy_buf *out);

void sy_groups_save(const sy_groups *g, sy_buf *out);
SY_MUST_USE sy_err sy_groups_load(sy_groups *g, sy_rd *in);

#endif
