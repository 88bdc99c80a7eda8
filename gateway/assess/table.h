/*
 * What is looked at in an assessment: one row a finding. Pure. docs/assess.md shows the same rows,
 * and tests/system/test_assess.py compares them.
 *
 * X(NAME, code, GRADE, ETSI, GBT, English, Chinese, what to do, the same in Chinese)
 *   ETSI: the provision of ETSI EN 303 645, 5.1 to 5.13, by its last number
 *   GBT:  the part of GB/T 22239-2019, one of SY_GBT_HEADINGS
 * A PASS and a NOTE may have nothing to do ("").
 */
#ifndef SY_ASSESS_TABLE_H
#define SY_ASSESS_TABLE_H

/* The headings alone; X(last number, English, Chinese). */
#define SY_ETSI_HEADINGS(X)                                                                        \
    X(1, "No universal default passwords", "不使用通用默认口令")                                   \
    X(2, "Implement a means to manage reports of vulnerabilities", "漏洞报告的管理手段")           \
    X(3, "Keep software updated", "保持软件更新")                                                  \
    X(4, "Securely store sensitive security parameters", "安全存储敏感安全参数")                   \
    X(5, "Communicate securely", "安全通信")                                                       \
    X(6, "Minimize exposed attack surfaces", "减小暴露的攻击面")                                   \
    X(7, "Ensure software integrity", "保证软件完整性")                                            \
    X(8, "Ensure that personal data is secure", "保护个人数据安全")                                \
    X(9, "Make systems resilient to outages", "使系统能承受中断")                                  \
    X(10, "Examine system telemetry data", "检查系统遥测数据")                                     \
    X(11, "Make it easy for users to delete user data", "便于用户删除数据")                        \
    X(12, "Make installation and maintenance of devices easy", "便于安装和维护")                   \
    X(13, "Validate input data", "校验输入数据")

#define SY_GBT_HEADINGS(X)                                                                         \
    X(PHYSICAL, "secure physical environment", "安全物理环境")                                     \
    X(NETWORK, "secure communication network", "安全通信网络")                                     \
    X(BOUNDARY, "secure area boundary", "安全区域边界")                                            \
    X(COMPUTING, "secure computing environment", "安全计算环境")                                   \
    X(CENTRE, "security management centre", "安全管理中心")                                        \
    X(RUNNING, "security operation and maintenance management", "安全运维管理")

