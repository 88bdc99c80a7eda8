/*
 * Who may do what at the console. Five roles, each a set of permissions; a user has one role. The
 * same words are the OU of a person's certificate. Pure.
 */
#ifndef SY_CONSOLE_ROLES_H
#define SY_CONSOLE_ROLES_H

#include "base/span.h"

typedef enum sy_permission {
    SY_MAY_NOTHING = 0, /* what needs none: the way in */
    SY_MAY_VIEW = 1,
    SY_MAY_ANSWER = 2,   /* acknowledge, comment */
    SY_MAY_SHELVE = 4,   /* shelve and unshelve; hold what an alert rests on */
    SY_MAY_EVIDENCE = 8, /* evidence files, export */
    SY_MAY_DEVICES = 16, /* adopt, maintenance */
    SY_MAY_RULES = 32,   /* the workshop: check, test, backtest */
    SY_MAY_AUDIT = 64,   /* what people did; the assessment of the box */
} sy_permission;

/* X(NAME, word, permissions) */
#define SY_ROLE_TABLE(X)                                                                           \
    X(VIEWER, "viewer", SY_MAY_VIEW)                                                               \
    X(INSPECTOR, "inspector", SY_MAY_VIEW | SY_MAY_ANSWER | SY_MAY_EVIDENCE)                       \
    X(DEPLOYER, "deployer", SY_MAY_VIEW | SY_MAY_ANSWER | SY_MAY_DEVICES | SY_MAY_AUDIT)           \
    X(REGULATOR, "regulator",                                                                      \
      SY_MAY_VIEW | SY_MAY_ANSWER | SY_MAY_SHELVE | SY_MAY_EVIDENCE | SY_MAY_RULES)                \
    X(AUDITOR, "auditor", SY_MAY_VIEW | SY_MAY_EVIDENCE | SY_MAY_AUDIT)

typedef enum sy_role {
#define SY_ROLE_ENUM(name, word, may) SY_ROLE_##name,
    SY_ROLE_TABLE(SY_ROLE_ENUM)
#undef SY_ROLE_ENUM
        SY_ROLES
} sy_role;

const char *sy_role_word(sy_role r);
/* False: no role has that word. */
bool sy_role_of(sy_span word, sy_role *out);
/* The role's permissions as bits of sy_permission. */
unsigned sy_role_may(sy_role r);

#endif
