/*
 * The configuration: one YAML file (libfyaml), its rule files and vocabulary, as one accepted set.
 *
 * sy_config_load reads and checks everything: every error with file, line, column, all at once.
 * An accepted set is kept by hash in <data>/accepted/<sha256>.set (all texts, bit for bit), so that
 * a restart, or a replay of the log, sees what was in force (C7). Immutable once loaded; counted.
 */
#ifndef SY_CONFIG_H
#define SY_CONFIG_H

#include "base/egress.h"
#include "base/os.h"
#include "base/site.h"
#include "drivers/modbus/map.h"
#include "drivers/registry.h"
#include "rules/tree.h"

typedef struct sy_tls_files {
    const char *ca, *cert, *key, *crl; /* absolute paths; NULL where not given */
} sy_tls_files;

typedef enum sy_destination_kind {
    SY_DEST_HTTPS,
    SY_DEST_ALERTMANAGER,
    SY_DEST_MQTT,
    SY_DEST_WEBHOOK,
    SY_DEST_MAIL
} sy_destination_kind;
typedef struct sy_destination {
    const char *name;
    sy_destination_kind kind;
    const char *url;
    const char *const *also; /* further addresses */
    size_t n_also;
    sy_tls_files tls;
    const char *from, *password_file; /* mail; NULL: none */
    const char *secret;               /* webhook: a file; NULL: none */
    const char *const *to;
    size_t n_to;
    const sy_word *const *serves; /* recipients */
    size_t n_serves;
    sy_alert_level severity; /* this and above */
    bool unanswered;         /* what nobody answered in time, where a rule names nobody further */
    sy_ms settle;            /* alertmanager: how long an alert fires there at least */
    sy_egress egress;
    sy_ms heartbeat;             /* 0: none */
    sy_ms passing;               /* how long notices of a passing state wait */
    const char *topic;           /* mqtt: with names in braces */
    bool v311;                   /* mqtt: version 3.1.1 */
    const char *user, *password; /* NULL: none */
    const char *orders;          /* where orders are asked for; NULL: nowhere */
    sy_tls_files authority;      /* ca, crl: who may sign them */
    sy_ms poll;
} sy_destination;

/* Who hears of an alert at the premises themselves. */
typedef struct sy_on_site {
    bool on;
    const char *topic, *acknowledge; /* before "/<premises>" */
    const sy_word *const *serves;    /* recipients whose alerts are shown */
    size_t n_serves;
    sy_alert_level severity; /* this and above */
} sy_on_site;

/* How long a class of what is kept stays. */
typedef struct sy_keep_limit {
    sy_ms time;
    uint64_t bytes; /* 0: `share` of the file system */
    double share;
} sy_keep_limit;
typedef struct sy_keeping {
    sy_keep_limit raw, readings, alerts;
    uint64_t flash_bytes; /* 0: the file system's size */
    uint64_t flash_cycles;
} sy_keeping;

