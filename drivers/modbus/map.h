/*
 * Register maps: what a Modbus slave (MODBUS Application Protocol V1.1b3) keeps where, as plain
 * data, and the requests that read it. Pure; built by config/ from YAML, borrowed by driver and
 * decoder for as long as the configuration lives.
 */
#ifndef SY_MODBUS_MAP_H
#define SY_MODBUS_MAP_H

#include "base/reading.h"

enum {
    SY_MB_REGISTERS_MAX = 125, /* of one request (6.3, 6.4) */
    SY_MB_BITS_MAX = 2000,     /* of one request (6.1, 6.2) */
    SY_MB_PDU_MAX = 253,       /* 4.1 */
    SY_MB_ROWS_MAX = 512,      /* of a map */
    SY_MB_GAP_MAX = 32,        /* registers that may be read in vain between two rows */
    SY_MB_GAP = 10,            /* … where the map does not say */
};

/* The four tables; the numbers are the functions that read them. */
typedef enum sy_mb_table {
    SY_MB_COIL = 1,
    SY_MB_DISCRETE = 2,
    SY_MB_HOLDING = 3,
    SY_MB_INPUT = 4
} sy_mb_table;

/* X(NAME, text, registers): in the order of the configuration's choices. */
#define SY_MB_TYPES(X)                                                                             \
    X(U16, "u16", 1)                                                                               \
    X(I16, "i16", 1)                                                                               \
    X(U32, "u32", 2)                                                                               \
    X(I32, "i32", 2)                                                                               \
    X(U64, "u64", 4)                                                                               \
    X(I64, "i64", 4)                                                                               \
    X(F32, "f32", 2)                                                                               \
    X(F64, "f64", 4)                                                                               \
    X(BCD, "bcd", 1)                                                                               \
    X(BCD32, "bcd32", 2)                                                                           \
    X(BITS, "bits", 1)                                                                             \
    X(BOOL, "bool", 1)
typedef enum sy_mb_type {
#define SY_MB_TYPE_ENUM(name, text, registers) SY_MB_##name,
    SY_MB_TYPES(SY_MB_TYPE_ENUM)
#undef SY_MB_TYPE_ENUM
} sy_mb_type;

/* A raw value and the word that stands for it. */
typedef struct sy_mb_word {
    uint64_t raw;
    const char *word;
} sy_mb_word;

typedef struct sy_mb_row {
    const char *name;
    sy_mb_table table;
    uint16_t address; /* as on the wire, from 0 */
    sy_mb_type type;
    /* How the bytes of a value lie: ABCD neither; CDAB the word of least weight first; BADC the
     * bytes of each word swapped; DCBA both. */
    bool words_reversed, bytes_swapped;
    uint8_t bit, width;            /* BITS: lowest bit and how many; BOOL in a register: width 1,
                                      or 0: any bit */
    double scale, divisor, offset; /* value = raw * scale / divisor + offset */
    const char *unit;              /* NULL: none */
    const sy_mb_word *states;      /* a text instead of a number */
    size_t n_states;
    const uint64_t *errors; /* raw values that say: no measurement */
    size_t n_errors;
} sy_mb_row;

/* Registers (or bits: 1) that a row takes. */
unsigned sy_mb_row_size(const sy_mb_row *r);
static inline bool sy_mb_is_bits(sy_mb_table t)
{
    return t == SY_MB_COIL || t == SY_MB_DISCRETE;
}

typedef struct sy_mb_map {
    const char *name;
    const sy_mb_row *rows; /* by table, then address */
    size_t n;
    int gap;  /* registers that may be read in vain between two rows */
    int most; /* registers that one request may read, 4 to 125 */
} sy_mb_map;

typedef struct sy_mb_read { /* one request */
    uint8_t function;
    uint16_t start, count;
} sy_mb_read;

/* The requests that read all rows, in their order, none longer than the protocol and the
 * map allow. Rows whose
 * distance is at most `gap` registers (16 times as many bits) are read by one. gap below 0: each
 * row by itself. out: room for as many as there are rows; how many there are is returned. */
size_t sy_mb_plan(const sy_mb_map *map, int gap, sy_mb_read *out);

/* A device that is polled, or sends frames by another transport: then without address and times. */
typedef struct sy_mb_device {
    const char *address; /* "host:port", "[v6]:port" or "/dev/ttyUSB0,9600,8N1" */
    uint8_t unit;        /* frames: whose count, 0: all */
    sy_ms poll, timeout;
    const sy_mb_map *map;
} sy_mb_device;

typedef struct sy_mb_line { /* an address in its parts */
    bool serial;
    char host[256]; /* or the path of the line */
    char port[6];
    int baud, stop;
    char parity; /* 'N', 'E', 'O' */
} sy_mb_line;
/* SY_E_PARSE with the reason. */
SY_MUST_USE sy_err sy_mb_line_parse(sy_span address, sy_mb_line *out);

/* The answers of one poll as the journal keeps them (docs/formats.md): a version, the unit, then
 * each answer with what was asked. */
enum { SY_MB_POLL_VERSION = 1, SY_MB_POLL_HEAD = 2, SY_MB_ANSWER_HEAD = 5 };
void sy_mb_poll_begin(sy_buf *b, uint8_t unit);
/* pdu: function, byte count, data. */
void sy_mb_poll_add(sy_buf *b, const sy_mb_read *asked, sy_span pdu);

/* Is this the answer to that request: function, byte count and length (6.1 to 6.4)? */
bool sy_mb_answers(const sy_mb_read *asked, sy_span pdu);
/* CRC of a frame on a serial line (MODBUS over Serial Line V1.02, 6.2.2). */
uint16_t sy_mb_crc(sy_span bytes);
/* What an exception code means (7), "illegal data address"; never NULL. */
const char *sy_mb_exception(unsigned code);

#endif
