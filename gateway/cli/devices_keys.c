/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of the configuration's devices, by how they come: a password of the managed broker
 * (kept as a hash), a pre-shared key in the file that the configuration names, a certificate that
 * an authority signs. What a person must know is printed once.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/devices_int.h"
#include "control/control.h"
#include "door/refused.h"
#include "door/revoked.h"
#include "drivers/mqtt/mqtt.h"

enum { TELL_MS = 10000, KEYS_MAX = 4 << 20 };

const sy_device *sy_devices_find(const sy_config *c, const char *id)
{
    for (size_t i = 0; i < c->n_devices; i++)
        if (strcmp(c->devices[i].id, id) == 0)
            return &c->devices[i];
    return NULL;
}

sy_err sy_devices_tell(const char *data, const char *line, sy_fail *f)
{
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    sy_err e = sy_control_ask(data, line, TELL_MS, &answer, f);
    sy_buf_fini(&answer);
    return e == SY_E_NOTFOUND ? SY_OK : e; /* none runs: it reads the files when it starts */
}

/* Who is at the keyboard, also behind sudo. */
static void user_name(char *out, size_t size)
{
    struct passwd pw, *found = NULL;
    char room[1024];
    const char *sudo = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    bool known = getpwuid_r(getuid(), &pw, room, sizeof room, &found) == 0 && found;
    sy_door__plain(sy_span_of(sudo && *sudo ? sudo : known ? pw.pw_name : "unknown"), out, size);
}

/* What was done counts in the gateway that runs, and is in its ledger. */
static sy_err tell_done(const sy_config *c, const char *what, const char *id, sy_fail *f)
{
    char line[200], who[65];
    user_name(who, sizeof who);
    snprintf(line, sizeof line, "credentials device-%s\t%.64s\t%s", what, id, who);
    return sy_devices_tell(c->data, line, f);
}

static void mqtt_dir(const sy_config *c, char out[4200])
{
    snprintf(out, 4200, "%s/mqtt", c->data);
}

static bool managed(const sy_config *c)
{
    return c->broker && strcmp(c->broker, "managed") == 0;
}

/* 32 letters and digits, without a bias. */
static void make_password(char out[33])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none that look alike */
    unsigned char r[32];
    sy_random(r, sizeof r);
    for (size_t i = 0; i < sizeof r; i++)
        out[i] = letters[r[i] % 32];
    out[32] = '\0';
}

/* ---- pre-shared keys ---- */

/* Is it the line of this identity? ("identity:hex key"; the last colon ends the identity.) */
static bool is_of(sy_span line, const char *id)
{
    const char *colon = line.n ? memrchr(line.p, ':', line.n) : NULL;
    size_t n = strlen(id);
    return colon && (size_t)(colon - line.p) == n && memcmp(line.p, id, n) == 0;
}

/* The lines of all others, as they are; *found: there was one of it. */
static void put_others(sy_span text, const char *id, sy_buf *out, bool *found)
{
    *found = false;
    while (text.p && text.n > 0) {
        const char *nl = memchr(text.p, '\n', text.n);
        sy_span line = {text.p, nl ? (size_t)(nl - text.p) : text.n};
        size_t used = line.n + (nl ? 1 : 0);
        text = (sy_span){text.p + used, text.n - used};
        if (is_of(line, id)) {
            *found = true;
            continue;
        }
        sy_buf_span_put(out, line);
        sy_buf_char(out, '\n');
    }
}

/* Written by root, it must stay readable for who could read it. */
static sy_err write_as_before(const char *path, sy_span bytes, sy_fail *f)
{
    struct stat st;
    bool was = stat(path, &st) == 0;
    sy_err e = sy_file_write(path, bytes, was ? st.st_mode & 0777 : 0600, f);
    if (!e && was && geteuid() == 0 && chown(path, st.st_uid, st.st_gid) != 0)
        e = sy_fail_sys(f, "cannot give %s back to its owner", path);
    return e;
}

