/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the managed broker needs of us: the plugin beside our own binary, the page of memory that it
 * shares with us, and the eventfd by which it wakes the reader of the spool.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drivers/mqtt/broker_int.h"

#define FILE_NAME "steelyard-mosquitto.so"

/* Beside the binary (as built), in ../lib/steelyard (as installed anywhere), in the folder above
 * (the programs of the tests), where it is installed. */
sy_err sy_broker__find_plugin(char out[SY_BROKER__PATH], sy_fail *f)
{
    static const char *const near[] = {"/" FILE_NAME, "/../lib/steelyard/" FILE_NAME,
                                       "/../" FILE_NAME};
    char self[SY_BROKER__PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 64);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
        for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
            snprintf(out, SY_BROKER__PATH, "%.900s%s", self, near[i]);
            if (access(out, R_OK) == 0) {
                return SY_OK;
            }
        }
    }
    snprintf(out, SY_BROKER__PATH, "%s", SY_PLUGIN_DIR "/" FILE_NAME);
    if (access(out, R_OK) == 0) {
        return SY_OK;
    }
    return sy_fail_set(f, SY_E_NOTFOUND,
                       "the broker's plugin " FILE_NAME " is neither in %.160s nor in %s, and the "
                       "managed broker does not run without it: install steelyard again",
                       self, SY_PLUGIN_DIR);
}

sy_err sy_broker__share(sy_broker__setup *s, sy_fail *f)
{
    sy_err e = sy_broker__path(s->dir, "spool", s->spool_dir, f);
    e = e ? e : sy_dir_make(s->spool_dir, f);
    if (e) {
        return e;
    }
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->page_fd = memfd_create("steelyard-spool", MFD_CLOEXEC);
    if (s->wake_fd < 0 || s->page_fd < 0 || ftruncate(s->page_fd, SY_SPOOL_PAGE) != 0) {
        return sy_fail_sys(f, "cannot make the memory shared with the broker");
    }
    void *p = mmap(NULL, SY_SPOOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->page_fd, 0);
    if (p == MAP_FAILED) {
        return sy_fail_sys(f, "cannot map the memory shared with the broker");
    }
    s->page = p;
    return SY_OK;
}

void sy_broker__unshare(sy_broker__setup *s)
{
    if (s->page) {
        munmap(s->page, SY_SPOOL_PAGE);
    }
    if (s->page_fd >= 0) {
        close(s->page_fd);
    }
    if (s->wake_fd >= 0) {
        close(s->wake_fd);
    }
    s->page = NULL;
    s->page_fd = s->wake_fd = -1;
}

void sy_broker__put_plugin(const sy_broker__setup *s, sy_buf *b)
{
    sy_buf_printf(b,
                  "plugin %s\n"
                  "plugin_opt_dir %s\n"
                  "plugin_opt_access %s/access\n"
                  "plugin_opt_floor %llu\n"
                  "plugin_opt_bytes %llu\n"
                  "plugin_opt_reserve %llu\n"
                  "plugin_opt_sync %d\n"
                  "plugin_opt_strict %d\n"
                  "plugin_opt_page %d\n"
                  "plugin_opt_wake %d\n",
                  s->plugin, s->spool_dir, s->dir, (unsigned long long)s->floor,
                  (unsigned long long)s->spool_bytes, (unsigned long long)s->reserve_bytes,
                  s->sync_ms, s->strict ? 1 : 0, s->page_fd, s->wake_fd);
    if (s->cert_ca[0]) {
        sy_buf_printf(b, "plugin_opt_authority %s\n", s->cert_ca);
    }
    if (s->cert_crl[0]) {
        sy_buf_printf(b, "plugin_opt_revoked %s\n", s->cert_crl);
    }
}
