/*
 * The page of evidence from within: what is shown, and the small writers that its parts share.
 * Internal to ledger/.
 */
#ifndef SY_PAGE_INT_H
#define SY_PAGE_INT_H

#include <jansson.h>

#include "ledger/evidence.h"

/* X(NAME, English, Chinese) */
#define SY_PAGE_WORDS(X)                                                                           \
    X(EVIDENCE, "Evidence of an alert", "警报证据")                                                \
    X(MADE,                                                                                        \
      "What the gateway recorded, with proof. This page proves nothing by itself: check it "       \
      "as said at the end.",                                                                       \
      "网关所记录的内容及其证明。本页本身不构成证明，请按文末方法核验。")                          \
    X(PREMISES, "Premises", "被监管单位")                                                          \
    X(CODE, "Unified social credit code", "统一社会信用代码")                                      \
    X(PLACE, "Place", "场所")                                                                      \
    X(POINT, "Point", "测点")                                                                      \
    X(DEVICE, "Device", "设备")                                                                    \
    X(RULE, "Rule", "规则")                                                                        \
    X(VERSION, "version", "版本")                                                                  \
    X(BASIS, "Basis", "依据")                                                                      \
    X(CLAUSE, "clause", "条款")                                                                    \
    X(LAW, "law", "法律法规")                                                                      \
    X(POLICY, "policy", "管理要求")                                                                \
    X(UNVERIFIED, "not yet checked against the official text", "尚未与正式文本核对")               \
    X(LIMIT, "Condition", "条件")                                                                  \
    X(ONSET, "Began", "开始")                                                                      \
    X(RAISED, "Alert raised", "发出警报")                                                          \
    X(CLEARED, "Cleared", "解除")                                                                  \
    X(STILL, "not cleared when this was made", "生成时尚未解除")                                   \
    X(LASTED, "lasted", "持续")                                                                    \
    X(LOWEST, "Lowest", "最低")                                                                    \
    X(HIGHEST, "Highest", "最高")                                                                  \
    X(COUNT, "Valid readings", "有效读数")                                                         \
    X(COUNTED, "Time that counted", "计入时间")                                                    \
    X(UNKNOWN, "unknown", "未知")                                                                  \
    X(EXEMPT, "exempt", "豁免")                                                                    \
    X(MESSAGE, "What to do", "处置要求")                                                           \
    X(PLOTS, "Readings", "读数")                                                                   \
    X(STRETCH, "shaded: the alert; dashed: limit; ▲ uncertain, × bad",                             \
      "阴影：警报时段；虚线：限值；▲ 存疑，× 无效")                                                \
    X(HISTORY, "What happened, and who was told", "经过与告知对象")                                \
    X(TOLD, "told", "告知")                                                                        \
    X(NOBODY, "nobody was told", "未告知任何人")                                                   \
    X(RESPOND, "to respond within", "响应时限")                                                    \
    X(LATE, "because of readings that came late", "因迟到的读数")                                  \
    X(REPLACES, "stands for the withdrawn alert", "取代已撤回的警报")                              \
    X(REPLACED_BY, "replaced by the alert", "被警报取代：")                                        \
    X(TEXT, "The rule as it was in force", "当时生效的规则文本")                                   \
    X(SET, "Accepted set", "已接受配置集")                                                         \
    X(POINTS, "Points and devices", "测点与设备")                                                  \
    X(QUANTITY, "Quantity", "量")                                                                  \
    X(UNIT, "unit", "单位")                                                                        \
    X(EVERY, "Expected every", "预期间隔")                                                         \
    X(RANGE, "Range", "量程")                                                                      \
    X(ACCURACY, "Accuracy", "准确度")                                                              \
    X(UNCERTAINTY, "Uncertainty", "不确定度")                                                      \
    X(RESOLUTION, "Resolution", "分辨力")                                                          \
    X(NOT_STATED, "not stated", "未说明")                                                          \
    X(DUE, "due", "到期")                                                                          \
    X(NO_DUES, "no calibration date is configured", "未配置校准日期")                              \
    X(TABLE, "Table of readings", "读数表")                                                        \
    X(TIME, "Time", "时间")                                                                        \
    X(VALUE, "Value", "值")                                                                        \
    X(QUALITY, "Quality", "质量")                                                                  \
    X(NONE, "No readings.", "无读数。")                                                            \
    X(MIDDLE, "more are in the data part of this file", "条其余读数见本文件数据部分")              \
    X(LEFT_OUT, "older readings are not listed", "条更早读数未列出")                               \
    X(PROOF, "Proof", "证明")                                                                      \
    X(LEDGER, "Ledger of gateway", "网关账本")                                                     \
    X(BOX, "box", "设备箱")                                                                        \
    X(LEAVES, "leaves", "叶")                                                                      \
    X(SIGNED, "signed", "签名于")                                                                  \
    X(KEY, "key", "密钥")                                                                          \
    X(ROOT, "root", "根")                                                                          \
    X(LEAF, "leaf", "叶")                                                                          \
    X(NOT_PROVEN, "not proven: no signed head covered it yet", "未经证明：尚无签名头覆盖")         \
    X(ORIGINALS, "Original messages", "原始报文")                                                  \
    X(ORIGINALS_ARE, "What the devices sent, word for word, from sealed segments of the journal.", \
      "设备发送的原文，取自已封存的日志段。")                                                      \
    X(NO_ORIGINALS, "None in this file: not sealed yet when it was made, or expired.",             \
      "本文件中没有：生成时尚未封存，或已到期删除。")                                              \
    X(RECORD, "Record", "记录号")                                                                  \
    X(RECEIVED, "Received", "接收时间")                                                            \
    X(SOURCE, "From", "来源")                                                                      \
    X(PAYLOAD, "Message", "报文")                                                                  \
    X(HOW, "To check this file, with the authority's certificate and nothing else:",               \
      "仅凭主管机关证书即可核验本文件：")                                                          \
    X(HOW_NOT, "A copy on paper can be compared with the file, but not be checked by itself.",     \
      "纸质副本只能与文件对照，本身无法核验。")                                                    \
    X(REPLAY, "a recording was replayed: not a live alert", "录制数据回放，非实时警报")            \
    X(TIMES, "Times are UTC", "时间为 UTC")
