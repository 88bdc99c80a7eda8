/*
 * The keys of a register map, as keys.h has those of the configuration: of the file of a map, and
 * of each register in it.
 */
#ifndef SY_CONFIG_KEYS_REGISTERS_H
#define SY_CONFIG_KEYS_REGISTERS_H

/* clang-format off */
#define SY_KEYS_MAP(X) \
    X(MP_TITLE, "title", NAME, false, 0, 0, NULL, "none", "for people: which device") \
    X(MP_SOURCE, "source", TEXT, false, 0, 0, NULL, "none", "for people: where it is published") \
    X(MP_GAP, "gap", COUNT, false, 0, 32, NULL, "10", "so many registers may lie between two that one request reads") \
    X(MP_MOST, "most", COUNT, false, 4, 125, NULL, "125", "registers that one request may read; some devices take fewer than the protocol allows") \
    X(MP_REGISTERS, "registers", LIST, true, 0, 0, NULL, NULL, "the registers")

#define SY_KEYS_REGISTER(X) \
    X(RG_NAME, "name", NAME, true, 0, 0, NULL, NULL, "name of the value; a point's `name`") \
    X(RG_TABLE, "table", CHOICE, false, 0, 0, "coil discrete holding input", "by the address, then 40001 is the first holding register", "the table that it is in; `address` then counts from 0") \
    X(RG_ADDRESS, "address", TEXT, true, 0, 0, NULL, NULL, "first register: 0 to 65535 or `0x…` with `table`; without it five or six digits, `40001`, `300001`") \
    X(RG_TYPE, "type", CHOICE, false, 0, 0, "u16 i16 u32 i32 u64 i64 f32 f64 bcd bcd32 bits bool", "u16; bool for coils and discrete inputs", "what the bits mean") \
    X(RG_ORDER, "order", CHOICE, false, 0, 0, "ABCD CDAB BADC DCBA", "ABCD", "order of the bytes; ABCD: the highest first, as the protocol has it") \
    X(RG_BIT, "bit", COUNT, false, 0, 15, NULL, "0; bool: any bit", "bits, bool: the lowest bit that counts, 0 is the last of the register") \
    X(RG_WIDTH, "width", COUNT, false, 1, 16, NULL, "all bits from `bit` on", "bits: how many") \
    X(RG_SCALE, "scale", NUMBER, false, -1e12, 1e12, NULL, "1", "value = what is read × scale + offset") \
    X(RG_OFFSET, "offset", NUMBER, false, -1e12, 1e12, NULL, "0", "see `scale`") \
    X(RG_UNIT, "unit", TEXT, false, 0, 0, NULL, "that of the point", "unit of the value") \
    X(RG_STATES, "states", MAP, false, 0, 0, NULL, "none", "words for what is read: `{open: 1, closed: 0}`") \
    X(RG_ERRORS, "errors", TEXTS, false, 0, 0, NULL, "none", "what is read where there is no measurement: `[0x7fff, 0x8000]`; such a reading is bad, with `device-fault`")
/* clang-format on */

#define SY_KEY_CELL(cell, ...) cell,
enum { SY_KEYS_MAP(SY_KEY_CELL) MP_N };
enum { SY_KEYS_REGISTER(SY_KEY_CELL) RG_N };
#undef SY_KEY_CELL

#endif