/* A new key (NULL: none any more) under the lock of the file beside it. */
static sy_err change_psk(const sy_config *c, const char *id, const char *hex, sy_fail *f)
{
    char lock[4200];
    sy_buf old, next;
    bool found = false;
    snprintf(lock, sizeof lock, "%s.lock", c->psk_file);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        sy_err failed = sy_fail_sys(f, "cannot lock %s", lock);
        if (fd >= 0)
            close(fd);
        return failed;
    }
    sy_buf_init(&old, sy_heap());
    sy_buf_init(&next, sy_heap());
    sy_err e =
        access(c->psk_file, F_OK) == 0 ? sy_file_read(c->psk_file, KEYS_MAX, &old, f) : SY_OK;
    put_others(sy_buf_span(&old), id, &next, &found);
    if (hex)
        sy_buf_printf(&next, "%s:%s\n", id, hex);
    else if (!e && !found)
        e = sy_fail_set(f, SY_E_NOTFOUND, "%s has no key of %s", c->psk_file, id);
    if (!e)
        e = next.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for %s", c->psk_file)
                        : write_as_before(c->psk_file, sy_buf_span(&next), f);
    sy_buf_fini(&old);
    sy_buf_fini(&next);
    close(fd);
    return e;
}

static bool has_psk(const sy_config *c, const char *id)
{
    sy_buf text, others;
    bool found = false;
    sy_buf_init(&text, sy_heap());
    sy_buf_init(&others, sy_heap());
    if (c->psk_file && sy_file_read(c->psk_file, KEYS_MAX, &text, NULL) == SY_OK)
        put_others(sy_buf_span(&text), id, &others, &found);
    sy_buf_fini(&text);
    sy_buf_fini(&others);
    return found;
}

static sy_err new_psk(const sy_config *c, const char *id, sy_fail *f)
{
    char key[33], hex[65]; /* letters and digits: some devices take text, some hexadecimal */
    make_password(key);
    sy_hex((const unsigned char *)key, 32, hex);
    sy_err e = change_psk(c, id, hex, f);
    if (!e)
        printf("%s\nThat is the key as text, for the identity %s; in hexadecimal it is\n%s\n", key,
               id, hex);
    return e;
}

/* ---- certificates ---- */

static void say_certificate(const sy_config *c, const sy_device *d)
{
    bool mqtt = d->transport == SY_TRANSPORT_MQTT;
    const char *ca = mqtt ? c->cert_ca : c->dtls.ca;
    printf("The authority of %s signs its certificate; the common name is the device's id:\n"
           "  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \\\n"
           "      -keyout %s.key -out %s.csr -subj /CN=%s\n"
           "Give %s.csr to the authority; the device gets what comes back, and %s.key.\n",
           ca ? ca : "the configuration", d->id, d->id, d->id, d->id, d->id);
}

/* ---- the commands ---- */

const char *sy_devices_credential(const sy_config *c, const sy_device *d)
{
    char dir[4200];
    mqtt_dir(c, dir);
    switch (d->credential) {
    case SY_CRED_NONE:
        return "none needed";
    case SY_CRED_PSK:
        return has_psk(c, d->id) ? "psk" : "psk missing";
    case SY_CRED_CERTIFICATE:
        return "certificate";
    case SY_CRED_PASSWORD:
        return sy_broker_has_credential(dir, d->id) ? "password" : "password missing";
    }
    return "";
}

static sy_err known(const sy_config *c, const char *id, const sy_device **d, sy_fail *f)
{
    *d = sy_devices_find(c, id);
    return *d ? SY_OK
              : sy_fail_set(f, SY_E_USAGE,
                            "%s: there is no device %.100s; add it to the "
                            "configuration first, or adopt one that is pending",
                            c->file, id);
}

