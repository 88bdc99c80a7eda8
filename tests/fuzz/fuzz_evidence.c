/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile evidence: as a file, as the JSON of one (what can be read is written again the same, and
 * shown), and as received events. */
#include <stdlib.h>

#include "ledger/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(void *ctx, sy_finding_kind kind, const char *text)
{
    (void)ctx, (void)kind, (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sy_span in = {(const char *)data, size};
    sy_fail f;
    sy_evidence e;
    sy_buf page, json;
    sy_check c = {.tell = quiet};
    sy_buf_init(&page, sy_heap());
    sy_buf_init(&json, sy_heap());
    sy_evidence_init(&e);
    if (sy_evidence_read(in, &e, &f) == SY_OK) {
        sy_evidence again;
        sy_evidence_init(&again);
        sy_evidence_json(&e, &json);
        if (sy_evidence_read(sy_buf_span(&json), &again, &f) != SY_OK)
            abort();
        sy_evidence_json(&again, &page);
        if (!sy_span_eq(sy_buf_span(&json), sy_buf_span(&page)))
            abort();
        sy_buf_reset(&page);
        if (sy_evidence_page(&e, &page, &f) == SY_OK) {
            sy_span inside;
            if (sy_verify_evidence(sy_buf_span(&page), &c, &f) != SY_OK ||
                sy_evidence_cut(sy_buf_span(&page), &inside, &f) != SY_OK ||
                !sy_span_eq(inside, sy_buf_span(&json)))
                abort();
        }
        sy_evidence_free(&again);
    }
    (void)!sy_verify_events(in, &c, &f);
    (void)!sy_verify_evidence(in, &c, &f);
    sy_evidence_free(&e);
    sy_buf_fini(&json);
    sy_buf_fini(&page);
    return 0;
}
