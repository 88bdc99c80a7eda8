/*
 * The keys of the configuration file: one row a key, read by the loader (table.c), by the code of
 * each section (the enums) and by the manual (docs/configuration.md,
 * tests/unit/test_config_docs.c).
 *
 * X(CELL, key, type, required, lo, hi, choices, what it is when missing, what it means)
 */
#ifndef SY_CONFIG_KEYS_H
#define SY_CONFIG_KEYS_H

#include "config/keys_site.h"

/* clang-format off */
#define SY_KEYS_ROOT(X) \
    X(RT_GATEWAY, "gateway", MAP, true, 0, 0, NULL, NULL, "the box itself") \
    X(RT_MQTT, "mqtt", MAP, false, 0, 0, NULL, "no MQTT", "intake by MQTT") \
    X(RT_COAP, "coap", MAP, false, 0, 0, NULL, "no CoAP", "intake by CoAP") \
    X(RT_HJ212, "hj212", MAP, false, 0, 0, NULL, "no HJ 212", "intake by HJ 212 over TCP") \
    X(RT_CONSOLE, "console", MAP, false, 0, 0, NULL, "no console", "the console") \
    X(RT_PREMISES, "premises", LIST, false, 0, 0, NULL, "none", "what is supervised") \
    X(RT_DEVICES, "devices", LIST, false, 0, 0, NULL, "none", "who may send") \
    X(RT_ON_SITE, "on-site", MAP, false, 0, 0, NULL, "on where a device is a panel", "who hears of an alert at the premises themselves") \
    X(RT_DESTINATIONS, "destinations", LIST, false, 0, 0, NULL, "none", "who is told")

#define SY_KEYS_GATEWAY(X) \
    X(GW_ID, "id", ID, true, 0, 0, NULL, NULL, "name of the box; part of every alert's identity") \
    X(GW_DATA, "data", PATH, false, 0, 0, NULL, "/var/lib/steelyard", "folder of journal, store and keys; `--data` overrides") \
    X(GW_DURABILITY, "durability", CHOICE, false, 0, 0, "balanced strict", "balanced", "strict: synced before each acknowledgement") \
    X(GW_SYNC, "sync", DURATION, false, 1, 60000, NULL, "250 ms", "balanced: what a power cut may take at most") \
    X(GW_LOCALE, "locale", CHOICE, false, 0, 0, "en en-US en-GB zh zh-CN", "that of the environment", "language of messages") \
    X(GW_RULES, "rules", TEXTS, false, 0, 0, NULL, "none", "rule files and folders (their `*.rules`, by name)") \
    X(GW_VOCABULARY, "vocabulary", TEXTS, false, 0, 0, NULL, "none", "files of names that are added to the vocabulary") \
    X(GW_FUTURE, "future", DURATION, false, 0, 86400000, NULL, "2 min", "how far ahead of the box a device's time may be") \
    X(GW_LATENESS, "lateness", DURATION, false, 60000, 31622400000.0, NULL, "30 days", "how old a reading may be and still be judged; what comes late makes the stretch that it touches judged again") \
    X(GW_MAX_PAYLOAD, "max-payload", COUNT, false, 64, 1048576, NULL, "65536", "longest message in bytes") \
    X(GW_LEDGER, "ledger", MAP, false, 0, 0, NULL, "all as below", "the signed ledger of what happened") \
    X(GW_COMMIT, "commit", DURATION, false, 50, 4000, NULL, "2 s", "how long readings are gathered before they are stored, unless an alert changes; longer writes less") \
    X(GW_SEGMENT, "segment", BYTES, false, 262144, 1073741824, NULL, "16 MiB", "size of the journal's segments; at least twice `max-payload`") \
    X(GW_RETENTION, "retention", MAP, false, 0, 0, NULL, "as said there", "how long what is kept") \
    X(GW_FLASH, "flash", MAP, false, 0, 0, NULL, "not stated", "the card, for the estimate of its wear")