/* clang-format off */
#define SY_ASSESS_WHO(X) \
    X(DEVICES_GOOD, "devices-credentials", PASS, 1, COMPUTING, "devices with a credential of their own", "拥有各自凭据的设备", "", "") \
    X(DEVICE_OPEN, "device-open", BAD, 1, COMPUTING, "anybody who reaches the box can send as this device", "能访问本机者皆可冒充此设备发送数据", "give it credential: psk, certificate or password, or bind the listener to a network of its own and say `from`", "设置 credential: psk、certificate 或 password；或将监听限于专用网络并设置 from") \
    X(DEVICE_ADDRESS, "device-address", WEAK, 1, COMPUTING, "known by its network address alone", "仅凭网络地址识别的设备", "give it a credential where the device can have one", "设备支持时请设置凭据") \
    X(DEVICE_LOCAL, "device-local", NOTE, 1, COMPUTING, "without a credential, reached from this machine alone", "无凭据，仅本机可达", "", "") \
    X(DEVICE_UNREADY, "device-unready", NOTE, 1, COMPUTING, "its credential was not made yet: it cannot sign in", "凭据尚未生成，设备无法登录", "steelyard devices add ID", "steelyard devices add ID") \
    X(HJ212_DEFAULT, "hj212-default", BAD, 1, COMPUTING, "a password of HJ 212 that everybody knows", "众所周知的 HJ 212 密码", "give the device another one, and `password` in the configuration", "为设备更换密码，并在配置中设置 password") \
    X(DEMO_KEY, "demo-key", BAD, 1, COMPUTING, "a certificate made by `steelyard keys demo`", "由 steelyard keys demo 生成的演示证书", "replace it by one of the authority (steelyard enrol)", "换成主管机构签发的证书（steelyard enrol）") \
    X(BROKER_ANONYMOUS, "broker-anonymous", WEAK, 1, NETWORK, "the external broker is used without a name and without a certificate", "连接外部代理时没有用户名也没有证书", "set mqtt.user and mqtt.password, or mqtt.tls with cert and key", "设置 mqtt.user 和 mqtt.password，或含 cert、key 的 mqtt.tls") \
    X(ONBOARDING, "onboarding-open", NOTE, 1, BOUNDARY, "unknown devices knock and wait for adoption", "有未知设备等待接纳", "steelyard devices pending; adopt them or find out who they are", "steelyard devices pending；接纳或查明来源") \
    X(TOKEN_SHORT, "token-short", BAD, 1, COMPUTING, "the token of /metrics is shorter than 16 characters, or cannot be read", "/metrics 的令牌不足16个字符或无法读取", "write a random one into the file", "在文件中写入随机令牌") \
    X(ACCOUNTS, "accounts", PASS, 1, CENTRE, "accounts of the console, by role; passwords are kept by Argon2id", "控制台账户（按角色）；口令以 Argon2id 保存", "", "") \
    X(ACCOUNTS_NONE, "accounts-none", NOTE, 1, CENTRE, "the console has no local account", "控制台没有本地账户", "", "") \
    X(ACCOUNTS_BROKEN, "accounts-broken", BAD, 1, CENTRE, "the file of accounts cannot be read", "账户文件无法读取", "restore it, or remove it and make the accounts anew", "恢复该文件，或删除后重建账户") \
    X(CERTIFICATE_PEOPLE, "certificate-people", PASS, 1, CENTRE, "people may sign in at the console by certificates of this CA", "人员可凭此 CA 的证书登录控制台", "", "") \
    X(DEST_TLS, "destination-tls", PASS, 5, NETWORK, "a destination over TLS, its certificate is checked", "通过 TLS 传送的目的地，其证书受到核验", "", "") \
    X(DEST_PLAIN, "destination-plain", WEAK, 5, NETWORK, "a destination without TLS", "不使用 TLS 的目的地", "use https, or keep the receiver on this machine", "改用 https，或将接收端放在本机") \
    X(DEST_UNSIGNED, "destination-unsigned", NOTE, 5, NETWORK, "a webhook without `secret`: the receiver cannot tell who sent", "webhook 没有 secret：接收端无法识别发送者", "set `secret`", "设置 secret") \
    X(BROKER_PLAIN, "broker-plain", WEAK, 5, NETWORK, "the broker on another machine is used without TLS", "连接其他机器上的代理时不使用 TLS", "mqtts:// and mqtt.tls", "使用 mqtts:// 和 mqtt.tls") \
    X(EGRESS, "egress", PASS, 8, BOUNDARY, "what leaves the box for this destination; names of people are taken out", "发往此目的地的内容；人名已去除", "", "") \
    X(EGRESS_PEOPLE, "egress-people", NOTE, 8, BOUNDARY, "names of people leave the box for this destination", "人名会发往此目的地", "redact: [people], unless the receiver needs them", "设置 redact: [people]，除非接收端确有需要") \
    X(EGRESS_NONE, "egress-none", NOTE, 8, BOUNDARY, "nothing leaves the box: there is no destination", "没有目的地：任何内容都不离开本机", "", "") \
    X(HEARTBEAT, "heartbeat", PASS, 10, CENTRE, "a destination is told regularly that the box is alive", "定期向目的地报告本机在线", "", "") \
    X(HEARTBEAT_NONE, "heartbeat-none", NOTE, 10, CENTRE, "nobody is told regularly that the box is alive", "没有目的地定期得知本机在线", "heartbeat: 5 min at a destination", "在目的地设置 heartbeat: 5 min")

