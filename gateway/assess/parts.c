/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The versions of the parts, as they say themselves at run time, and the least that is maintained:
 * what Debian 12 has, which gets its security updates. It alone names every library.
 */
#include <MQTTAsync.h>
#include <coap3/coap.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/version.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "assess/assess_int.h"

extern char **environ;
static const sy_ms year = 365 * (sy_ms)86400000;

/* The first number with a dot in it, as major * 1000000 + minor * 1000 + patch; 0: none. */
static unsigned long number_of(const char *text)
{
    unsigned part[3] = {0};
    const char *at = strpbrk(text, "0123456789");
    if (!at || sscanf(at, "%u.%u.%u", &part[0], &part[1], &part[2]) < 2) {
        return 0;
    }
    return part[0] * 1000000ul + part[1] * 1000ul + part[2];
}

static void part(sy_look *l, const char *name, const char *version, const char *least)
{
    if (number_of(version) < number_of(least)) {
        sy_assess__add(l->a, SY_ASSESS_PART_OLD, name, "%s < %s", version, least);
    } else {
        sy_assess__add(l->a, SY_ASSESS_PART, name, "%s", version);
    }
}

static const char *paho_version(void)
{
    for (const MQTTAsync_nameValue *v = MQTTAsync_getVersionInfo(); v && v->name; v++) {
        if (strcmp(v->name, "Version") == 0) {
            return v->value;
        }
    }
    return "";
}

/* The first line of `mosquitto -h`; false: it is not there. */
static bool ask_mosquitto(char *out, size_t size)
{
    static const char *const places[] = {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto",
                                         "/usr/bin/mosquitto", "/usr/local/bin/mosquitto"};
    char name[] = "mosquitto", option[] = "-h", *argv[] = {name, option, NULL};
    const char *program = NULL;
    char rest[512];
    int fd[2], status;
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !program; i++) {
        program = access(places[i], X_OK) == 0 ? places[i] : NULL;
    }
    if (!program || pipe2(fd, O_CLOEXEC) != 0) {
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, fd[0]);
    bool started = posix_spawn(&pid, program, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(fd[1]);
    FILE *f = fdopen(fd[0], "r");
    bool read_one = f && fgets(out, (int)size, f);
    while (f && fgets(rest, sizeof rest, f)) {
    }
    if (f) {
        fclose(f);
    } else {
        close(fd[0]);
    }
    while (started && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!started || !read_one) {
        return false;
    }
    out[strcspn(out, "\n")] = 0;
    return number_of(out) > 0;
}

void sy_look_parts(sy_look *l)
{
    char text[256], made[25];
    bool managed = l->c->broker && strcmp(l->c->broker, "managed") == 0;
    sy_time_text(l->build, made);
    if (l->a->now - l->build > year) {
        sy_assess__add(l->a, SY_ASSESS_BUILD_OLD, "steelyard", "%s, %s", SY_VERSION, made);
    } else {
        sy_assess__add(l->a, SY_ASSESS_PART, "steelyard", "%s, %s", SY_VERSION, made);
    }
    part(l, "SQLite", sqlite3_libversion(), "3.40");
    part(l, "OpenSSL", OpenSSL_version(OPENSSL_VERSION), "3.0");
    char mbed[32] = "";
    mbedtls_version_get_string(mbed);
    part(l, "mbedTLS", mbed, "2.28");
    part(l, "Paho MQTT C", paho_version(), "1.3");
    part(l, "libcoap", coap_package_version(), "4.3");
    part(l, "libmicrohttpd", MHD_get_version(), "0.9.75");
    part(l, "zstd", ZSTD_versionString(), "1.5");
    if (managed && ask_mosquitto(text, sizeof text)) {
        part(l, "mosquitto", text, "2.0");
    } else if (managed) {
        sy_assess__add(l->a, SY_ASSESS_PART_MISSING, "mosquitto", "%s", "");
    }
}
