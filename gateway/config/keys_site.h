/*
 * The keys of premises, places, points and devices: rows as in keys.h, which includes this.
 */
#ifndef SY_CONFIG_KEYS_SITE_H
#define SY_CONFIG_KEYS_SITE_H

/* clang-format off */
#define SY_KEYS_PREMISES(X) \
    X(PR_ID, "id", ID, true, 0, 0, NULL, NULL, "unique among premises") \
    X(PR_NAME, "name", NAME, false, 0, 0, NULL, "the id", "as people know it") \
    X(PR_CODE, "code", TEXT, false, 0, 0, NULL, "none", "unified social credit code (GB 32100-2015); a wrong check character warns") \
    X(PR_SUBJECT, "subject", TEXT, false, 0, 0, NULL, "none", "kind of licence, a word of the vocabulary") \
    X(PR_STAGE, "stage", TEXT, false, 0, 0, NULL, "none", "stage of the chain, a word of the vocabulary") \
    X(PR_TIERS, "tiers", MAP, false, 0, 0, NULL, "none", "risk tier by scheme") \
    X(PR_ZONE, "time-zone", TEXT, false, 0, 0, NULL, "Asia/Shanghai", "IANA name") \
    X(PR_CALENDARS, "calendars", MAP, false, 0, 0, NULL, "none", "hours by calendar: `Mon-Fri 08:00-12:00 14:00-18:00; Sat 22:00-02:00`") \
    X(PR_SWAPPED, "swapped-days", MAP, false, 0, 0, NULL, "none", "days that an order moves, each with the weekday that it is taken for, or `off`: `{2026-10-01: off, 2026-10-10: Thu}`") \
    X(PR_DUE, "due", MAP, false, 0, 0, NULL, "none", "last good days by name, words of the vocabulary: `{licence: 2027-03-31}`") \
    X(PR_STATEMENT, "statement", TEXT, false, 0, 0, NULL, "00:10", "when the statement of the day before is made, local time (docs/statement.md); `off`: never") \
    X(PR_PLACES, "places", LIST, false, 0, 0, NULL, "none", "its rooms, cabinets, outfalls …")

#define SY_KEYS_PLACE(X) \
    X(PL_ID, "id", ID, true, 0, 0, NULL, NULL, "unique within the premises") \
    X(PL_KIND, "kind", TEXT, true, 0, 0, NULL, NULL, "a place of the vocabulary: room, cabinet …") \
    X(PL_NAME, "name", NAME, false, 0, 0, NULL, "none", "as people know it") \
    X(PL_STAGE, "stage", TEXT, false, 0, 0, NULL, "that of the premises", "stage of the chain") \
    X(PL_GOODS, "goods", TEXTS, false, 0, 0, NULL, "none", "the goods in it, words of the vocabulary") \
    X(PL_DUE, "due", MAP, false, 0, 0, NULL, "none", "last good days by name, words of the vocabulary: `{inspection: 2027-03-31}`") \
    X(PL_POINTS, "points", LIST, false, 0, 0, NULL, "none", "what is measured there")

#define SY_KEYS_POINT(X) \
    X(PT_QUANTITY, "quantity", TEXT, true, 0, 0, NULL, NULL, "a quantity or state of the vocabulary") \
    X(PT_DEVICE, "device", TEXT, true, 0, 0, NULL, NULL, "id of the device that measures it") \
    X(PT_NAME, "name", NAME, true, 0, 0, NULL, NULL, "its name in the device's messages") \
    X(PT_ID, "id", NAME, false, 0, 0, NULL, "`<device>/<name>`", "name of the series") \
    X(PT_UNIT, "unit", TEXT, false, 0, 0, NULL, "the quantity's, with a warning", "unit of the stored values") \
    X(PT_EVERY, "every", DURATION, false, 1, 31622400000.0, NULL, "not known (it reports changes)", "expected interval") \
    X(PT_DELIVERY, "delivery", DURATION, false, 0, 31622400000.0, NULL, "30 s", "how long after its time a reading may come in the normal course") \
    X(PT_RANGE, "range", RANGE, false, 0, 0, NULL, "none", "physical range `[lowest, highest]` in the unit") \
    X(PT_RESOLUTION, "resolution", NUMBER, false, 0, 1e12, NULL, "not stated", "smallest step") \
    X(PT_ACCURACY, "accuracy", NUMBER, false, 0, 1e12, NULL, "not stated", "largest error by its specification") \
    X(PT_UNCERTAINTY, "uncertainty", NUMBER, false, 0, 1e12, NULL, "not stated", "expanded uncertainty (k = 2) of its calibration") \
    X(PT_FAULTS, "faults", TEXTS, false, 0, 0, NULL, "those known of the format", "numbers by which the device says that it has a fault, as it sends them, or names of such: `[ds18b20, 882.6]`; `[]` for none") \
    X(PT_STUCK, "stuck", DURATION, false, 0, 31622400000.0, NULL, "24 h for a temperature with a `resolution` of 0.2 °C or finer", "unchanged for so long while another quantity of the device moves: stuck; written here it counts without another quantity too; `0 s`: never") \
    X(PT_RATE, "rate", TEXT, false, 0, 0, NULL, "not stated", "most that it can change within a time, in the unit: `5 / 10 min`; beyond it: a spike, until the next reading agrees") \
    X(PT_CALIBRATED, "calibrated", DATE, false, 0, 0, NULL, "not stated", "date of the last calibration") \
    X(PT_RECALIBRATE, "recalibrate", PERIOD, false, 0, 0, NULL, "not stated", "calibration period: `12 months`") \
    X(PT_DUE, "due", MAP, false, 0, 0, NULL, "`calibration`: the day before `calibrated` + `recalibrate`", "last good days by name, words of the vocabulary: `{calibration: 2027-03-31}`") \
    X(PT_STATES, "states", MAP, false, 0, 0, NULL, "the vocabulary's words", "a state's words as the device writes them: `{open: true, closed: false}`") \
    X(PT_ACCEPT_BLIND, "accept-blind", NAME, false, 0, 0, NULL, "an error", "reason why a rule may be blind here (`missing after` below 1.5 × `every`)")

