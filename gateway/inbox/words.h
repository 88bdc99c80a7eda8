/*
 * The page's own words in English and Chinese, one row a word.
 */
#ifndef SY_INBOX_WORDS_H
#define SY_INBOX_WORDS_H

#include <stdbool.h>

#include "inbox/words_desk.h"

/* X(NAME, English, Chinese) */
#define SY_WORD_TABLE(X)                                                                           \
    X(TITLE, "Alerts", "报警")                                                                     \
    X(INBOX, "Steelyard inbox", "Steelyard 收件箱")                                                \
    X(NONE, "No alerts have been received.", "尚未收到报警。")                                     \
    X(NONE_ACTIVE, "No alert is active.", "当前没有进行中的报警。")                                \
    X(ACTIVE_NOW, "Active now", "进行中")                                                          \
    X(ALL, "All", "全部")                                                                          \
    X(OLDER, "Older", "更早")                                                                      \
    X(NEXT, "Next", "下一页")                                                                      \
    X(BACK, "All alerts", "全部报警")                                                              \
    X(SINCE, "since", "自")                                                                        \
    X(LASTED, "lasted", "历时")                                                                    \
    X(FOR_NOW, "so far", "已")                                                                     \
    X(HIGHEST, "highest", "最高")                                                                  \
    X(LOWEST, "lowest", "最低")                                                                    \
    X(RULE, "Rule", "规则")                                                                        \
    X(VERSION, "version", "版本")                                                                  \
    X(PACK, "pack", "规则包")                                                                      \
    X(LIMIT, "Limit", "限值")                                                                      \
    X(BASIS, "Basis", "依据")                                                                      \
    X(CLAUSE, "clause", "条款")                                                                    \
    X(LAW, "law", "法定")                                                                          \
    X(POLICY, "policy", "裁量")                                                                    \
    X(UNVERIFIED, "clause not verified", "条款待核")                                               \
    X(TODO_NOW, "What to do", "处置要求")                                                          \
    X(RESPOND_BY, "Respond by", "响应期限")                                                        \
    X(OVERDUE, "overdue", "已超期")                                                                \
    X(WITHIN, "within", "须在")                                                                    \
    X(TOLD, "Told", "通知")                                                                        \
    X(STATE, "State", "状态")                                                                      \
    X(PREMISES, "Premises", "经营场所")                                                            \
    X(CODE, "Unified social credit code", "统一社会信用代码")                                      \
    X(PLACE, "Place", "部位")                                                                      \
    X(POINT, "Measured by", "监测设备")                                                            \
    X(ONSET, "Onset", "起始")                                                                      \
    X(RAISED, "Raised", "发报")                                                                    \
    X(CLEARED, "Cleared", "解除")                                                                  \
    X(READINGS, "Readings", "读数")                                                                \
    X(COUNTED, "counted", "计入")                                                                  \
    X(OF, "of", "，共")                                                                            \
    X(UNKNOWN, "unknown", "未知")                                                                  \
    X(EXEMPT, "exempt", "豁免")                                                                    \
    X(MEASURE, "Time", "计时")                                                                     \
    X(REPLACES, "Replaces", "替代")                                                                \
    X(REPLACED_BY, "Replaced by", "改由")                                                          \
    X(LATE, "found late: readings came after the fact", "事后补判：读数迟到")                      \
    X(HISTORY, "What happened", "经过")                                                            \
    X(RECEIVED, "received", "收到")                                                                \
    X(GATEWAY, "Gateway", "网关")                                                                  \
    X(SENDER, "Certificate of the sender", "发送方证书")                                           \
    X(ALERT_ID, "Alert", "报警编号")                                                               \
    X(DETAILS, "Details", "详情")                                                                  \
    X(REPLAY, "from a recording, not live", "回放数据，非实时")                                    \
    X(OTHER, "All events", "全部事件")                                                             \
    X(EVENTS, "events received", "条事件已接收")                                                   \
    X(NOT_FOUND, "There is no such page.", "没有此页面。")                                         \
    X(BROKEN, "The page cannot be made now; the log says why.", "暂时无法生成页面，原因见日志。")  \
    X(LEDGERS, "Ledgers", "存证账本")                                                              \
    X(NO_LEDGER, "No ledger is known yet.", "尚无已知的存证账本。")                                \
    X(FLAGS, "Doubts about a ledger", "账本存疑")                                                  \
    X(NO_FLAGS, "Nothing is in doubt.", "无存疑事项。")                                            \
    X(LEAVES, "entries", "条记录")                                                                 \
    X(HEADS, "signed heads", "个签名树头")                                                         \
    X(BOX, "Box", "设备")                                                                          \
    X(KEY, "Key", "密钥")                                                                          \
    X(CERTIFIED, "certified by this authority", "经本机构认证")                                    \
    X(UNCERTIFIED, "not certified", "未经认证")                                                    \
    X(SIGNED, "signed", "签署于")                                                                  \
    X(P_PROVEN, "proven in the ledger", "账本已证明")                                              \
    X(P_REDACTED, "shortened by the gateway, proven in the ledger", "网关已删减，账本已证明")      \
    X(P_UNCERTIFIED, "in the ledger, by a key that nobody has certified",                          \
      "账本中有记录，但密钥未经认证")                                                              \
    X(P_NONE, "without a proof", "无账本证明")                                                     \
    X(P_BAD, "its proof does not hold", "证明无效")                                                \
    X(F_FORKED, "Two histories of one ledger", "同一账本出现两种历史")                             \
    X(F_CUT, "The end of the ledger was cut off, or an old copy goes on",                          \
      "账本末尾被截去，或旧副本在继续运行")                                                        \
    X(F_UNKEPT, "What was received is not in the ledger any more", "已收到的内容不再见于账本")     \
    X(F_INCONSISTENT, "The ledger does not continue what was received",                            \
      "账本与已收到的内容不连贯")                                                                  \
    X(F_CLONED, "Two boxes go on with one ledger", "两台设备使用同一账本")                         \
    X(F_MOVED, "The ledger is in another box", "账本换到了另一台设备")                             \
    X(F_RESTORED, "The ledger was restored from a backup", "账本已由备份恢复")                     \
    X(F_KEY, "Another key, which nobody has certified", "更换了未经认证的密钥")                    \
    X(F_BAD_PROOF, "A proof does not hold", "证明无效")                                            \
    X(F_BAD_HEAD, "A signed head does not hold", "签名树头无效")                                   \
    X(F_UNSIGNED, "An event without a certified signature", "事件无经认证的签名")                  \
    X(F_NO_PROOF, "An event without a proof", "事件无账本证明")                                    \
    X(TIMES_IN, "Times in", "时区")                                                                \
    X(LEVEL_0, "Alert", "报警")                                                                    \
    X(LEVEL_1, "Notice", "提醒")                                                                   \
    X(LEVEL_2, "Warning", "预警")                                                                  \
    X(LEVEL_3, "Serious", "严重")                                                                  \
    X(LEVEL_4, "Major", "重大")                                                                    \
    X(S_ACTIVE, "active", "进行中")                                                                \
    X(S_CLEARED, "cleared", "已解除")                                                              \
    X(S_SUPERSEDED, "superseded", "已被取代")                                                      \
    X(S_WITHDRAWN, "withdrawn", "已撤回")                                                          \
    X(C_RAISED, "Raised", "发报")                                                                  \
    X(C_ESCALATED, "Escalated", "升级")                                                            \
    X(C_CLEARED, "Cleared", "解除")                                                                \
    X(C_SUPERSEDED, "Superseded", "被取代")                                                        \
    X(C_AMENDED, "Amended", "更正")                                                                \
    X(C_WITHDRAWN, "Withdrawn", "撤回")

typedef enum sy_word_id {
#define SY_WORD_ENUM(name, en, zh) SY_W_##name,
    SY_WORD_TABLE(SY_WORD_ENUM) SY_WORD_TABLE_DESK(SY_WORD_ENUM)
#undef SY_WORD_ENUM
        SY_W_COUNT
} sy_word_id;

const char *sy_word_text(sy_word_id w, bool zh);
/* By the words that events use; the word itself where it is not known. */
const char *sy_word_state(const char *state, bool zh);
const char *sy_word_change(const char *type, bool zh); /* "steelyard.alert.raised" */

/* Does an Accept-Language field (NULL: none) prefer Chinese to English? */
bool sy_prefers_chinese(const char *accept_language);

#endif
