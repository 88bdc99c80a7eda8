/*
 * Inside config/: the loader that its files share, reports, values, and the sections in order.
 */
#ifndef SY_CONFIG_INT_H
#define SY_CONFIG_INT_H

#include "config/config.h"
#include "config/table.h"
#include "config/yaml.h"

enum { SY_CFG_FINDINGS_MAX = 500, SY_CFG_TEXTS_MAX = 258, SY_CFG_SET_MAX = 32 << 20 };

/* The texts of a set in this order: the YAML file, the vocabulary that ships, vocabularies, rules,
 * what is in force by order, the rules of that, register maps. */
typedef enum sy_text_kind {
    SY_TEXT_CONFIG = 1,
    SY_TEXT_BUILTIN,
    SY_TEXT_VOCABULARY,
    SY_TEXT_RULES,
    SY_TEXT_MAP,
    SY_TEXT_ORDERS
} sy_text_kind;
typedef struct sy_cfg_text {
    sy_text_kind kind;
    const char *name; /* relative to the configuration's folder, as written there */
    sy_span bytes;
} sy_cfg_text;

typedef struct sy_copied { /* a source as the findings keep it */
    const sy_source *from;
    const sy_source *to;
} sy_copied;

struct sy_loader {
    sy_arena *arena;   /* the configuration's */
    sy_arena *scratch; /* freed after loading: nodes, diagnostics */
    sy_findings *findings;
    sy_copied copied[SY_CFG_TEXTS_MAX];
    size_t n_copied;
    bool kept;    /* from an accepted set: no file but TZif is read */
    bool ordered; /* a kept set with other orders: those are read and the scenarios run */
    const char *orders_file; /* other than <data>/packs/in-force.json; NULL */
    bool nomem;
    const char *base;  /* absolute folder of the configuration file */
    const char *shown; /* what to put before the names of texts, "" or "folder/" */
    sy_cfg_text texts[SY_CFG_TEXTS_MAX];
    size_t n_texts;
    size_t text_bytes;
    sy_source sources[SY_CFG_TEXTS_MAX]; /* of texts, with the names shown */
    size_t at_source;                    /* the text that nodes are reported in */
    const struct sy_read_map *maps;      /* register maps that were read, newest first */
    sy_config *c;
    const sy_ynode *root;
    const sy_ynode *orders; /* what is in force by order, a map; NULL: nothing is */
    size_t orders_text;     /* its text */
    sy_cfg_text *aside;     /* maps of a kept set, while its orders are changed */
    size_t n_aside;
    sy_vocab vocab;
    struct sy_raw_point *raw_points; /* site to points */
    size_t n_raw;
    sy_device *devices;
    const sy_device **by_id; /* sorted */
};

/* Zeroed memory of the configuration; NULL sets nomem. */
void *sy_cfg_get(sy_loader *l, size_t n);
const char *sy_cfg_copy(sy_loader *l, sy_span text);

/* Report about a node (NULL: the file). Both texts take the same arguments in the same order. */
void sy_cfg_report(sy_loader *l, sy_severity severity, const sy_ynode *at, const char *code,
                   const char *near, const char *en, const char *zh, ...)
    __attribute__((format(printf, 6, 8), format(printf, 7, 8)));
#define sy_cfg_error(l, ...) sy_cfg_report((l), SY_DIAG_ERROR, __VA_ARGS__)
#define sy_cfg_warn(l, ...)  sy_cfg_report((l), SY_DIAG_WARNING, __VA_ARGS__)
/* Report about a place in a source of the loader. */
void sy_cfg_report_diag(sy_loader *l, const sy_diag *d);
/* A finding without a place in a text. */
void sy_findings_add(sy_findings *fs, const char *file, const char *code, const char *en,
                     const char *zh);
/* Those about the file `first` first, by place. */
void sy_findings_sort(sy_findings *fs, const char *first);

/* Two of the same among n (text, node): the later ones are errors. */
typedef struct sy_cfg_unique {
    const char *text;
    const sy_ynode *node;
} sy_cfg_unique;
void sy_cfg_check_unique(sy_loader *l, sy_cfg_unique *v, size_t n, const char *en, const char *zh);

/* The vocabulary word of this kind that the text names, or NULL (reported). */
const sy_word *sy_cfg_word(sy_loader *l, const sy_ynode *at, sy_span text, sy_word_kind kind);
/* ca, cert, key of a tls map; files are checked unless the set is a kept one. */
/* A file that a key names can be read and is not empty, or that is reported. */
void sy_cfg_readable(sy_loader *l, const sy_cfg_cell *c);
void sy_cfg_tls(sy_loader *l, const sy_ynode *map, sy_tls_files *out);
const char *sy_cfg_absolute(sy_loader *l, const char *base, const char *path);

/* ---- values, pure (value.c) ---- */
bool sy_value_duration(sy_span text, bool calendar, sy_ms *out); /* calendar: months, years too */
bool sy_value_bytes(sy_span text, uint64_t *out);                /* "8 GB", "16 MiB", "4096" */
bool sy_value_listen(sy_span text);
bool sy_value_cidr(sy_span text, unsigned char addr[16], int *bits, bool *v6);
bool sy_value_date(sy_span text, sy_date *out);
bool sy_value_id(sy_span text);   /* one word: no blank, slash, comma, quote, control */
bool sy_value_name(sy_span text); /* 1 to 128 bytes without control characters */
bool sy_value_json_path(sy_span text);
bool sy_value_topic(sy_span text);
bool sy_value_url(sy_span text, const char *scheme);
/* "Mon-Fri 08:00-12:00 14:00-18:00; Sat 22:00-02:00": up to 256 spans. */
bool sy_value_hours(sy_span text, sy_site_span *spans, size_t *n);

