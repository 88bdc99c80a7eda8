/*
 * The handlers of the API, one file a subject. Internal to console/. docs/api.md.
 */
#ifndef SY_CONSOLE_API_H
#define SY_CONSOLE_API_H

#include "console/request.h"

/* api_session.c */
enum MHD_Result sy_api_session(sy_request *r);
enum MHD_Result sy_api_sign_in(sy_request *r);
enum MHD_Result sy_api_sign_out(sy_request *r);

/* api_status.c, api_metrics.c */
enum MHD_Result sy_api_status(sy_request *r);
enum MHD_Result sy_api_metrics(sy_request *r);

/* api_site.c */
enum MHD_Result sy_api_site(sy_request *r);
enum MHD_Result sy_api_last(sy_request *r);
enum MHD_Result sy_api_devices(sy_request *r);
enum MHD_Result sy_api_maintain(sy_request *r);

/* api_readings.c */
enum MHD_Result sy_api_readings(sy_request *r);

/* api_alerts.c */
enum MHD_Result sy_api_alerts(sy_request *r);
enum MHD_Result sy_api_alert(sy_request *r);
enum MHD_Result sy_api_act(sy_request *r);

/* api_tools.c */
enum MHD_Result sy_api_rules(sy_request *r);
enum MHD_Result sy_api_workshop(sy_request *r);
enum MHD_Result sy_api_evidence(sy_request *r);
enum MHD_Result sy_api_assess(sy_request *r);

#endif