#define SY_ASSESS_KEYS(X) \
    X(KEY_MODE, "key-mode", PASS, 4, COMPUTING, "a secret that its owner alone reads", "仅属主可读的秘密文件", "", "") \
    X(KEY_GROUP, "key-group", NOTE, 4, COMPUTING, "a secret that a group reads", "组内可读的秘密文件", "", "") \
    X(KEY_OPEN, "key-open", BAD, 4, COMPUTING, "a secret that others read, or that not its owner alone writes", "他人可读，或非仅属主可写的秘密文件", "chmod 600; take it for known, and replace it", "chmod 600；视为已泄露并更换") \
    X(KEY_UNREADABLE, "key-unreadable", NOTE, 4, COMPUTING, "could not be looked at", "无法检查", "run assess as root, or as the service's user", "以 root 或服务用户运行 assess") \
    X(KEY_STRONG, "key-strong", PASS, 4, COMPUTING, "a key of enough strength", "强度足够的密钥", "", "") \
    X(KEY_WEAK, "key-weak", BAD, 4, COMPUTING, "a key of less than 112 bits of security", "安全强度不足112位的密钥", "make another: ECDSA P-256, or RSA of 3072 bits", "更换为 ECDSA P-256 或 RSA 3072 位") \
    X(PSK_SHORT, "psk-short", BAD, 4, COMPUTING, "a pre-shared key of less than 16 bytes", "不足16字节的预共享密钥", "steelyard devices rotate ID", "steelyard devices rotate ID") \
    X(FOLDER_OPEN, "folder-open", BAD, 4, COMPUTING, "others may enter the data folder", "他人可进入数据目录", "chmod 700", "chmod 700") \
    X(FOLDER_GOOD, "folder-mode", PASS, 4, COMPUTING, "the data folder is its owner's alone", "数据目录仅属主可进入", "", "") \
    X(CERT_GOOD, "certificate-good", PASS, 5, NETWORK, "a certificate that is valid", "有效的证书", "", "") \
    X(CERT_SOON, "certificate-ends-soon", WEAK, 5, NETWORK, "a certificate that ends within 30 days", "30天内到期的证书", "renew it now", "立即更换") \
    X(CERT_ENDED, "certificate-ended", BAD, 5, NETWORK, "a certificate that has ended", "已过期的证书", "renew it now (steelyard enrol, or the authority)", "立即更换（steelyard enrol 或主管机构）") \
    X(CERT_EARLY, "certificate-early", BAD, 5, NETWORK, "a certificate that is not valid yet", "尚未生效的证书", "look at the clock of this box", "检查本机时钟") \
    X(CERT_DIGEST, "certificate-digest", BAD, 5, NETWORK, "a certificate signed with a broken digest (MD5, SHA-1)", "使用已被攻破的摘要算法（MD5、SHA-1）签名的证书", "have it made anew with SHA-256", "以 SHA-256 重新签发") \
    X(CERT_STRANGE, "certificate-other-key", BAD, 5, NETWORK, "the certificate is not of the key beside it", "证书与私钥不匹配", "put the right pair in place", "换上匹配的一对") \
    X(CERT_BROKEN, "certificate-broken", BAD, 5, NETWORK, "the file holds no certificate", "文件中没有证书", "replace it", "更换该文件") \
    X(LEDGER_CERTIFIED, "ledger-certified", PASS, 7, CENTRE, "the ledger's key is certified", "账本密钥已获认证", "", "") \
    X(LEDGER_UNCERTIFIED, "ledger-uncertified", WEAK, 7, CENTRE, "the ledger's key is not certified: nobody else can tell whose ledger it is", "账本密钥未获认证：他人无法确认账本归属", "steelyard enrol, or keys request and install", "steelyard enrol，或 keys request 与 install")

