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

/* api_status.c */
enum MHD_Result sy_api_status(sy_request *r);

#endif