typedef enum sy_page_word {
#define SY_PAGE_ENUM(name, en, zh) SY_PW_##name,
    SY_PAGE_WORDS(SY_PAGE_ENUM)
#undef SY_PAGE_ENUM
} sy_page_word;

typedef struct sy_page_reading {
    sy_ms t;
    double v;         /* NaN: none that can be drawn */
    const char *bits; /* of what is no finite number, else NULL */
    const char *q;
    size_t event; /* of the list that it is from: where two say the same, the newest counts */
} sy_page_reading;
typedef struct sy_page_point {
    const json_t *info; /* its line in the newest list that has it */
    sy_page_reading *v;
    size_t n, cap;
} sy_page_point;
enum { SY_PAGE_POINTS = 256 };

typedef struct sy_page {
    const sy_evidence *e;
    sy_buf *out;
    bool zh, failed;
    json_t *bodies, *lists; /* arrays: of events, of arrays of lines */
    const json_t *data;     /* of the last event */
    const json_t *head;     /* first line of the newest list; NULL: none */
    sy_ms offset;           /* of the premises' time */
    sy_page_point points[SY_PAGE_POINTS];
    size_t n_points;
} sy_page;

/* page_model.c. SY_E_PARSE, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_page__load(sy_page *p, const sy_evidence *e, sy_fail *f);
void sy_page__free(sy_page *p);

/* page_text.c: text is escaped; what is no text is nothing. */
void sy_page__raw(const sy_page *p, const char *html);
void sy_page__text(const sy_page *p, const char *text);
void sy_page__word(const sy_page *p, sy_page_word w);
void sy_page__time(const sy_page *p, sy_ms t, bool seconds);
void sy_page__duration(const sy_page *p, sy_ms d);
/* With the unit's sign, or the word of a state. */
void sy_page__value(const sy_page *p, double v, const json_t *point);
void sy_page__unit(const sy_page *p, const char *unit);
const char *sy_page__str(const json_t *o, const char *name);
/* Of {en, zh} the page's, else the other. */
const char *sy_page__both(const sy_page *p, const json_t *v);
sy_ms sy_page__when(const json_t *v);
double sy_page__num(const json_t *o, const char *name); /* NaN: none */
/* A word of the vocabulary, by its Chinese name where the list has one; of a quality likewise. */
void sy_page__name(const sy_page *p, const char *word);
void sy_page__quality(const sy_page *p, const char *q);
const char *sy_page__change(const sy_page *p, const char *change);
const char *sy_page__severity(const sy_page *p, const char *severity);

/* page_plot.c: one point as SVG; the stretch of the alert is [onset, end], end SY_MS_NONE: open. */
void sy_page__plot(const sy_page *p, const sy_page_point *v, sy_ms onset, sy_ms end);

/* page_records.c: the section of the original messages. */
void sy_page__records(const sy_page *p);

/* evidence.c: the script element and the end of the page. */
void sy_evidence__embed(const sy_evidence *e, sy_buf *out);

#endif
