/*
 * Words of what people do at the inbox: acts, orders, evidence, cases, gateways; the filter. Part
 * of the table in words.h.
 */
#ifndef SY_INBOX_WORDS_DESK_H
#define SY_INBOX_WORDS_DESK_H

/* X(NAME, English, Chinese) */
#define SY_WORD_TABLE_DESK(X)                                                                      \
    X(C_ACKNOWLEDGED, "Acknowledged", "已确认")                                                    \
    X(C_SHELVED, "Shelved", "搁置")                                                                \
    X(C_UNSHELVED, "Taken off the shelf", "取消搁置")                                              \
    X(C_COMMENTED, "Comment", "备注")                                                              \
    X(C_UNANSWERED, "Not answered in time", "逾期未响应")                                          \
    X(C_UNSUPPRESSED, "Maintenance is over", "维护结束")                                           \
    X(M_SUPPRESSED, "during maintenance", "维护期间")                                              \
    X(POINTS_SILENT, "points silent", "个测点无数据")                                              \
    X(M_UNACKNOWLEDGED, "not acknowledged", "未确认")                                              \
    X(M_ACKNOWLEDGED, "acknowledged", "已确认")                                                    \
    X(M_SHELVED, "shelved until", "搁置至")                                                        \
    X(M_UNANSWERED, "not answered in time", "逾期未响应")                                          \
    X(M_GROUP, "one of a group", "属于一组报警")                                                   \
    X(BY, "by", "操作人")                                                                          \
    X(UNTIL, "until", "至")                                                                        \
    X(VIA, "via", "途径")                                                                          \
    X(FILTER, "Filter", "筛选")                                                                    \
    X(FILTERED, "filtered", "已筛选")                                                              \
    X(SHOW, "Show", "显示")                                                                        \
    X(RESET, "Show all", "清除筛选")                                                               \
    X(ANY, "any", "不限")                                                                          \
    X(AND_WORSE, "and worse", "及以上")                                                            \
    X(SEVERITY, "Severity", "级别")                                                                \
    X(TEXT, "Text", "文字")                                                                        \
    X(GROUP, "Group", "报警组")                                                                    \
    X(NO_MATCH, "No alert fits the filter.", "没有符合筛选条件的报警。")                           \
    X(DO, "Answer", "处理")                                                                        \
    X(NAME, "Your name", "姓名")                                                                   \
    X(SIGNED_IN, "Signed in as", "当前用户")                                                       \
    X(NOT_SIGNED_IN, "The web server in front of this page gave no name: look only.",              \
      "前端服务器未提供用户名：仅可查看。")                                                        \
    X(COMMENT, "Comment or reason", "备注或理由")                                                  \
    X(D_ACKNOWLEDGE, "Acknowledge", "确认")                                                        \
    X(D_COMMENT, "Send the comment", "发送备注")                                                   \
    X(D_EVIDENCE, "Ask for the evidence", "索取证据文件")                                          \
    X(D_SHELVE, "Shelve", "搁置")                                                                  \
    X(D_UNSHELVE, "Take off the shelf", "取消搁置")                                                \
    X(SHELVE_FOR, "For how long", "搁置时长")                                                      \
    X(NO_SIGNER,                                                                                   \
      "This inbox has no key for orders (--sign-cert): answers are signed elsewhere with "         \
      "`steelyard order`.",                                                                        \
      "本收件箱未配置签发密钥（--sign-cert）：请用 steelyard order 在别处签发。")                  \
    X(NO_SHELVE, "Shelving is the regulator's: sign it with `steelyard order shelve`.",            \
      "搁置须由监管机构签发：请用 steelyard order shelve。")                                       \
    X(ORDERS, "Sent to the gateway", "已发往网关")                                                 \
    X(O_ACKNOWLEDGE, "Acknowledgement", "确认")                                                    \
    X(O_COMMENT, "Comment", "备注")                                                                \
    X(O_SHELVE, "Shelving", "搁置")                                                                \
    X(O_UNSHELVE, "End of shelving", "取消搁置")                                                   \
    X(O_EVIDENCE, "Evidence asked for", "索取证据")                                                \
    X(O_OPEN, "waits for the gateway", "等待网关领取")                                             \
    X(O_TAKEN, "the gateway has it", "网关已领取")                                                 \
    X(O_DONE, "done", "已执行")                                                                    \
    X(O_REFUSED, "refused", "被拒绝")                                                              \
    X(O_WAITING, "waits for its date", "待生效")                                                   \
    X(EVIDENCE, "Evidence", "证据文件")                                                            \
    X(DOWNLOAD, "Download", "下载")                                                                \
    X(E_PROVEN, "verified: all that was checked stands", "已核验：所核验内容均成立")               \
    X(E_BROKEN, "NOT PROVEN", "未能证明")                                                          \
    X(FINDINGS, "What was checked", "核验明细")                                                    \
    X(CASE, "Case", "案件")                                                                        \
    X(K_NEW, "new", "新")                                                                          \
    X(K_NOTIFIED, "notified", "已通知")                                                            \
    X(K_REPLIED, "replied", "已答复")                                                              \
    X(K_REVIEWED, "reviewed", "已复核")                                                            \
    X(K_CLOSED, "closed", "已结案")                                                                \
    X(T_NEW, "open it again", "重新立案")                                                          \
    X(T_NOTIFIED, "premises notified", "已通知经营者")                                             \
    X(T_REPLIED, "premises replied", "经营者已答复")                                               \
    X(T_REVIEWED, "reviewed", "已复核")                                                            \
    X(T_CLOSED, "close the case", "结案")                                                          \
    X(R_FALSE_ALARM, "false alarm", "误报")                                                        \
    X(R_RECTIFIED, "rectified", "已整改")                                                          \
    X(R_INSPECTION, "on-site inspection", "现场检查")                                              \
    X(R_FILED, "filed as a case", "立案")                                                          \
    X(NEXT_STEP, "Next step", "下一步")                                                            \
    X(STEP_BY, "next step by", "下一步期限")                                                       \
    X(OUTCOME, "Outcome, where it is closed", "结案结果（结案时）")                                \
    X(RECORD, "Write it down", "记录")                                                             \
    X(GATEWAYS, "Gateways", "网关")                                                                \
    X(NO_GATEWAY, "No gateway has been heard yet.", "尚未收到任何网关的消息。")                    \
    X(HEARD, "last heard", "最近联系")                                                             \
    X(SILENT, "silent: trouble", "失联：有故障")                                                   \
    X(NO_BEAT, "no heartbeat yet", "尚无心跳")                                                     \
    X(BEAT, "heartbeat", "心跳")                                                                   \
    X(EVERY, "every", "每隔")                                                                      \
    X(IN_TOUCH, "in touch", "正常联系")                                                            \
    X(STATEMENT, "Daily statement", "日报")                                                        \
    X(NO_STATEMENT, "no daily statement of yesterday", "缺昨日日报")                               \
    X(V_IN_ORDER, "in order", "合规")                                                              \
    X(V_IN_BREACH, "in breach", "超标")                                                            \
    X(V_NOT_KNOWN, "not known", "情况不明")                                                        \
    X(SENSORS, "sensors heard", "传感器在线")                                                      \
    X(ORDERS_OPEN, "orders not fetched", "条指令未领取")                                           \
    X(ASKED, "last asked for orders", "最近查询指令")                                              \
    X(W_TOKEN,                                                                                     \
      "This form is not from this page, or the page is too old. Go back, load it again, and "      \
      "send it once more.",                                                                        \
      "此表单并非来自本页面，或页面已过期。请返回、刷新后重新提交。")                              \
    X(W_ORIGIN, "This request comes from another site and was refused.",                           \
      "请求来自其他网站，已拒绝。")                                                                \
    X(W_WHO, "Say who you are: a name of 1 to 128 bytes.", "请填写姓名（1至128字节）。")           \
    X(W_WHY, "A comment or reason is needed, of at most 512 bytes.",                               \
      "须填写备注或理由（不超过512字节）。")                                                       \
    X(W_STEP, "The case cannot take this step; closing needs an outcome and a reason.",            \
      "案件不能进行此步骤；结案须有结果和理由。")                                                  \
    X(W_FORM, "The form is malformed.", "表单格式有误。")                                          \
    X(W_DENIED, "The inbox may not give this order.", "收件箱无权签发此指令。")

#endif
