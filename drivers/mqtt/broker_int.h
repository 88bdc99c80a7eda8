/*
 * Shared by the files of the managed broker: where it listens, and the files made for it.
 */
#ifndef SY_BROKER_INT_H
#define SY_BROKER_INT_H

#include "drivers/mqtt/mqtt.h"
#include "drivers/mqtt/spool.h"

#define SY_BROKER__GATEWAY_USER "@gateway"
enum { SY_BROKER__HASH = 160, SY_BROKER__PASSWORD = 33, SY_BROKER__PATH = 1024 };

typedef struct sy_broker__listener {
    char host[64];
    uint16_t port; /* 0: choose */
    bool chosen;   /* by us, so another one may be tried */
    bool tls;
    bool certificates; /* it asks for them, and takes nobody without */
} sy_broker__listener;

typedef struct sy_broker__setup {
    char dir[SY_BROKER__PATH];
    char ca[SY_BROKER__PATH], cert[SY_BROKER__PATH], key[SY_BROKER__PATH]; /* "": no TLS */
    char cert_ca[SY_BROKER__PATH], cert_crl[SY_BROKER__PATH];              /* "": no certificates */
    sy_broker__listener *listeners;
    size_t n_listeners;
    char writes[SY_BROKER__PATH]; /* "": nothing */
    size_t max_payload;
    bool replay_user;
    char gateway_password[SY_BROKER__PASSWORD], replay_password[SY_BROKER__PASSWORD];
    char gateway_hash[SY_BROKER__HASH], replay_hash[SY_BROKER__HASH];
    char plugin[SY_BROKER__PATH], spool_dir[SY_BROKER__PATH];
    uint64_t floor, spool_bytes, reserve_bytes; /* as in spool_write.h */
    int sync_ms;
    bool strict;
    int page_fd, wake_fd; /* left open in the child */
    sy_spool_page *page;
} sy_broker__setup;

/* broker_setup.c: as the options say; `s` is zeroed but for the descriptors, which are -1. */
SY_MUST_USE sy_err sy_broker__set_up(sy_broker__setup *s, const sy_broker_options *o, sy_fail *f);

/* broker_plugin.c: the plugin's file; what it shares with us; its lines in mosquitto.conf. */
SY_MUST_USE sy_err sy_broker__find_plugin(char out[SY_BROKER__PATH], sy_fail *f);
SY_MUST_USE sy_err sy_broker__share(sy_broker__setup *s, sy_fail *f);
void sy_broker__unshare(sy_broker__setup *s);
void sy_broker__put_plugin(const sy_broker__setup *s, sy_buf *b);

/* "host:port", "[v6]:port". */
SY_MUST_USE sy_err sy_broker__parse_listen(const char *text, sy_broker__listener *out, sy_fail *f);
/* Give each listener with a chosen port a port that is free now. */
SY_MUST_USE sy_err sy_broker__choose_ports(sy_broker__setup *s, sy_fail *f);
/* mosquitto.conf */
SY_MUST_USE sy_err sy_broker__write_conf(const sy_broker__setup *s, sy_fail *f);
/* access (drivers/mqtt/plugin/access.h), replay.password; tells the plugin. */
SY_MUST_USE sy_err sy_broker__write_access(const sy_broker__setup *s, const sy_registry *devices,
                                           sy_fail *f);
/* dir + "/" + name, into a buffer of SY_BROKER__PATH bytes. */
SY_MUST_USE sy_err sy_broker__path(const char *dir, const char *name, char *out, sy_fail *f);

/* A file of the folder, replaced. */
SY_MUST_USE sy_err sy_broker__put_file(const char *dir, const char *name, sy_buf *b, sy_fail *f);

/* passwords.c */
#define SY_BROKER__ONBOARD "onboard" /* the file of the stranger's password */
typedef struct sy_broker__kept {
    sy_span hash, old; /* in the file's text; empty: none */
    sy_ms old_until;
} sy_broker__kept;
sy_broker__kept sy_broker__kept_of(sy_span file, const char *id);
/* Appends the kept passwords; nothing where there are none. */
SY_MUST_USE sy_err sy_broker__read_kept(const char *dir, sy_buf *out, sy_fail *f);
/* The password before is not needed any more. */
SY_MUST_USE sy_err sy_broker__settle(const char *dir, const char *device, sy_fail *f);
/* What is a line must stay one line, and '@' is for the box itself. */
bool sy_broker__name_fits(const char *id);

/* broker_said.c: true where a line of mosquitto's log tells of a device that it refused. */
typedef struct sy_broker__refused {
    sy_reject why;
    const char *reason; /* a word of docs/devices.md, or NULL */
    sy_span who;        /* in the line */
    char peer[64];      /* "": not known */
    const char *detail;
} sy_broker__refused;
bool sy_broker__refusal(const char *text, sy_broker__refused *out);

/* A random password: 32 letters and digits. */
void sy_broker__random_password(char out[SY_BROKER__PASSWORD]);
/* The hash as mosquitto writes it: $7$ (PBKDF2, SHA-512); whether a password fits one. */
bool sy_broker__verify(const char *hash, const char *password);
SY_MUST_USE sy_err sy_broker__hash(const char *password, char out[SY_BROKER__HASH], sy_fail *f);

/* Take the folder's lock; waits until a broker that a killed gateway left has gone. */
SY_MUST_USE sy_err sy_broker__lock(const char *dir, const char *conf, int *fd, sy_fail *f);
/* Who holds it with us. */
void sy_broker__lock_note(int fd, long pid);

/* The child. Only the thread that spawns it sees it, and that thread must outlive it: the kernel
 * sends the parent-death signal when the thread that forked ends. */
typedef struct sy_broker__child {
    long pid;    /* 0: none */
    int exit_fd; /* readable once it has ended (pidfd) */
    int log_fd;  /* its stderr */
    char line[512];
    size_t n_line;
} sy_broker__child;

/* keep[n]: descriptors that stay open in the child: that of the lock, so that the next gateway can
 * wait until it has gone, and what its plugin needs. At most SY_BROKER__KEPT. */
enum { SY_BROKER__KEPT = 3 };
SY_MUST_USE sy_err sy_broker__spawn(sy_broker__child *c, const char *conf, const int *keep,
                                    size_t n, sy_fail *f);
/* Read what it wrote; each whole line goes to `line`. False at the end of the stream. */
bool sy_broker__read_log(sy_broker__child *c, void (*line)(void *ctx, const char *text), void *ctx);
/* Wait for its end, at most timeout_ms (SIGKILL then), and reap it. Closes all. */
void sy_broker__reap(sy_broker__child *c, int timeout_ms);

#endif
