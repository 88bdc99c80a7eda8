/* SPDX-License-Identifier: Apache-2.0 */
/* Every path of the API, who may ask it, and how long its body may be. */
#include "console/api.h"
#include "console/live.h"

enum { SMALL = 4096, RULES = 1 << 20 };

const sy_route sy_console_routes[] = {
    {"GET", "/api/v1/session", SY_MAY_NOTHING, 0, sy_api_session},
    {"POST", "/api/v1/session", SY_MAY_NOTHING, SMALL, sy_api_sign_in},
    {"DELETE", "/api/v1/session", SY_MAY_VIEW, 0, sy_api_sign_out},
    {"GET", "/api/v1/status", SY_MAY_VIEW, 0, sy_api_status},
    {"GET", "/api/v1/site", SY_MAY_VIEW, 0, sy_api_site},
    {"GET", "/api/v1/last", SY_MAY_VIEW, 0, sy_api_last},
    {"GET", "/api/v1/devices", SY_MAY_VIEW, 0, sy_api_devices},
    {"POST", "/api/v1/maintenance", SY_MAY_DEVICES, SMALL, sy_api_maintain},
    {"GET", "/api/v1/readings", SY_MAY_VIEW, 0, sy_api_readings},
    {"GET", "/api/v1/live", SY_MAY_VIEW, 0, sy_api_live},
    {"GET", "/api/v1/alerts", SY_MAY_VIEW, 0, sy_api_alerts},
    {"GET", "/api/v1/alerts/{}", SY_MAY_VIEW, 0, sy_api_alert},
    {"GET", "/api/v1/alerts/{}/evidence", SY_MAY_EVIDENCE, 0, sy_api_evidence},
    {"POST", "/api/v1/alerts/{}/{}", SY_MAY_ANSWER, SMALL, sy_api_act},
    {"GET", "/api/v1/rules", SY_MAY_VIEW, 0, sy_api_rules},
    {"POST", "/api/v1/rules/{}", SY_MAY_RULES, RULES, sy_api_workshop},
    {"GET", "/api/v1/assess", SY_MAY_AUDIT, 0, sy_api_assess},
    {"GET", "/metrics", SY_MAY_NOTHING, 0, sy_api_metrics},
    {NULL, NULL, 0, 0, NULL},
};
