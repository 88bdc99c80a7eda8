/*
 * Heavy work for a request, in a child process of the same binary: rules are checked and tried,
 * evidence is written, the box is assessed. The request waits without a thread of the library.
 * Internal to console/.
 *
 * One child at a time ("sy-console-job"), SY_JOBS requests wait at most. A child has 2 GiB, 60 s of
 * processor, 120 s in all, and writes 32 MiB; it runs at a low priority.
 */
#ifndef SY_CONSOLE_JOBS_H
#define SY_CONSOLE_JOBS_H

#include "console/request.h"

enum { SY_JOBS = 8, SY_JOB_WORDS = 24, SY_JOB_OUT = 32 << 20 };

typedef struct sy_job {
    sy_arena arena;
    const char *word[SY_JOB_WORDS]; /* of the command line, after the program's name */
    size_t n;
    char dir[64]; /* a folder of its own, "" until one is needed; removed with the job */
    /* of the end */
    bool done;
    int exit; /* of the child; -1: it was ended, or did not start: `why` says so */
    sy_buf out;
    char why[320]; /* what it wrote to its standard error, the beginning */
    struct MHD_Connection *mhd;
    struct sy_job *next;
} sy_job;

typedef struct sy_jobs sy_jobs;
SY_MUST_USE sy_err sy_jobs_open(sy_jobs **out, sy_fail *f);
/* Ends the child; requests that wait go on, and are told so. Before the library's daemon stops. */
void sy_jobs_stop(sy_jobs *j);
void sy_jobs_close(sy_jobs *j);

/* A job for the request, in r->job. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_job_begin(sy_request *r, sy_job **out, sy_fail *f);
void sy_job_word(sy_job *job, const char *word); /* borrowed, or in the job's arena */
/* A file in the job's folder; its path lives in the arena. */
SY_MUST_USE sy_err sy_job_file(sy_job *job, const char *name, sy_span text, const char **path,
                               sy_fail *f);
/* Queue it; the handler is called again when r->job->done. SY_E_AGAIN: too many wait. */
SY_MUST_USE sy_err sy_job_start(sy_request *r, sy_fail *f);
void sy_job_free(sy_job *job); /* NULL is allowed */

#endif