#define SY_ASSESS_BOX(X) \
    X(REPORTS, "reports", NOTE, 2, RUNNING, "who takes reports of weaknesses is not written on the box", "本机不记录由谁接收漏洞报告", "write it into the site's papers", "写入现场文件") \
    X(PART, "part", PASS, 3, COMPUTING, "a part, and its version", "部件及其版本", "", "") \
    X(PART_OLD, "part-old", WEAK, 3, COMPUTING, "a part older than any that is maintained", "已无人维护的旧部件", "upgrade the system", "升级系统") \
    X(PART_MISSING, "part-missing", WEAK, 3, COMPUTING, "a part that the configuration needs is not there", "缺少配置所需的部件", "install it", "安装该部件") \
    X(BUILD_OLD, "build-old", WEAK, 3, COMPUTING, "this build is older than a year", "本程序构建已超过一年", "look for a newer one", "查找更新的版本") \
    X(LISTEN_LOCAL, "listen-local", PASS, 6, BOUNDARY, "open to this machine alone", "仅对本机开放", "", "") \
    X(LISTEN_TLS, "listen-tls", PASS, 5, BOUNDARY, "open to other machines, with TLS or DTLS", "对其他机器开放，使用 TLS 或 DTLS", "", "") \
    X(LISTEN_PLAIN, "listen-plain", WEAK, 5, BOUNDARY, "open to other machines, without TLS: passwords and readings can be read on the way", "对其他机器开放且不使用 TLS：口令和读数可被窃听", "give it tls (dtls), or bind it to a network of its own", "配置 tls（dtls），或限于专用网络") \
    X(LISTEN_UNKNOWN, "listen-unknown", WEAK, 6, BOUNDARY, "an open port that the configuration does not name", "配置中未列出的开放端口", "find out what it is", "查明用途") \
    X(LISTEN_HIDDEN, "listen-hidden", NOTE, 6, BOUNDARY, "the gateway's sockets cannot be seen; listed is what it is configured for", "无法查看网关的套接字；所列为配置内容", "run assess as root, or as the service's user", "以 root 或服务用户运行 assess") \
    X(TLS_OLD, "tls-old", BAD, 5, NETWORK, "takes TLS 1.1 or older", "接受 TLS 1.1 或更旧版本", "", "") \
    X(TLS_NOW, "tls-version", PASS, 5, NETWORK, "refuses what is older than TLS 1.2; speaks", "拒绝早于 TLS 1.2 的版本；协商结果", "", "") \
    X(NOT_RUNNING, "not-running", NOTE, 9, RUNNING, "no gateway runs on the data folder: what only it knows was not looked at", "该数据目录上没有网关运行：只有网关知道的内容未检查", "start it, and assess again", "启动后再评估") \
    X(ROOT, "runs-as-root", WEAK, 6, COMPUTING, "the gateway runs as root", "网关以 root 身份运行", "run it as the package's service does", "按软件包的服务方式运行") \
    X(CAPABILITIES, "capabilities", WEAK, 6, COMPUTING, "the gateway has capabilities of the kernel that it does not need", "网关持有不需要的内核能力", "CapabilityBoundingSet= (empty) in the service", "在服务中设置空的 CapabilityBoundingSet=") \
    X(PRIVILEGES, "new-privileges", WEAK, 6, COMPUTING, "the gateway could gain privileges (NoNewPrivileges is off)", "网关可获得新特权（NoNewPrivileges 未启用）", "NoNewPrivileges=yes in the service", "在服务中设置 NoNewPrivileges=yes") \
    X(SYSCALLS, "system-calls", WEAK, 6, COMPUTING, "the gateway may use every system call", "网关可使用所有系统调用", "SystemCallFilter= in the service", "在服务中设置 SystemCallFilter=") \
    X(SANDBOX, "sandbox", PASS, 6, COMPUTING, "the gateway is confined: no root, no capabilities, no new privileges, system calls filtered", "网关受限运行：非 root、无内核能力、无新特权、系统调用受过滤", "", "") \
    X(FILE_GOOD, "file-mode", PASS, 7, COMPUTING, "a file that only its owner changes", "仅属主可更改的文件", "", "") \
    X(FILE_WRITABLE, "file-writable", BAD, 7, COMPUTING, "a file that others may change", "他人可更改的文件", "chmod go-w", "chmod go-w") \
    X(FILE_OWNER, "file-owner", WEAK, 7, COMPUTING, "a file of an account that is neither root nor the gateway's", "文件属主既非 root 也非网关账户", "chown it", "更改属主") \
    X(CONFIG_OPEN, "configuration-open", BAD, 4, COMPUTING, "the configuration holds a password, and others may read it", "配置中含有口令且他人可读", "chmod o-r", "chmod o-r") \
    X(SET, "set", PASS, 7, CENTRE, "the configuration and rules in force, by their SHA-256", "生效的配置与规则（SHA-256）", "", "") \
    X(SET_REFUSED, "set-refused", WEAK, 12, RUNNING, "the configuration file is not what is in force: it was refused", "配置文件被拒绝，未生效", "steelyard check --config FILE", "steelyard check --config FILE") \
    X(CONFIGURED, "configured", PASS, 12, RUNNING, "the configuration was read without an error", "配置读取无误", "", "") \
    X(LEDGER, "ledger", PASS, 7, CENTRE, "the ledger is signed as it should be", "账本签名正常", "", "") \
    X(LEDGER_TROUBLE, "ledger-trouble", BAD, 7, CENTRE, "the ledger is not signed", "账本未签名", "see `ledger-trouble` in docs/operations.md", "见 docs/operations.md 中的 ledger-trouble") \
    X(ORDERS, "orders-authority", PASS, 7, CENTRE, "who may sign orders to this box", "可向本机签发指令者", "", "") \
    X(DISK, "disk", PASS, 9, COMPUTING, "room on the disk", "磁盘余量", "", "") \
    X(DISK_LOW, "disk-low", WEAK, 9, COMPUTING, "less than a tenth of the disk is free", "磁盘余量不足十分之一", "docs/operations.md, disk full", "见 docs/operations.md 磁盘将满") \
    X(DISK_FULL, "disk-full", BAD, 9, COMPUTING, "less than 64 MiB are free: nothing can be kept", "余量不足64 MiB：无法保存", "docs/operations.md, disk full", "见 docs/operations.md 磁盘将满") \
    X(WEAR, "card-wear", PASS, 9, PHYSICAL, "how long the card lasts at this rate", "按当前写入量，存储卡的寿命", "", "") \
    X(WEAR_HIGH, "card-wears", WEAK, 9, PHYSICAL, "the card lasts less than two years at this rate", "按当前写入量，存储卡寿命不足两年", "docs/retention.md; a larger card, a longer gateway.commit", "见 docs/retention.md；更大的卡、更长的 gateway.commit") \
    X(CLOCK, "clock", PASS, 9, RUNNING, "the clock is synchronised", "时钟已同步", "", "") \
    X(CLOCK_FREE, "clock-free", WEAK, 9, RUNNING, "the clock is not synchronised", "时钟未同步", "let it follow NTP", "启用 NTP") \
    X(WATCHDOG, "watchdog", PASS, 9, RUNNING, "the service is restarted when it ends or hangs", "服务终止或停滞时会被重新启动", "", "") \
    X(WATCHDOG_NONE, "watchdog-none", NOTE, 9, RUNNING, "no service manager watches the gateway", "没有服务管理器监视网关", "run it as the package's service does", "按软件包的服务方式运行") \
    X(BACKUP, "backup", NOTE, 9, RUNNING, "backups lie elsewhere: the box does not know of them", "备份在别处：本机无从得知", "steelyard backup, docs/operations.md says how often", "steelyard backup；频率见 docs/operations.md") \
    X(PLACE, "place", NOTE, 9, PHYSICAL, "who can lay hands on the box cannot be told by it", "本机无法判断谁能接触它", "lock it away; a copied card is told by gateway.ledger.box", "上锁放置；复制的存储卡可由 gateway.ledger.box 识别") \
    X(SELF, "measures-itself", PASS, 10, CENTRE, "the box measures itself, as a device", "本机作为设备测量自身", "", "") \
    X(SELF_NONE, "measures-not", NOTE, 10, CENTRE, "no rule can watch the box: it is no device", "本机未设为设备，规则无法监视它", "a device with transport: box (docs/devices.md)", "增加 transport: box 的设备（见 docs/devices.md）") \
    X(REFUSED, "refused-attempts", NOTE, 10, CENTRE, "attempts that were refused since the start", "启动以来被拒绝的尝试", "steelyard status shows who", "steelyard status 可查看来源") \
    X(RETENTION, "retention", PASS, 11, COMPUTING, "what is kept goes by itself after", "保存的内容到期自动删除", "", "") \
    X(BOUNDED, "input-bounded", PASS, 13, COMPUTING, "messages are bounded and checked; longest, and rejected so far", "消息长度受限并经校验；最长，及已拒绝数", "", "") \
    X(DAMAGED, "damaged", WEAK, 13, COMPUTING, "records on the disk are damaged", "磁盘上的记录有损坏", "make a backup, replace the card", "备份并更换存储卡")
/* clang-format on */

#define SY_ASSESS_TABLE(X) SY_ASSESS_WHO(X) SY_ASSESS_KEYS(X) SY_ASSESS_BOX(X)

#endif
