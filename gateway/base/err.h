/*
 * Error codes: the small set a caller may act on. Pure.
 *
 * Classes: retry (AGAIN, FULL), reject the input (PARSE, RANGE, UNSUPPORTED, DENIED, NOTFOUND,
 * EXISTS), stop the module (IO, CORRUPT, NOMEM, CLOSED), configuration or usage (USAGE), the
 * remote end said no (PEER).
 */
#ifndef SY_ERR_H
#define SY_ERR_H

#define SY_MUST_USE __attribute__((warn_unused_result))

/* X(name, number, text): numbers are stable, they reach logs and exit reports. */
#define SY_ERR_TABLE(X)                                                                            \
    X(OK, 0, "ok")                                                                                 \
    X(E_NOMEM, 1, "out of memory")                                                                 \
    X(E_IO, 2, "input/output error")                                                               \
    X(E_FULL, 3, "no room")                                                                        \
    X(E_AGAIN, 4, "try again")                                                                     \
    X(E_PARSE, 5, "malformed")                                                                     \
    X(E_RANGE, 6, "out of range")                                                                  \
    X(E_CORRUPT, 7, "corrupt")                                                                     \
    X(E_CLOSED, 8, "closed")                                                                       \
    X(E_EXISTS, 9, "exists already")                                                               \
    X(E_NOTFOUND, 10, "not found")                                                                 \
    X(E_DENIED, 11, "not allowed")                                                                 \
    X(E_UNSUPPORTED, 12, "not supported")                                                          \
    X(E_USAGE, 13, "wrong use or configuration")                                                   \
    X(E_PEER, 14, "refused by the remote end")

typedef enum sy_err {
#define SY_ERR_ENUM(name, number, text) SY_##name = number,
    SY_ERR_TABLE(SY_ERR_ENUM)
#undef SY_ERR_ENUM
} sy_err;

/* The text of a code; a static string, never NULL. */
const char *sy_err_text(sy_err code);

#endif
