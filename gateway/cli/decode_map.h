/*
 * The register map that a frame of Modbus is decoded with.
 */
#ifndef SY_CLI_DECODE_MAP_H
#define SY_CLI_DECODE_MAP_H

#include "config/config.h"
#include "drivers/formats/format.h"
#include "drivers/modbus/map.h"

typedef struct sy_decode_map {
    sy_device device; /* to decode with, where `found` */
    sy_mb_device modbus;
    sy_config *owner;
    bool found, guessed;
} sy_decode_map;

/* The map named, or without a name (NULL) the first one that ships whose only request has this
 * answer; none for other formats and where none fits. sy_decode_map_close in any case. */
SY_MUST_USE sy_err sy_decode_map_open(sy_decode_map *m, const char *name, const sy_format *format,
                                      sy_span bytes, sy_fail *f);
void sy_decode_map_close(sy_decode_map *m);

#endif