#define SY_KEYS_LEDGER(X) \
    X(LG_KEY, "key", PATH, false, 0, 0, NULL, "`ledger/key.pem` in the data folder", "the key that signs heads (PEM, ECDSA P-256); made at the first start") \
    X(LG_CERT, "cert", PATH, false, 0, 0, NULL, "`ledger/cert.pem` in the data folder", "the authority's certificate of that key, and its chain (PEM); may come later") \
    X(LG_INTERVAL, "interval", DURATION, false, 1000, 86400000, NULL, "10 min", "between two signed heads while there are no alerts") \
    X(LG_BOX, "box", PATH, false, 0, 0, NULL, "device tree, DMI or `/etc/machine-id`", "file whose content names this box, to tell a copied card by")

#define SY_KEYS_RETENTION(X) \
    X(RE_RAW, "raw", MAP, false, 0, 0, NULL, "5 years, a quarter of the file system", "sealed segments of the journal: the messages as they came") \
    X(RE_READINGS, "readings", MAP, false, 0, 0, NULL, "6 years, a quarter of the file system", "readings; never less than `lateness` and 2 days") \
    X(RE_ALERTS, "alerts", MAP, false, 0, 0, NULL, "10 years, a tenth of the file system", "alerts that were cleared, their events and what they rest on; never less than `lateness` and 2 days")

#define SY_KEYS_KEEP(X) \
    X(KP_TIME, "time", PERIOD, false, 0, 0, NULL, "see above", "what is older expires") \
    X(KP_BYTES, "bytes", BYTES, false, 0, 0, NULL, "see above", "above this the oldest expires")

#define SY_KEYS_FLASH(X) \
    X(FL_BYTES, "bytes", BYTES, false, 0, 0, NULL, "the size of the file system", "size of the card") \
    X(FL_CYCLES, "cycles", COUNT, false, 1, 1000000, NULL, "3000", "how often each cell may be written, by its specification")

#define SY_KEYS_MQTT(X) \
    X(MQ_BROKER, "broker", TEXT, false, 0, 0, NULL, "managed", "`managed`: a mosquitto child; or `mqtt://host:1883`, `mqtts://host:8883`") \
    X(MQ_LISTEN, "listen", LISTENS, false, 0, 0, NULL, "127.0.0.1:1883", "managed only: where it listens; port 0 is a free one") \
    X(MQ_TLS, "tls", MAP, false, 0, 0, NULL, "none", "managed: TLS of the listeners; else towards the broker") \
    X(MQ_VERSION, "version", CHOICE, false, 0, 0, "5 3.1.1", "5", "protocol version towards the broker") \
    X(MQ_USER, "user", TEXT, false, 0, 0, NULL, "none", "name at an external broker") \
    X(MQ_PASSWORD, "password", TEXT, false, 0, 0, NULL, "none", "password at an external broker") \
    X(MQ_CERTIFICATES, "certificates", MAP, false, 0, 0, NULL, "none", "managed: where devices with `credential: certificate` come in; needs `tls`")

#define SY_KEYS_CERTIFICATES(X) \
    X(CT_LISTEN, "listen", LISTENS, true, 0, 0, NULL, NULL, "where it listens; port 0 is a free one") \
    X(CT_CA, "ca", PATH, false, 0, 0, NULL, "`ca` of `mqtt.tls`", "who signs the devices' certificates (PEM)") \
    X(CT_CRL, "crl", PATH, false, 0, 0, NULL, "`crl` of `mqtt.tls`", "what they have revoked (PEM); a change counts at the next login")

#define SY_KEYS_COAP(X) \
    X(CO_LISTEN, "listen", LISTENS, false, 0, 0, NULL, "127.0.0.1:5683, none beside `dtls`", "where it listens; port 0 is a free one") \
    X(CO_DTLS, "dtls", MAP, false, 0, 0, NULL, "none", "CoAP over DTLS")

#define SY_KEYS_DTLS(X) \
    X(DT_LISTEN, "listen", LISTENS, false, 0, 0, NULL, "none, where the keys are for observed devices alone", "where it listens") \
    X(DT_PSK, "psk", PATH, false, 0, 0, NULL, "none", "file of pre-shared keys, lines `identity:hex key`") \
    X(DT_CA, "ca", PATH, false, 0, 0, NULL, "none", "whom devices' certificates must come from (PEM); revocation lists may be in it") \
    X(DT_CERT, "cert", PATH, false, 0, 0, NULL, "none", "own certificate and chain (PEM)") \
    X(DT_KEY, "key", PATH, false, 0, 0, NULL, "none", "its private key (PEM)")

