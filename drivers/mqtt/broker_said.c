/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mosquitto's log says of a device that was refused: "Client NAME disconnected, not
 * authorised.", "Client NAME disconnected due to oversize packet.", and what our plugin says.
 */
#include <string.h>

#include "drivers/mqtt/broker_int.h"

static sy_span client(const char *text)
{
    const char *start = strstr(text, "lient ");
    const char *name = start ? start + strlen("lient ") : text;
    const char *end = strstr(name, " disconnected");
    return (sy_span){name, end ? (size_t)(end - name) : strlen(name)};
}

bool sy_broker__refusal(const char *text, sy_broker__refused *out)
{
    out->who = client(text);
    if (strstr(text, "not authorised")) {
        out->why = SY_REJECT_NOT_ALLOWED;
        out->detail = "wrong or missing password";
    } else if (strstr(text, "oversize packet")) {
        out->why = SY_REJECT_TOO_LARGE;
        out->detail = "the broker cut the connection";
    } else if (strncmp(text, SY_SPOOL_SAYS_DENIES, sizeof SY_SPOOL_SAYS_DENIES - 1) == 0) {
        out->who = sy_span_of(text + sizeof SY_SPOOL_SAYS_DENIES - 1);
        out->why = SY_REJECT_NOT_ALLOWED;
        out->detail = "it published to a topic that is not its own; the broker cut the connection";
    } else {
        return false;
    }
    return true;
}
