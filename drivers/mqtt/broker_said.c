/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mosquitto's log says of a device that it refused. Lines of its versions 2.0:
 * "Client NAME disconnected, not authorised.", "Client NAME disconnected due to oversize packet.",
 * and what is denied: with no queue limit mosquitto 2.0.11 takes its own refusal for a full queue
 * (151, a number that it has no text for), so it also closes the connection.
 */
#include <string.h>

#include "drivers/mqtt/broker_int.h"

static const char denied_head[] = "Bad socket read/write on client ";
static const char denied_tail[] = ": Unknown error.";

static sy_span client(const char *text)
{
    const char *start = strstr(text, "lient ");
    const char *name = start ? start + strlen("lient ") : text;
    const char *end = strstr(name, " disconnected");
    if (!end) {
        end = strstr(name, denied_tail);
    }
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
    } else if (strncmp(text, denied_head, sizeof denied_head - 1) == 0 &&
               strstr(text, denied_tail)) {
        out->why = SY_REJECT_NOT_ALLOWED;
        out->detail = "it published to a topic that is not its own; the broker cut the connection";
    } else {
        return false;
    }
    return true;
}
