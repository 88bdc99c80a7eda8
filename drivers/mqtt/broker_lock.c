/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One broker on a folder: a lock that the child holds as long as it lives.
 *
 * A gateway that was killed leaves a mosquitto that the kernel told to end and that saves its
 * sessions: wait for it. If the signal came in the instant between mosquitto's installing of its
 * handler and its main loop, it is forgotten, and the child would stay for ever: so it is told
 * again, and killed in the end. Its pid is in the lock file; that it is ours, and still the process
 * that was meant, its command line shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/mqtt/broker_int.h"

enum { NAP_MS = 20, AGAIN_MS = 1000, KILL_MS = 8000, GIVE_UP_MS = 15000 };

void sy_broker__lock_note(int fd, long pid)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", pid);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        sy_log(SY_LOG_WARN, "broker-lock", "errno=%d", errno);
    }
}

/* The pid in the lock file, where it is a mosquitto that runs with this configuration; else 0. */
static pid_t holder(int fd, const char *conf)
{
    char text[32] = "", path[64], line[SY_BROKER__PATH + 64];
    if (pread(fd, text, sizeof text - 1, 0) <= 0) {
        return 0;
    }
    long pid = strtol(text, NULL, 10);
    snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
    int in = pid > 1 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = in >= 0 ? read(in, line, sizeof line - 1) : -1;
    if (in >= 0) {
        close(in);
    }
    /* "mosquitto", "-c", conf, each ended by a NUL */
    static const char head[] = "mosquitto\0-c";
    size_t n_conf = strlen(conf);
    bool ours = n == (ssize_t)(sizeof head + n_conf + 1) && memcmp(line, head, sizeof head) == 0 &&
                memcmp(line + sizeof head, conf, n_conf) == 0;
    return ours ? (pid_t)pid : 0;
}

sy_err sy_broker__lock(const char *dir, const char *conf, int *fd, sy_fail *f)
{
    char path[SY_BROKER__PATH];
    sy_err e = sy_dir_make(dir, f);
    e = e ? e : sy_broker__path(dir, "lock", path, f);
    if (e) {
        return e;
    }
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) {
        return sy_fail_sys(f, "cannot open %.200s", path);
    }
    struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
    sy_ms began = sy_mono_ms(), told = began;
    while (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        sy_ms now = sy_mono_ms();
        if (now - began > GIVE_UP_MS) {
            return sy_fail_set(f, SY_E_EXISTS,
                               "another mosquitto still uses %.150s: end it and start again", dir);
        }
        if (now - told > AGAIN_MS) {
            pid_t pid = holder(*fd, conf);
            told = now;
            if (pid > 0) {
                kill(pid, now - began > KILL_MS ? SIGKILL : SIGTERM);
            }
        }
        nanosleep(&nap, NULL);
    }
    return SY_OK;
}
