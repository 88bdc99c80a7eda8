/*
 * The words of what may leave the box: classes of events, and what is taken out of them. Shared by
 * the configuration, which reads them, and upstream, which applies them. Pure.
 */
#ifndef SY_BASE_EGRESS_H
#define SY_BASE_EGRESS_H

/* X(NAME, word, what it is in English, in Chinese) */
#define SY_EGRESS_CLASSES(X)                                                                       \
    X(ALERT, "alert", "changes of alerts", "告警的变化")                                           \
    X(ACT, "act", "what people did about alerts", "人对告警所做的处理")                            \
    X(GROUP, "group", "alerts that began together", "同时发生的一组告警")                          \
    X(HEARTBEAT, "heartbeat", "that the box is alive, and how it is", "本机的心跳与状态")          \
    X(STATEMENT, "statement", "the statement of each day", "每日声明")                             \
    X(HEAD, "head", "signed heads of the ledger", "账本的签名头")                                  \
    X(ORDER, "order", "what became of orders", "指令的执行结果")                                   \
    X(SERVICE, "service", "what the box says of itself", "本机自身的通知")

/* X(NAME, word, what goes, in Chinese) */
#define SY_EGRESS_PARTS(X)                                                                         \
    X(NAMES, "names", "names of premises and places", "场所与位置的名称")                          \
    X(CODES, "codes", "social credit codes", "统一社会信用代码")                                   \
    X(READINGS, "readings", "lowest and highest values", "最低值与最高值")                         \
    X(PEOPLE, "people", "who of the premises did what", "场所人员的姓名")                          \
    X(COMMENTS, "comments", "what people wrote", "人写的文字")                                     \
    X(LOCATION, "location", "all that is finer than the premises", "比场所更细的位置")

typedef enum sy_egress_class {
#define SY_EGRESS_ENUM(name, ...) SY_EGRESS_##name,
    SY_EGRESS_CLASSES(SY_EGRESS_ENUM)
#undef SY_EGRESS_ENUM
        SY_EGRESS_N
} sy_egress_class;

typedef enum sy_egress_part {
#define SY_EGRESS_ENUM(name, ...) SY_PART_##name,
    SY_EGRESS_PARTS(SY_EGRESS_ENUM)
#undef SY_EGRESS_ENUM
        SY_PART_N
} sy_egress_part;

/* Of one destination: bits 1 << class that may leave, bits 1 << part that are taken out. */
typedef struct sy_egress {
    unsigned classes, redact;
} sy_egress;

#define SY_EGRESS_ALL ((1u << SY_EGRESS_N) - 1)

#endif
