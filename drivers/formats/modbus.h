/*
 * Frames of Modbus and the register map that may be theirs. Pure.
 */
#ifndef SY_FORMATS_MODBUS_H
#define SY_FORMATS_MODBUS_H

#include "drivers/modbus/map.h"

/* Is the frame (RTU or TCP, CRC right) an answer to a request of the map? whole: to its only one,
 * so that the frame holds all that the map knows. */
bool sy_modbus_fits(const sy_mb_map *map, sy_span frame, bool whole);

#endif
