/* SPDX-License-Identifier: Apache-2.0 */
/* Failures with a text: formatted into the caller's own struct, never allocated. */
#include <errno.h>
#include <stdio.h>

#include "base/os.h"

static sy_err code_of_errno(int e)
{
    switch (e) {
    case ENOMEM:
        return SY_E_NOMEM;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SY_E_FULL;
    case ENOENT:
        return SY_E_NOTFOUND;
    case EEXIST:
        return SY_E_EXISTS;
    case EACCES:
    case EPERM:
        return SY_E_DENIED;
    case EAGAIN:
    case EINTR:
    case ETIMEDOUT:
        return SY_E_AGAIN;
    default:
        return SY_E_IO;
    }
}

/* Where the text was cut, do not leave half a UTF-8 character behind. */
static void trim(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
        n--;
    if (n > 0 && ((unsigned char)text[n - 1] & 0x80) != 0)
        n--;
    text[n] = 0;
}

sy_err sy_fail_make(sy_fail *f, sy_err code, int sys, const char *at, const char *fmt, ...)
{
    sy_err result = code != SY_OK ? code : code_of_errno(sys);
    if (!f)
        return result;
    f->code = result;
    f->sys = sys;
    f->at = at;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        f->text[0] = 0;
        n = 0;
    }
    if ((size_t)n >= sizeof f->text) {
        trim(f->text);
    } else if (code == SY_OK) {
        char buf[128];
        const char *reason = strerror_r(sys, buf, sizeof buf);
        size_t room = sizeof f->text - (size_t)n;
        if (snprintf(f->text + n, room, ": %s", reason) >= (int)room)
            trim(f->text);
    }
    return result;
}

sy_err sy_fail_wrap(sy_fail *f, const char *fmt, ...)
{
    if (!f)
        return SY_E_IO;
    char context[sizeof f->text];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(context, sizeof context, fmt, ap);
    va_end(ap);
    if (n < 0)
        return f->code;
    char old[sizeof f->text];
    memcpy(old, f->text, sizeof old);
    size_t used = (size_t)n < sizeof context ? (size_t)n : sizeof context - 1;
    if (used > sizeof f->text - 3)
        used = sizeof f->text - 3;
    memcpy(f->text, context, used);
    memcpy(f->text + used, ": ", 2);
    size_t room = sizeof f->text - used - 3, have = strlen(old);
    size_t take = have < room ? have : room;
    memcpy(f->text + used + 2, old, take);
    f->text[used + 2 + take] = 0;
    if (take < have)
        trim(f->text);
    return f->code;
}
