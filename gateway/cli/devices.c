/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard devices: passwords of MQTT devices. Which devices there are is the configuration's;
 * what is kept here is only the hash of a password, which is shown once, when it is made.
 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_file.h"
#include "control/control.h"
#include "drivers/mqtt/mqtt.h"

enum { RELOAD_MS = 10000 };

static const char help[] =
    "usage: steelyard devices add ID    --config FILE [--data DIR]\n"
    "       steelyard devices remove ID --config FILE [--data DIR]\n"
    "       steelyard devices list      --config FILE [--data DIR] [--json]\n\n"
    "  add     make a new password for a device of the configuration and print it, once\n"
    "  remove  the device can no longer log in; a running gateway cuts it off\n"
    "  list    devices, how they speak, and whether they have what they need to log in\n\n"
    "A running gateway learns of it at once. The device logs in with its id as the user name.\n"
    "Exit codes: 0 fine, 1 it could not be done, 2 wrong usage.\n";

typedef struct arguments {
    const char *config, *data, *verb, *id;
    bool json;
} arguments;

static int parse(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"data", required_argument, NULL, 'd'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *a = (arguments){0};
    optind = 0;
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (o) {
        case 'c':
            a->config = optarg;
            break;
        case 'd':
            a->data = optarg;
            break;
        case 'j':
            a->json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            fputs(help, stderr);
            return 2;
        }
    }
    a->verb = optind < argc ? argv[optind] : "";
    a->id = optind + 1 < argc ? argv[optind + 1] : NULL;
    bool list = strcmp(a->verb, "list") == 0;
    bool change = strcmp(a->verb, "add") == 0 || strcmp(a->verb, "remove") == 0;
    if (!a->config || (!list && !change) || list != !a->id || optind + (list ? 1 : 2) != argc) {
        fputs(help, stderr);
        return 2;
    }
    return -1;
}

static const char *credential_text(const sy_device *d, const char *dir)
{
    switch (d->credential) {
    case SY_CRED_NONE:
        return "none needed";
    case SY_CRED_PSK:
        return "psk file";
    case SY_CRED_CERTIFICATE:
        return "certificate";
    case SY_CRED_PASSWORD:
        return sy_broker_has_credential(dir, d->id) ? "password" : "password missing";
    }
    return "";
}

static void list(const sy_config *c, const char *dir, bool json)
{
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_buf_text(&out, json ? "[" : "");
    for (size_t i = 0; i < c->n_devices; i++) {
        const sy_device *d = &c->devices[i];
        const char *transport = sy_transport_name(d->transport);
        const char *where = d->topic ? d->topic : "";
        const char *credential = credential_text(d, dir);
        if (json) {
            sy_buf_text(&out, i ? ",\n {\"id\": " : "\n {\"id\": ");
            sy_buf_json(&out, sy_span_of(d->id));
            sy_buf_printf(&out, ", \"transport\": \"%s\", \"topic\": ", transport);
            sy_buf_json(&out, sy_span_of(where));
            sy_buf_printf(&out, ", \"format\": \"%s\", \"points\": %zu, \"credential\": \"%s\"}",
                          d->format, d->n_channels, credential);
        } else {
            sy_buf_printf(&out, "%-24s %-5s %-11s %2zu points  %-17s %s\n", d->id, transport,
                          d->format, d->n_channels, credential, where);
        }
    }
    sy_buf_text(&out, json ? "\n]\n" : "");
    fputs(out.n ? out.p : "", stdout);
    sy_buf_fini(&out);
}

/* 32 letters and digits, without a bias. */
static void make_password(char out[33])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none that look alike */
    unsigned char r[32];
    sy_random(r, sizeof r);
    for (size_t i = 0; i < sizeof r; i++) {
        out[i] = letters[r[i] % 32];
    }
    out[32] = '\0';
}

static sy_err tell_gateway(const char *data, sy_fail *f)
{
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    sy_err e = sy_control_ask(data, "reload", RELOAD_MS, &answer, f);
    sy_buf_fini(&answer);
    return e == SY_E_NOTFOUND ? SY_OK : e; /* none runs: it reads the file when it starts */
}

static sy_err change(const sy_config *c, const char *dir, const arguments *a, sy_fail *f)
{
    const sy_device *d = NULL;
    bool add = strcmp(a->verb, "add") == 0;
    if (!c->broker || strcmp(c->broker, "managed") != 0) {
        return sy_fail_set(f, SY_E_USAGE,
                           "%s: the broker is not ours (mqtt: broker: managed), so its passwords "
                           "are not either",
                           c->file);
    }
    for (size_t i = 0; i < c->n_devices && !d; i++) {
        d = strcmp(c->devices[i].id, a->id) == 0 ? &c->devices[i] : NULL;
    }
    if (add && (!d || d->transport != SY_TRANSPORT_MQTT || d->credential != SY_CRED_PASSWORD)) {
        return sy_fail_set(f, SY_E_USAGE,
                           "%s: %.100s is not a device with \"transport: mqtt, credential: "
                           "password\"; add it to the configuration first",
                           c->file, a->id);
    }
    char password[33];
    make_password(password);
    sy_err e = sy_broker_credential(dir, a->id, add ? password : NULL, f);
    if (!e && add) {
        printf("%s\n", password);
        fflush(stdout);
    }
    return e ? e : tell_gateway(c->data, f);
}

int sy_cmd_devices(int argc, char **argv)
{
    arguments a;
    int rc = parse(argc, argv, &a);
    if (rc >= 0) {
        return rc;
    }
    sy_fail f = {0};
    sy_config *c = NULL;
    sy_err e = sy_config_file_load(a.config, a.data, &c, &f);
    if (e) {
        fprintf(stderr, "steelyard devices: %s\n", f.text);
        return 2;
    }
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/mqtt", c->data);
    if (strcmp(a.verb, "list") == 0) {
        list(c, dir, a.json);
    } else if ((e = change(c, dir, &a, &f)) != SY_OK) {
        fprintf(stderr, "steelyard devices: %s\n", f.text);
    }
    sy_config_unref(c);
    return e == SY_E_USAGE ? 2 : e ? 1 : 0;
}