#define SY_KEYS_DEVICE(X) \
    X(DV_ID, "id", ID, true, 0, 0, NULL, NULL, "unique; ASCII, at most 64 characters") \
    X(DV_TRANSPORT, "transport", CHOICE, true, 0, 0, "mqtt coap hj212 modbus box", NULL, "how it sends; CoAP: `POST /r/<id>`; hj212: HJ 212 over TCP; modbus: it is asked; box: the gateway itself") \
    X(DV_TOPIC, "topic", TEXT, false, 0, 0, NULL, "none", "mqtt (required, but for `node`): its topic, exact or ending in `/#`") \
    X(DV_NODE, "node", TEXT, false, 0, 0, NULL, "none", "mqtt, in place of `topic`: `GROUP/NODE` of a Sparkplug edge node") \
    X(DV_FORMAT, "format", TEXT, false, 0, 0, NULL, "hj212: `hj212`; `node`: `sparkplugb`; modbus, box: none", "mqtt, coap (required): format of its messages: `senml-json`, `senml-cbor`, `json`, `number`, and what docs/formats-devices.md lists") \
    X(DV_MODEL, "model", TEXT, false, 0, 0, NULL, "what most models have", "which model it is, for `milesight`, `dragino`, `elsys`, `cayenne`; `chirpstack`, `tts`: the payload is read by our own coding of that model: `em300-th`, `lht65` …") \
    X(DV_MAP, "map", MAP, false, 0, 0, NULL, "top-level keys", "json, csv: name to path, `{contact: \"$.contact\", time: \"$.ts\"}`") \
    X(DV_CREDENTIAL, "credential", CHOICE, false, 0, 0, "password psk none certificate", "mqtt: password, at an external broker none; coap: psk", "mqtt: password, certificate, or none at an external broker; coap: psk, certificate, or none with `from`") \
    X(DV_FROM, "from", CIDR, false, 0, 0, NULL, "anywhere", "coap; hj212 (required): addresses that it may send from") \
    X(DV_OBSERVE, "observe", TEXT, false, 0, 0, NULL, "it sends by itself", "coap: the device is a server; its resource, `coap://10.0.0.9:5683/temp`, or `coaps://` with its key") \
    X(DV_MN, "mn", TEXT, false, 0, 0, NULL, "none", "hj212 (required): the MN in its messages, by which it is known") \
    X(DV_PASSWORD, "password", TEXT, false, 0, 0, NULL, "any, and readings are marked `unauthenticated`", "hj212: the PW that its messages must have") \
    X(DV_ADDRESS, "address", TEXT, false, 0, 0, NULL, "none", "modbus (required): `host:port`, or a serial line `/dev/ttyUSB0,9600,8N1`") \
    X(DV_UNIT, "unit", COUNT, false, 0, 255, NULL, "1", "modbus: its unit id; on a serial line 1 to 247. Format `modbus`: the unit whose frames count, any where it is missing") \
    X(DV_POLL, "poll", DURATION, false, 50, 86400000, NULL, "10 s; box: 60 s", "modbus: how often it is asked; box: how often it measures itself") \
    X(DV_TIMEOUT, "timeout", DURATION, false, 10, 10000, NULL, "1 s", "modbus: how long its answer may take") \
    X(DV_PANEL, "panel", ID, false, 0, 0, NULL, "it sends readings", "mqtt, coap: a panel, lamp, siren or button of these premises: it may read their alerts and acknowledge them (docs/on-site.md)") \
    X(DV_REGISTERS, "registers", REGISTERS, false, 0, 0, NULL, "none", "modbus, format `modbus` (required): its register map: the name of one that ships, a file, or a list of registers")

#define SY_KEYS_ON_SITE(X) \
    X(OS_SERVES, "serves", TEXTS, false, 0, 0, NULL, "premises", "whose alerts are shown: recipients, words of the vocabulary") \
    X(OS_SEVERITY, "severity", CHOICE, false, 0, 0, "notice warning serious major", "notice", "this level and above") \
    X(OS_TOPIC, "topic", TEXT, false, 0, 0, NULL, "steelyard/alerts", "mqtt: before `/<premises>` and `/<premises>/<place>`, where what is active there is published, retained") \
    X(OS_ACKNOWLEDGE, "acknowledge", TEXT, false, 0, 0, NULL, "steelyard/ack", "mqtt: before `/<premises>/<panel>`, where a panel publishes that it acknowledges")
/* clang-format on */

#endif
