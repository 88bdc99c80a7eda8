/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come in, and who is told: devices, accounts of the console, destinations. */
#include <stdio.h>
#include <unistd.h>

#include "assess/assess_int.h"
#include "console/users.h"
#include "drivers/mqtt/mqtt.h"

enum { TOKEN_MOST = 4096, TOKEN_LEAST = 16 };

static const char *service_of(const sy_device *d)
{
    return d->transport == SY_TRANSPORT_COAP    ? "coap"
           : d->transport == SY_TRANSPORT_MQTT  ? "mqtt"
           : d->transport == SY_TRANSPORT_HJ212 ? "hj212"
                                                : NULL;
}

/* A device that proves nothing: who could send in its name. */
static void look_unproven(sy_look *l, const sy_device *d, const char *service)
{
    sy_assess_what what = !sy_look_reachable(l, service) ? SY_ASSESS_DEVICE_LOCAL
                          : d->from.set                  ? SY_ASSESS_DEVICE_ADDRESS
                                                         : SY_ASSESS_DEVICE_OPEN;
    sy_assess__add(l->a, what, d->id, "%s", service);
}

static bool well_known(const char *password)
{
    static const char *const words[] = {"123456", "000000", "111111",  "12345678",
                                        "888888", "admin",  "password"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(password, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* True: it has a credential of its own. */
static bool look_device(sy_look *l, const sy_device *d)
{
    char dir[4200];
    const char *service = service_of(d);
    if (!service || d->observe) {
        return false; /* the gateway asks it */
    }
    if (d->transport == SY_TRANSPORT_HJ212) {
        if (d->password && well_known(d->password)) {
            sy_assess__add(l->a, SY_ASSESS_HJ212_DEFAULT, d->id, "%s", "");
            return false;
        }
        if (!d->password) {
            look_unproven(l, d, service);
        }
        return d->password != NULL;
    }
    if (d->credential == SY_CRED_NONE) {
        look_unproven(l, d, service);
        return false;
    }
    snprintf(dir, sizeof dir, "%.4000s/mqtt", l->c->data);
    bool managed = l->c->broker && strcmp(l->c->broker, "managed") == 0;
    if (d->credential == SY_CRED_PASSWORD && managed && !sy_broker_has_credential(dir, d->id)) {
        sy_assess__add(l->a, SY_ASSESS_DEVICE_UNREADY, d->id, "%s", service);
    }
    return true;
}

static void look_devices(sy_look *l)
{
    size_t good = 0;
    bool box = false;
    for (size_t i = 0; i < l->c->n_devices; i++) {
        good += look_device(l, &l->c->devices[i]);
        box = box || l->c->devices[i].transport == SY_TRANSPORT_BOX;
    }
    if (good) {
        sy_assess__add(l->a, SY_ASSESS_DEVICES_GOOD, "", "%zu / %zu", good, l->c->n_devices);
    }
    sy_assess__add(l->a, box ? SY_ASSESS_SELF : SY_ASSESS_SELF_NONE, "", "%s", "");
    json_int_t pending = json_integer_value(json_object_get(l->status, "pending"));
    if (pending > 0) {
        sy_assess__add(l->a, SY_ASSESS_ONBOARDING, "", "%lld", (long long)pending);
    }
}

/* True where the host of an address is this machine. */
static bool at_home(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

static void look_broker(sy_look *l)
{
    const sy_config *c = l->c;
    if (!c->broker || strcmp(c->broker, "managed") == 0) {
        return;
    }
    if (strncmp(c->broker, "mqtt://", 7) == 0 && !at_home(c->broker)) {
        sy_assess__add(l->a, SY_ASSESS_BROKER_PLAIN, c->broker, "%s", "");
    }
    if (!c->mqtt_user && !c->mqtt_tls.cert) {
        sy_assess__add(l->a, SY_ASSESS_BROKER_ANONYMOUS, c->broker, "%s", "");
    }
}

static void look_console(sy_look *l)
{
    sy_users users = {0};
    sy_fail why;
    sy_buf out, token;
    size_t n[SY_ROLES] = {0};
    sy_buf_init(&out, sy_heap());
    sy_buf_init(&token, sy_heap());
    char path[4200];
    snprintf(path, sizeof path, "%.4000s/users", l->c->data);
    if (access(path, F_OK) == 0) {
        sy_look_secret(l, path);
    }
    if (sy_users_read(l->c->data, &users, &why) != SY_OK) {
        sy_assess__add(l->a, SY_ASSESS_ACCOUNTS_BROKEN, path, "%s", why.text);
    } else {
        for (size_t i = 0; i < users.n; i++) {
            n[users.v[i].role]++;
        }
        for (size_t r = 0; r < SY_ROLES; r++) {
            if (n[r]) {
                sy_buf_printf(&out, "%s%s %zu", out.n ? ", " : "", sy_role_word((sy_role)r), n[r]);
            }
        }
        sy_assess__add(l->a, users.n ? SY_ASSESS_ACCOUNTS : SY_ASSESS_ACCOUNTS_NONE, "", "%s",
                       out.n ? out.p : "");
        sy_users_free(&users);
    }
    if (l->c->console_tls.ca) {
        sy_assess__add(l->a, SY_ASSESS_CERTIFICATE_PEOPLE, l->c->console_tls.ca, "%s", "");
    }
    if (l->c->console_metrics) {
        sy_look_secret(l, l->c->console_metrics);
        bool read = sy_file_read(l->c->console_metrics, TOKEN_MOST, &token, NULL) == SY_OK;
        size_t length = read && token.n ? strcspn(token.p, "\r\n") : 0;
        if (length < TOKEN_LEAST) {
            sy_assess__add(l->a, SY_ASSESS_TOKEN_SHORT, l->c->console_metrics, "%zu", length);
        }
    }
    if (token.p) {
        explicit_bzero(token.p, token.cap);
    }
    sy_buf_fini(&token);
    sy_buf_fini(&out);
}

static void look_egress(sy_look *l, const sy_destination *d)
{
    static const char *const classes[] = {
#define WORD(name, word, ...) word,
        SY_EGRESS_CLASSES(WORD)
#undef WORD
    };
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    for (size_t i = 0; i < SY_EGRESS_N; i++) {
        if (d->egress.classes & 1u << i) {
            sy_buf_printf(&out, "%s%s", out.n ? ", " : "", classes[i]);
        }
    }
    sy_assess__add(
        l->a, d->egress.redact & 1u << SY_PART_PEOPLE ? SY_ASSESS_EGRESS : SY_ASSESS_EGRESS_PEOPLE,
        d->name, "%s: %s", d->url, out.n ? out.p : "");
    sy_buf_fini(&out);
}

static void look_destination(sy_look *l, const sy_destination *d)
{
    bool plain = strncmp(d->url, "http://", 7) == 0 || strncmp(d->url, "mqtt://", 7) == 0;
    if (!plain) {
        sy_assess__add(l->a, SY_ASSESS_DEST_TLS, d->name, "%s", d->url);
    } else if (!at_home(d->url)) {
        sy_assess__add(l->a, SY_ASSESS_DEST_PLAIN, d->name, "%s", d->url);
    }
    if (d->kind == SY_DEST_WEBHOOK && !d->secret) {
        sy_assess__add(l->a, SY_ASSESS_DEST_UNSIGNED, d->name, "%s", d->url);
    }
    if (d->authority.ca) {
        sy_assess__add(l->a, SY_ASSESS_ORDERS, d->name, "%s", d->authority.ca);
    }
    look_egress(l, d);
}

void sy_look_who(sy_look *l)
{
    const sy_destination *alive = NULL;
    look_devices(l);
    look_broker(l);
    if (l->c->console_listen) {
        look_console(l);
    }
    for (size_t i = 0; i < l->c->n_destinations; i++) {
        look_destination(l, &l->c->destinations[i]);
        if (l->c->destinations[i].heartbeat > 0) {
            alive = &l->c->destinations[i];
        }
    }
    if (!l->c->n_destinations) {
        sy_assess__add(l->a, SY_ASSESS_EGRESS_NONE, "", "%s", "");
    }
    sy_assess__add(l->a, alive ? SY_ASSESS_HEARTBEAT : SY_ASSESS_HEARTBEAT_NONE,
                   alive ? alive->name : "", "%s", "");
}
