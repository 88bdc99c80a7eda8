/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker's log says of a device that was refused: our plugin's lines, and mosquitto's
 * "Client NAME disconnected due to oversize packet.". (Its "not authorised" only repeats the
 * plugin.)
 */
#include <stdio.h>
#include <string.h>

#include "drivers/mqtt/broker_int.h"

static sy_span client(const char *text)
{
    const char *start = strstr(text, "lient ");
    const char *name = start ? start + strlen("lient ") : text;
    const char *end = strstr(name, " disconnected");
    return (sy_span){name, end ? (size_t)(end - name) : strlen(name)};
}

static const struct {
    const char *reason, *detail;
} words[] = {
    {"stolen-topic", "it published to a topic that is not its own; the broker cut the connection"},
    {"wrong-password", "wrong or missing password"},
    {"unknown-device", "no device of this name may log in"},
    {"revoked-device", "it was cut off by steelyard devices revoke"},
    {"too-late", "the time for unknown devices is over"},
    {"expired-certificate", "its certificate has expired"},
    {"early-certificate", "its certificate is not valid yet: is the box's clock right?"},
    {"revoked-certificate", "its certificate was revoked"},
    {"unknown-authority", "its certificate is not signed by an authority of mqtt.certificates.ca"},
    {"bad-certificate", "its certificate cannot be used, or names no device"},
    {"not-by-certificate", "this device is not configured with credential: certificate"},
    {"speaks-for-another", "its user name is not the common name of its certificate"},
    {"no-memory", "no memory"},
};

/* "<reason> <peer> <who>" */
static bool plugin_said(const char *text, sy_broker__refused *out)
{
    const char *blank = strchr(text, ' '), *name = blank ? strchr(blank + 1, ' ') : NULL;
    size_t n_peer = name ? (size_t)(name - blank - 1) : 0;
    for (size_t i = 0; name && i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].reason) == (size_t)(blank - text) &&
            memcmp(words[i].reason, text, (size_t)(blank - text)) == 0) {
            out->why = SY_REJECT_NOT_ALLOWED;
            out->reason = words[i].reason;
            out->detail = words[i].detail;
            out->who = sy_span_of(name + 1);
            snprintf(out->peer, sizeof out->peer, "%.*s", (int)n_peer,
                     n_peer == 1 && blank[1] == '-' ? "" : blank + 1);
            return true;
        }
    }
    return false;
}

bool sy_broker__refusal(const char *text, sy_broker__refused *out)
{
    *out = (sy_broker__refused){.who = client(text)};
    if (strstr(text, "oversize packet")) {
        out->why = SY_REJECT_TOO_LARGE;
        out->detail = "the broker cut the connection";
        return true;
    }
    size_t n = sizeof SY_SPOOL_SAYS_REFUSED - 1;
    return strncmp(text, SY_SPOOL_SAYS_REFUSED, n) == 0 && plugin_said(text + n, out);
}
