/*
 * Block1 (RFC 7959) put together. A transfer is known by peer, device and Request-Tag (RFC 9175);
 * within that by its token, or, since a client may use a new token for each block, by being the
 * only one that waits for this offset: where two do, the block is refused rather than guessed.
 * At most BLOCK_TRANSFERS at once, BLOCK_PER_DEVICE of one device (the stalest gives way), none
 * older than BLOCK_AGE_MS since its last block.
 */
#ifndef SY_COAP_BLOCKS_H
#define SY_COAP_BLOCKS_H

#include "drivers/coap/coap_int.h"

enum { SY_BLOCK_TRANSFERS = 64, SY_BLOCK_PER_DEVICE = 4, SY_BLOCK_AGE_MS = 120000 };

typedef enum sy_block_result {
    SY_BLOCK_MORE,  /* kept; go on */
    SY_BLOCK_WHOLE, /* *body is the whole, until the next call */
    SY_BLOCK_GAP,   /* 4.08: not what comes next */
    SY_BLOCK_LARGE, /* 4.13 */
    SY_BLOCK_SIZE,  /* 4.00: not as long as its block size says */
    SY_BLOCK_BUSY   /* 5.03: no room for another transfer */
} sy_block_result;

typedef struct sy_block_key {
    sy_coap_peer peer;
    sy_span device;
    sy_span tag, token; /* at most 8 bytes each */
} sy_block_key;

sy_coap_blocks *sy_coap__blocks_open(size_t max_body); /* NULL: no memory */
void sy_coap__blocks_close(sy_coap_blocks *b);
sy_block_result sy_coap__blocks_add(sy_coap_blocks *b, const sy_block_key *key,
                                    const coap_block_b_t *block, sy_span bytes, sy_ms now,
                                    sy_span *body);

/* What was answered to the last block of a transfer, for its retransmission. */
enum { SY_ANSWERS = 128, SY_ANSWER_AGE_MS = 247000, SY_ANSWER_TEXT = 320 };
typedef struct sy_coap_answer {
    sy_coap_ident ident;
    sy_ms at;
    coap_pdu_code_t code;
    uint64_t seq; /* waits for this to be synced; 0: does not */
    char text[SY_ANSWER_TEXT];
} sy_coap_answer;
struct sy_coap_answers {
    sy_coap_answer ring[SY_ANSWERS];
    size_t next;
};
void sy_coap__answer_keep(sy_coap_answers *a, const sy_coap_answer *answer);
const sy_coap_answer *sy_coap__answer_find(const sy_coap_answers *a, const sy_coap_ident *ident,
                                           sy_ms now);

#endif
