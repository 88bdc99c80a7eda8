/*
 * SenML packs (RFC 8428), after the JSON or CBOR reader has named the fields: base values applied,
 * names and times resolved, everything checked. Internal to formats/.
 *
 * A reader fills one sy_senml_raw a record and adds it; at the end sy_senml_emit gives the records
 * to the sink. Texts are borrowed until then.
 */
#ifndef SY_SENML_H
#define SY_SENML_H

#include "drivers/formats/format.h"

/* A resolved name is bounded, since each record of a pack repeats the base name. */
enum { SY_SENML_RECORDS = 10000, SY_SENML_DEPTH = 32, SY_SENML_VERSION = 10, SY_SENML_NAME = 512 };

typedef enum sy_senml_kind { SY_SENML_TEXT, SY_SENML_NUMBER, SY_SENML_BOOL } sy_senml_kind;

/* X(NAME, label in JSON, label in CBOR, kind): the table of RFC 8428 section 6. */
#define SY_SENML_TABLE(X)                                                                          \
    X(BVER, "bver", -1, NUMBER)                                                                    \
    X(BN, "bn", -2, TEXT)                                                                          \
    X(BT, "bt", -3, NUMBER)                                                                        \
    X(BU, "bu", -4, TEXT)                                                                          \
    X(BV, "bv", -5, NUMBER)                                                                        \
    X(BS, "bs", -6, NUMBER)                                                                        \
    X(N, "n", 0, TEXT)                                                                             \
    X(U, "u", 1, TEXT)                                                                             \
    X(V, "v", 2, NUMBER)                                                                           \
    X(VS, "vs", 3, TEXT)                                                                           \
    X(VB, "vb", 4, BOOL)                                                                           \
    X(S, "s", 5, NUMBER)                                                                           \
    X(T, "t", 6, NUMBER)                                                                           \
    X(UT, "ut", 7, NUMBER)                                                                         \
    X(VD, "vd", 8, TEXT)
typedef enum sy_senml_field {
#define SY_SENML_ENUM(name, json, cbor, kind) SY_SENML_##name,
    SY_SENML_TABLE(SY_SENML_ENUM)
#undef SY_SENML_ENUM
        SY_SENML_FIELDS
} sy_senml_field;

typedef struct sy_senml_raw {
    uint32_t present; /* 1 << field */
    bool vb;
    double number[SY_SENML_FIELDS];
    sy_span text[SY_SENML_FIELDS]; /* VD: base64url, as JSON writes it */
} sy_senml_raw;

typedef struct sy_senml_pack {
    sy_arena arena;
    sy_span bn, bu;
    double bt, bv, bs;
    int bver;     /* of the first record; 0 before it */
    bool objects; /* of LwM2M: a name without a value is null, an empty pack is no fault */
    size_t read;
    sy_record *records;
    size_t n, cap;
} sy_senml_pack;

void sy_senml_init(sy_senml_pack *p);
void sy_senml_fini(sy_senml_pack *p);

/* The field of a label: SY_OK; SY_E_NOTFOUND: unknown, to be passed over; SY_E_UNSUPPORTED: unknown
 * and ending in "_", so that the pack must be refused. */
SY_MUST_USE sy_err sy_senml_label(const sy_senml_pack *p, sy_span label, sy_senml_field *out,
                                  sy_fail *f);
SY_MUST_USE bool sy_senml_label_number(int64_t label, sy_senml_field *out);
/* Set a field; SY_E_PARSE where it is of another kind or set already. */
SY_MUST_USE sy_err sy_senml_set_text(const sy_senml_pack *p, sy_senml_raw *raw,
                                     sy_senml_field field, sy_span text, sy_fail *f);
SY_MUST_USE sy_err sy_senml_set_number(const sy_senml_pack *p, sy_senml_raw *raw,
                                       sy_senml_field field, double number, sy_fail *f);
SY_MUST_USE sy_err sy_senml_set_bool(const sy_senml_pack *p, sy_senml_raw *raw,
                                     sy_senml_field field, bool value, sy_fail *f);
/* Any other type of value. */
SY_MUST_USE sy_err sy_senml_wrong_kind(const sy_senml_pack *p, sy_senml_field field, sy_fail *f);

SY_MUST_USE sy_err sy_senml_add(sy_senml_pack *p, const sy_senml_raw *raw, sy_fail *f);
SY_MUST_USE sy_err sy_senml_emit(const sy_senml_pack *p, sy_record_fn sink, void *ctx, sy_fail *f);

/* Read a pack of JSON without building a tree. False: it is not a usual one, or wrong; the pack is
 * spoilt then, and the text is for sy_senml_tree. */
SY_MUST_USE bool sy_senml_plain(sy_senml_pack *p, sy_span text);
/* Read a pack of JSON by the JSON library. Texts live in *root, which the caller frees with
 * json_decref after emitting. */
struct json_t;
SY_MUST_USE sy_err sy_senml_tree(sy_senml_pack *p, sy_span text, struct json_t **root, sy_fail *f);

/* A pack of CBOR. */
SY_MUST_USE sy_err sy_senml_cbor_read(sy_senml_pack *p, sy_span bytes, sy_fail *f);

extern const sy_format sy_format_senml_json, sy_format_senml_cbor;

#endif
