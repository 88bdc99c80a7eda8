/* SPDX-License-Identifier: Apache-2.0 */
/* Every path of the API, who may ask it, and how long its body may be. */
#include "console/api.h"

enum { SMALL = 4096 };

const sy_route sy_console_routes[] = {
    {"GET", "/api/v1/session", SY_MAY_NOTHING, 0, sy_api_session},
    {"POST", "/api/v1/session", SY_MAY_NOTHING, SMALL, sy_api_sign_in},
    {"DELETE", "/api/v1/session", SY_MAY_VIEW, 0, sy_api_sign_out},
    {"GET", "/api/v1/status", SY_MAY_VIEW, 0, sy_api_status},
    {NULL, NULL, 0, 0, NULL},
};