/* until 0: what was before goes at once. */
static sy_err renew(const sy_config *c, const sy_device *d, sy_ms until, sy_fail *f)
{
    char dir[4200], password[33];
    mqtt_dir(c, dir);
    switch (d->credential) {
    case SY_CRED_NONE:
        return sy_fail_set(f, SY_E_USAGE, "%s: device %.100s needs no credential", c->file, d->id);
    case SY_CRED_PSK:
        return new_psk(c, d->id, f);
    case SY_CRED_CERTIFICATE:
        say_certificate(c, d);
        return SY_OK;
    case SY_CRED_PASSWORD:
        break;
    }
    if (!managed(c))
        return sy_fail_set(f, SY_E_USAGE,
                           "%s: the broker is not ours (mqtt: broker: managed), so its passwords "
                           "are not either",
                           c->file);
    make_password(password);
    sy_err e = until ? sy_broker_rotate(dir, d->id, password, until, f)
                     : sy_broker_credential(dir, d->id, password, f);
    if (!e)
        printf("%s\n", password);
    return e;
}

sy_err sy_devices_add(const sy_config *c, const char *id, sy_fail *f)
{
    const sy_device *d;
    sy_err e = known(c, id, &d, f);
    e = e ? e : renew(c, d, 0, f);
    fflush(stdout);
    e = e ? e : sy_revoked_set(c->data, id, false, f);
    e = e ? e : sy_devices_tell(c->data, "reload", f);
    return e ? e : tell_done(c, "add", id, f);
}

sy_err sy_devices_rotate(const sy_config *c, const char *id, sy_ms grace, sy_fail *f)
{
    const sy_device *d;
    sy_err e = known(c, id, &d, f);
    e = e ? e : renew(c, d, sy_wall_ms() + grace, f);
    if (!e && d->credential == SY_CRED_PSK)
        puts("An identity has one key: that before counts no more at the next handshake.");
    if (!e && d->credential == SY_CRED_CERTIFICATE)
        puts("The certificate before counts until its end, or until it is in a list of revoked "
             "ones.");
    fflush(stdout);
    return e ? e : tell_done(c, "rotate", id, f);
}

/* Take away what there is of it; that there is nothing is fine. */
static sy_err take_away(const sy_config *c, const char *id, sy_fail *f)
{
    char dir[4200];
    mqtt_dir(c, dir);
    sy_err e = sy_broker_has_credential(dir, id) ? sy_broker_credential(dir, id, NULL, f) : SY_OK;
    if (!e && has_psk(c, id))
        e = change_psk(c, id, NULL, f);
    return e;
}

sy_err sy_devices_revoke(const sy_config *c, const char *id, sy_fail *f)
{
    const sy_device *d;
    sy_err e = known(c, id, &d, f);
    e = e ? e : sy_revoked_set(c->data, id, true, f);
    e = e ? e : take_away(c, id, f);
    return e ? e : tell_done(c, "revoke", id, f);
}

sy_err sy_devices_remove(const sy_config *c, const char *id, sy_fail *f)
{
    char dir[4200];
    mqtt_dir(c, dir);
    if (!sy_broker_has_credential(dir, id) && !has_psk(c, id))
        return sy_fail_set(f, SY_E_NOTFOUND, "device %.100s has no password and no key", id);
    sy_err e = take_away(c, id, f);
    return e ? e : tell_done(c, "remove", id, f);
}

sy_err sy_devices_window(const sy_config *c, sy_ms window, sy_fail *f)
{
    char dir[4200], password[33], until[25];
    mqtt_dir(c, dir);
    if (!managed(c))
        return sy_fail_set(f, SY_E_USAGE, "%s: the broker is not ours (mqtt: broker: managed)",
                           c->file);
    sy_ms end = sy_wall_ms() + window;
    make_password(password);
    sy_err e = sy_broker_onboard(dir, window ? password : NULL, end, f);
    e = e ? e : tell_done(c, window ? "open" : "close", SY_MQTT_STRANGER, f);
    if (e || !window)
        return e;
    sy_time_text(end, until);
    printf("%s\nUser name " SY_MQTT_STRANGER ", password above, until %s: for devices that the "
           "configuration\ndoes not know. What they send is kept aside; see steelyard devices "
           "pending.\n",
           password, until);
    return SY_OK;
}
