/* For the tests of LoRaWAN formats: what a payload decodes to, as one line of text. */
#ifndef SY_LORA_RIG_H
#define SY_LORA_RIG_H

#include "drivers/formats/format.h"

/* "name|local=value unit @time quality; …"; what is usual is left out. "! reason" where it is
 * refused, "!! …" where records had been given. The text lives until the next call. */
const char *lora_decode(const char *format, const char *model, const void *bytes, size_t n);
/* The payload in hexadecimal; spaces are passed over. */
const char *lora_hex(const char *format, const char *model, const char *text);
/* Fails where want is no part of got. */
void lora_part(const char *got, const char *want);

#endif