#define SY_KEYS_HJ212(X) \
    X(HJ_LISTEN, "listen", LISTENS, true, 0, 0, NULL, NULL, "where it listens; port 0 is a free one")

#define SY_KEYS_CONSOLE(X) \
    X(CN_LISTEN, "listen", LISTEN, true, 0, 0, NULL, NULL, "where it listens; an address that others reach needs `tls`; port 0 is a free one") \
    X(CN_TLS, "tls", MAP, false, 0, 0, NULL, "none", "`cert` and `key`: it speaks TLS; `ca`: whose certificates of people count (CN the name, OU the role)") \
    X(CN_METRICS, "metrics-token", PATH, false, 0, 0, NULL, "`/metrics` answers this machine alone", "file with the bearer token by which `/metrics` answers others")

#define SY_KEYS_TLS(X) \
    X(TL_CA, "ca", PATH, false, 0, 0, NULL, "none", "certificates that are trusted (PEM)") \
    X(TL_CERT, "cert", PATH, false, 0, 0, NULL, "none", "own certificate and chain (PEM)") \
    X(TL_KEY, "key", PATH, false, 0, 0, NULL, "none", "its private key (PEM)") \
    X(TL_CRL, "crl", PATH, false, 0, 0, NULL, "none", "lists of certificates that were revoked (PEM); one that is out of date counts on")

#define SY_KEYS_AUTHORITY(X) \
    X(AU_CA, "ca", PATH, true, 0, 0, NULL, NULL, "who certifies the keys that may sign orders (PEM)") \
    X(AU_CRL, "crl", PATH, false, 0, 0, NULL, "none", "lists of those that were revoked (PEM)")

#define SY_KEYS_DESTINATION(X) \
    X(DS_NAME, "name", ID, true, 0, 0, NULL, NULL, "unique") \
    X(DS_KIND, "kind", CHOICE, true, 0, 0, "https alertmanager mqtt webhook mail", NULL, "kind of receiver") \
    X(DS_URL, "url", TEXT, true, 0, 0, NULL, NULL, "`https://host:port/path`; kind mqtt: `mqtts://host:port`; webhook: also `http://` to an address of a private network; mail: `smtp://host:587` (STARTTLS) or `smtps://host:465`") \
    X(DS_ALSO, "also", TEXTS, false, 0, 0, NULL, "none", "further addresses of the same receiver, tried in turn where the one before does not answer; at most 7") \
    X(DS_TLS, "tls", MAP, false, 0, 0, NULL, "webhook, mail: the system's CAs", "the receiver's CA; own certificate and key, those that were enrolled unless given (docs/enrolment.md); required but for webhook and mail") \
    X(DS_SERVES, "serves", TEXTS, true, 0, 0, NULL, NULL, "recipients, words of the vocabulary") \
    X(DS_SEVERITY, "severity", CHOICE, false, 0, 0, "notice warning serious major", "notice", "this level and above") \
    X(DS_UNANSWERED, "unanswered", CHOICE, false, 0, 0, "false true", "false", "also alerts that nobody acknowledged in the time that their rule states, where the rule has nobody further to tell") \
    X(DS_SETTLE, "settle", DURATION, false, 0, 86400000, NULL, "6 min", "alertmanager: how long an alert fires there at least; more than its `group_wait` and `group_interval`, or it tells nobody of a short alert") \
    X(DS_FROM, "from", TEXT, false, 0, 0, NULL, "none", "mail (required): address of the sender") \
    X(DS_TO, "to", TEXTS, false, 0, 0, NULL, "none", "mail (required): addresses, at most 32") \
    X(DS_PASSWORD_FILE, "password-file", PATH, false, 0, 0, NULL, "none", "mail: file with the password of `user`") \
    X(DS_SECRET, "secret", PATH, false, 0, 0, NULL, "no signature", "webhook: file with the secret of the signature (docs/on-site.md)") \
    X(DS_EGRESS, "egress", MAP, false, 0, 0, NULL, "docs/egress.md", "what may leave the box for it") \
    X(DS_HEARTBEAT, "heartbeat", DURATION, false, 0, 86400000, NULL, "5 min; alertmanager, webhook, mail: none", "how often it is told that the box is alive; `0 s`: never") \
    X(DS_PASSING, "passing", DURATION, false, 60000, 31622400000.0, NULL, "7 days", "how long a notice of a passing state (the broker fails, it holds again) waits in the outbox; everything else waits until it is taken") \
    X(DS_VERSION, "version", CHOICE, false, 0, 0, "5 3.1.1", "5", "mqtt: protocol version") \
    X(DS_TOPIC, "topic", TEXT, false, 0, 0, NULL, "steelyard/{gateway}/{premises}/{severity}", "mqtt: topic of an event; in braces: gateway, premises, place, device, rule, severity, type") \
    X(DS_USER, "user", TEXT, false, 0, 0, NULL, "none", "mqtt, mail: name at the receiver") \
    X(DS_PASSWORD, "password", TEXT, false, 0, 0, NULL, "none", "mqtt: its password") \
    X(DS_ORDERS, "orders", TEXT, false, 0, 0, NULL, "none", "https: `https://host:port/path` where orders of the authority are asked for (orders.md)") \
    X(DS_AUTHORITY, "authority", MAP, false, 0, 0, NULL, NULL, "`{ca: FILE, crl: FILE}`: who may sign orders; needed with `orders`") \
    X(DS_POLL, "poll", DURATION, false, 100, 86400000, NULL, "60 s", "how often it is asked for orders")