/* The last good day of what was done on `from` and holds for `period`. */
bool sy_value_last_day(sy_date from, sy_span period, int64_t *day);

/* ---- sections, in the order in which they are read ---- */
void sy_cfg_gateway(sy_loader *l, const sy_ynode *node, const char *data_override);
/* gateway.retention, gateway.flash, gateway.segment. */
void sy_cfg_keeping(sy_loader *l, const sy_cfg_cell *gateway);
void sy_cfg_transports(sy_loader *l, const sy_cfg_cell *root);
void sy_cfg_devices(sy_loader *l, const sy_ynode *node);
/* devices_hj212.c: what the transport asks of a device; `at` is its map. */
/* A device of CoAP (devices_coap.c), whose credential is read. */
void sy_cfg_device_coap(sy_loader *l, const sy_cfg_cell *c, sy_device *d);
void sy_cfg_device_hj212(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_device *d);
/* devices_modbus.c: keys of a device of modbus, and what all of them together must be. */
void sy_cfg_modbus_device(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_device *d);
void sy_cfg_modbus_lines(sy_loader *l);
/* Of a device that sends frames of Modbus by another transport (format modbus). */
void sy_cfg_modbus_frames(sy_loader *l, const sy_ynode *at, const sy_cfg_cell *c, sy_device *d);
/* registers.c: the register map that `registers` names or lists; NULL where it is wrong. */
const struct sy_mb_map *sy_cfg_registers(sy_loader *l, const sy_ynode *node);
void sy_cfg_site(sy_loader *l, const sy_ynode *node);
void sy_cfg_calendars(sy_loader *l, const sy_ynode *map, sy_site_premises *p);
void sy_cfg_swaps(sy_loader *l, const sy_ynode *map, sy_site_premises *p);
/* What `due` says (map, or NULL), and `more` (or NULL) where it does not name the same. */
const sy_site_due *sy_cfg_dues(sy_loader *l, const sy_ynode *map, const sy_site_due *more,
                               size_t *n);
/* The section on-site; a device that is a panel; that each panel's premises are there and nobody
 * writes what panels read. */
void sy_cfg_on_site(sy_loader *l, const sy_ynode *node);
void sy_cfg_panel(sy_loader *l, const sy_cfg_cell *c, sy_device *d);
void sy_cfg_panels(sy_loader *l);
/* The box as a device, and the name of a point of it. */
void sy_cfg_device_box(sy_loader *l, const sy_cfg_cell *c, sy_device *d);
void sy_cfg_check_box(sy_loader *l, const struct sy_raw_point *r);
/* faults, stuck, rate of a point whose unit, device and resolution are read. */
void sy_cfg_doubts(sy_loader *l, const sy_cfg_cell *c, sy_site_point *p);
void sy_cfg_points(sy_loader *l, sy_site *site); /* raw points to the site and the channels */
void sy_cfg_destination_mqtt(sy_loader *l, const sy_cfg_cell *c, sy_destination *d);
void sy_cfg_destinations(sy_loader *l, const sy_ynode *node);
void sy_cfg_watch(sy_loader *l);     /* rules against points and recipients */
void sy_cfg_scenarios(sy_loader *l); /* run them; a failed one is an error */
const sy_device *sy_cfg_device(const sy_loader *l, const char *id);
/* The map of device i. */
const sy_ynode *sy_cfg_device_node(const sy_loader *l, size_t i);

/* A point as read, before they are sorted. */
typedef struct sy_raw_point {
    sy_site_point p;
    const sy_ynode *node;     /* the map */
    const sy_ynode *every;    /* for reports about the interval; NULL: not given */
    const char *accept_blind; /* the reason, or NULL */
    const sy_state_word *states;
    size_t n_states;
} sy_raw_point;

/* ---- what is in force by order (orders.c) ---- */
/* Read what lies under <data>/packs, unless the set is a kept one, and parse it. */
void sy_cfg_orders(sy_loader *l);
/* The rules of packs: how many texts of rules stand before them. */
size_t sy_cfg_orders_base(const sy_loader *l);
/* That tunings are nothing else, and that what is named is there. */
void sy_cfg_orders_check(sy_loader *l);
void sy_cfg_ordered_tiers(sy_loader *l, sy_site_premises *p);
/* Cells of the point, of this series, as a calibration by order has them. */
void sy_cfg_ordered_point(sy_loader *l, const char *series, sy_cfg_cell *calibrated,
                          sy_cfg_cell *uncertainty);

/* ---- texts and accepted sets ---- */
/* Read the files that gateway.rules and gateway.vocabulary name into l->texts. */
void sy_cfg_read_texts(sy_loader *l, const sy_cfg_cell *vocabulary, const sy_cfg_cell *rules);
/* Read one file, `name` relative to the configuration's folder; reported where it cannot be. */
void sy_cfg_read_file(sy_loader *l, const sy_ynode *at, sy_text_kind kind, const char *name);
/* A sy_yaml_error_fn; ctx is the loader. */
void sy_cfg_yaml_error(void *ctx, uint32_t at, uint32_t len, const char *code, const char *en,
                       const char *zh);
bool sy_cfg_add_text(sy_loader *l, sy_text_kind kind, const char *name, sy_span bytes);
void sy_cfg_encode(const char *base, const sy_cfg_text *texts, size_t n, sy_buf *out);
SY_MUST_USE sy_err sy_cfg_decode(sy_loader *l, sy_span set, sy_fail *f);
/* The bytes of a kept set, its hash verified. */
SY_MUST_USE sy_err sy_cfg_read_kept(const char *data, const char *hex, sy_buf *out, sy_fail *f);
sy_span sy_config_texts(const sy_config *c); /* the set's bytes */

#endif
