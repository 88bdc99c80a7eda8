/*
 * Sections read by tables of keys.
 *
 * A section of the YAML file (a map) is read by a table (keys.h) into an array of cells, one a key:
 * unknown keys, missing ones, wrong types and ranges are reported there, in one place. What the
 * cells mean together is checked by the file of the section.
 */
#ifndef SY_CONFIG_TABLE_H
#define SY_CONFIG_TABLE_H

#include "base/buf.h"
#include "base/reading.h"
#include "config/yaml.h"

typedef struct sy_loader sy_loader;

typedef enum sy_cfg_type {
    SY_T_TEXT,
    SY_T_ID,
    SY_T_NAME,
    SY_T_PATH,
    SY_T_CHOICE,
    SY_T_DURATION,
    SY_T_PERIOD,
    SY_T_NUMBER,
    SY_T_COUNT,
    SY_T_BYTES,
    SY_T_DATE,
    SY_T_LISTEN,
    SY_T_CIDR,
    SY_T_RANGE,
    SY_T_TEXTS,
    SY_T_LISTENS,
    SY_T_MAP,
    SY_T_LIST,
    SY_T_REGISTERS, /* a text or a list; read by its section */
    SY_T_TYPES
} sy_cfg_type;

typedef struct sy_cfg_key {
    const char *name;
    sy_cfg_type type;
    bool required;
    double lo, hi;       /* NUMBER, COUNT, BYTES; DURATION in ms; lo == hi: no bounds */
    const char *choices; /* CHOICE: words with a blank between */
    const char *missing; /* what it is when it is not there, for the manual */
    const char *doc;
} sy_cfg_key;

typedef struct sy_cfg_section {
    const char *path; /* "premises[].places[].points[]" */
    const sy_cfg_key *keys;
    size_t n;
} sy_cfg_section;

typedef struct sy_cfg_cell {
    const sy_ynode *node;     /* the value, right or wrong; NULL: the key is not there */
    bool set;                 /* there and right */
    const char *text;         /* TEXT … CHOICE, DATE, LISTEN, CIDR; PATH: absolute */
    int choice;               /* index into choices */
    sy_ms ms;                 /* DURATION */
    double lo, hi;            /* NUMBER, COUNT, BYTES in lo; RANGE */
    const char *const *texts; /* TEXTS, LISTENS; the nodes are node->values, or node itself */
    size_t n;
} sy_cfg_cell;

/* Every section, for reading and for the manual. */
enum {
    SY_S_ROOT,
    SY_S_GATEWAY,
    SY_S_LEDGER,
    SY_S_RETENTION,
    SY_S_KEEP,
    SY_S_FLASH,
    SY_S_MQTT,
    SY_S_COAP,
    SY_S_CERTIFICATES,
    SY_S_DTLS,
    SY_S_HJ212,
    SY_S_CONSOLE,
    SY_S_TLS,
    SY_S_PREMISES,
    SY_S_PLACE,
    SY_S_POINT,
    SY_S_DEVICE,
    SY_S_MAP,
    SY_S_REGISTER,
    SY_S_ON_SITE,
    SY_S_DESTINATION,
    SY_S_AUTHORITY,
    SY_S_EGRESS,
    SY_S_SECTIONS
};
extern const sy_cfg_section sy_cfg_sections[SY_S_SECTIONS];

/* Read a map by its table into cells[section.n]; false (reported) where it is no map. */
bool sy_cfg_read(sy_loader *l, const sy_ynode *map, int section, sy_cfg_cell *cells);
/* The node of item i of a TEXTS or LISTENS cell. */
const sy_ynode *sy_cfg_item(const sy_cfg_cell *cell, size_t i);
/* What the manual says of every key, as Markdown. */
void sy_cfg_manual(sy_buf *out);

#endif