#define SY_KEYS_EGRESS(X) \
    X(EG_CLASSES, "classes", TEXTS, false, 0, 0, NULL, "all; alertmanager, webhook, mail: `[alert, group, service]`", "classes of events that may leave: alert, act, group, heartbeat, statement, head, order, service") \
    X(EG_REDACT, "redact", TEXTS, false, 0, 0, NULL, "`[people]`; alertmanager, webhook, mail: `[people, codes, comments]`", "what is taken out: names, codes, readings, people, comments, location; `[]`: nothing")
/* clang-format on */

#define SY_KEY_CELL(cell, ...) cell,
enum { SY_KEYS_ROOT(SY_KEY_CELL) RT_N };
enum { SY_KEYS_GATEWAY(SY_KEY_CELL) GW_N };
enum { SY_KEYS_LEDGER(SY_KEY_CELL) LG_N };
enum { SY_KEYS_RETENTION(SY_KEY_CELL) RE_N };
enum { SY_KEYS_KEEP(SY_KEY_CELL) KP_N };
enum { SY_KEYS_FLASH(SY_KEY_CELL) FL_N };
enum { SY_KEYS_MQTT(SY_KEY_CELL) MQ_N };
enum { SY_KEYS_CERTIFICATES(SY_KEY_CELL) CT_N };
enum { SY_KEYS_COAP(SY_KEY_CELL) CO_N };
enum { SY_KEYS_DTLS(SY_KEY_CELL) DT_N };
enum { SY_KEYS_HJ212(SY_KEY_CELL) HJ_N };
enum { SY_KEYS_CONSOLE(SY_KEY_CELL) CN_N };
enum { SY_KEYS_TLS(SY_KEY_CELL) TL_N };
enum { SY_KEYS_PREMISES(SY_KEY_CELL) PR_N };
enum { SY_KEYS_PLACE(SY_KEY_CELL) PL_N };
enum { SY_KEYS_POINT(SY_KEY_CELL) PT_N };
enum { SY_KEYS_DEVICE(SY_KEY_CELL) DV_N };
enum { SY_KEYS_ON_SITE(SY_KEY_CELL) OS_N };
enum { SY_KEYS_AUTHORITY(SY_KEY_CELL) AU_N };
enum { SY_KEYS_DESTINATION(SY_KEY_CELL) DS_N };
enum { SY_KEYS_EGRESS(SY_KEY_CELL) EG_N };
#undef SY_KEY_CELL
enum { SY_KEYS_MOST = 24 }; /* no section has more */

#endif