typedef struct sy_config {
    const char *file; /* as given */
    const char *id;   /* gateway.id */
    const char *data; /* absolute; --data overrides */
    bool strict;      /* durability: strict */
    sy_lang locale;
    sy_ms future, lateness, sync;
    size_t max_payload;                                /* gateway.max-payload, bytes */
    const char *ledger_key, *ledger_cert, *ledger_box; /* absolute paths; NULL: the usual ones */
    sy_ms ledger_interval;
    sy_ms commit;
    size_t segment; /* bytes */
    sy_keeping keeping;
    const char *broker; /* "managed", or mqtt:// mqtts:// */
    const char *const *mqtt_listen;
    size_t n_mqtt_listen;
    const char *const *cert_listen; /* mqtt.certificates */
    size_t n_cert_listen;
    const char *cert_ca, *cert_crl; /* absolute paths; crl may be NULL */
    sy_tls_files mqtt_tls;
    bool mqtt_v311;                        /* mqtt.version: 3.1.1 */
    const char *mqtt_user, *mqtt_password; /* external broker */
    bool coap;                             /* a coap section is there */
    const char *const *coap_listen;
    size_t n_coap_listen;
    const char *const *dtls_listen;
    size_t n_dtls_listen;
    const char *psk_file;
    sy_tls_files dtls; /* certificates of CoAP: all three or none */
    const char *const *hj212_listen;
    size_t n_hj212_listen;      /* 0: no HJ 212 over TCP */
    const char *console_listen; /* NULL: none */
    sy_on_site on_site;
    sy_tls_files console_tls;
    const char *console_metrics; /* absolute path; NULL: none */
    const sy_destination *destinations;
    size_t n_destinations;
    const sy_site *site;
    const sy_device *devices;
    size_t n_devices;
    const sy_vocab *vocab;
    const sy_set *set;
    const sy_source *rules; /* the texts of rule files, with the names that are shown */
    size_t n_rules;
    unsigned char hash[32];
    char hash_hex[65];
    void *owner; /* private; NULL: the caller's own, which references do not count */
} sy_config;

/* One finding of a check. */
typedef struct sy_finding {
    sy_severity severity;
    const char *file;
    uint32_t line, column; /* 1-based; 0: the whole file */
    const char *code, *en, *zh, *near;
    const sy_diag *diag; /* where it is about a rule text, for the caret; else NULL */
} sy_finding;
typedef struct sy_findings {
    sy_finding *v;
    size_t n, cap, errors;
    sy_arena *arena;
} sy_findings;

/* Load and check. data_override may be NULL. Findings live in their arena, which the config
 * does not need. SY_E_USAGE where there are errors (*out NULL). */
SY_MUST_USE sy_err sy_config_load(const char *file, const char *data_override,
                                  sy_findings *findings, sy_config **out, sy_fail *f);
void sy_config_unref(sy_config *c);
sy_config *sy_config_ref(sy_config *c);
/* Keep the accepted texts under <data>/accepted; load them again by hash. `data` is the folder in
 * use: what a reloaded file says of it follows at the next start. */
SY_MUST_USE sy_err sy_config_keep(const sy_config *c, const char *data, sy_fail *f);
SY_MUST_USE sy_err sy_config_load_kept(const char *data, const char *hash_hex, sy_config **out,
                                       sy_fail *f);
/* The set `base` with what is in force by order as `orders_file` says (NULL: as the data folder
 * has it), checked and its scenarios run; no other file is read again. docs/orders.md */
SY_MUST_USE sy_err sy_config_load_ordered(const sy_config *base, const char *data,
                                          const char *orders_file, sy_findings *findings,
                                          sy_config **out, sy_fail *f);
/* The text of what is in force by order in this set; empty: nothing is. */
sy_span sy_config_orders(const sy_config *c);
/* Print like the rule diagnostics: file:line:col: error: … */
void sy_findings_print(const sy_findings *fs, sy_lang lang, sy_buf *out);
void sy_findings_json(const sy_findings *fs, sy_buf *out);
/* A registry of the config's devices (holds a reference on the config). */
SY_MUST_USE sy_err sy_config_registry(sy_config *c, sy_registry **out, sy_fail *f);

/* A register map by itself: the name of one that ships, or a file. It lives as long as *out, which
 * the caller unrefs. SY_E_USAGE with the first finding in f. */
SY_MUST_USE sy_err sy_config_map(const char *name, sy_config **out, const sy_mb_map **map,
                                 sy_fail *f);
/* The names of the maps that ship, NULL after the last. */
const char *sy_config_map_name(size_t i);

/* GB 32100-2015: true where the 18 characters are well formed and the check character fits. */
bool sy_uscc_valid(sy_span code);
/* Language of messages by LC_ALL, LC_MESSAGES, LANG. */
sy_lang sy_locale(void);

#endif
