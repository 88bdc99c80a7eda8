/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the error codes, from the one table in err.h. */
#include "base/err.h"

const char *sy_err_text(sy_err code)
{
    switch (code) {
#define SY_ERR_CASE(name, number, text)                                                            \
    case SY_##name:                                                                                \
        return text;
        SY_ERR_TABLE(SY_ERR_CASE)
#undef SY_ERR_CASE
    }
    return "unknown error";
}
