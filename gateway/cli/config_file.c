/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that a command line names, and what is wrong with it. */
#include "cli/config_file.h"

#include <stdio.h>

sy_err sy_config_file_load(const char *file, const char *data, sy_config **out, sy_fail *f)
{
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_findings findings = {.arena = &arena};
    sy_err e = sy_config_load(file, data, &findings, out, f);
    if (e) {
        sy_buf text;
        sy_buf_init(&text, sy_heap());
        sy_findings_print(&findings, sy_locale(), &text);
        fputs(text.n ? text.p : "", stderr);
        sy_buf_fini(&text);
    }
    sy_arena_fini(&arena);
    return e;
}
