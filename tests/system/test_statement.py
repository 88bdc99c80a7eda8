# SPDX-License-Identifier: Apache-2.0
"""The statement of each day against minutes that are computed here from the same readings; what
comes late makes a corrected one; another run of the same log says the same; and a receiver gets
nothing that the egress policy takes out."""

import hashlib
import json
import math
import sqlite3

import devices
import steel

T0 = 1772294400000  # 2026-03-01 00:00 in Shanghai
MINUTE, DAY = 60000, 86400000
EVERY, MISSING = 10 * MINUTE, 25 * MINUTE
CODE, NAME = "91350100M000100Y43", "Mr Wang's Cold Store"
KINDS = ("in_order_ms", "breach_ms", "unknown_ms", "exempt_ms", "outside_ms")


def value(t):
    return round(6 + 3 * math.sin((t - T0) / 3600000.0 * 1.7), 1)


def readings():
    """Three days, without 180 minutes of the second."""
    gap = range(T0 + DAY + 300 * MINUTE, T0 + DAY + 480 * MINUTE)
    all_of_them = range(T0, T0 + 3 * DAY + 60 * MINUTE, EVERY)
    return [t for t in all_of_them if t not in gap], [t for t in all_of_them if t in gap]


def minutes(times, day):
    """Between two readings that are near enough the rule is known where they agree."""
    out = dict.fromkeys(KINDS, 0)
    start, end = T0 + day * DAY, T0 + (day + 1) * DAY
    for a, b in zip(times, times[1:]):
        lo, hi = max(a, start), min(b, end)
        if lo < hi and b - a <= MISSING and (value(a) > 8) == (value(b) > 8):
            out["breach_ms" if value(a) > 8 else "in_order_ms"] += hi - lo
    out["unknown_ms"] = DAY - sum(out.values())
    return out


class Statement(steel.Case):
    def setUp(self):
        super().setUp()
        keys, self.inbox_port = self.keys(), steel.free_port()
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % self.inbox_port, "--data", self.dir / "inbox",
             "--client-ca", keys / "ca.pem", "--cert", keys / "authority.pem", "--key",
             keys / "authority.key"], self.dir / "inbox.log")
        self.path = self.config(steel.base_config(
            [self.write("warm.rules", steel.warm_rule("STM-01", missing="25 min"))],
            [{"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "name": "Wang's cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC",
                 "every": "10 min"}]}],
            premises=[{"id": "prem", "name": NAME, "code": CODE, "subject": "drug-wholesaler",
                       "stage": "storage", "places": [
                           {"id": "cab", "kind": "cabinet", "name": "Wang's cabinet", "points": [
                               {"quantity": "temperature", "device": "c1", "name": "t",
                                "unit": "degC", "every": "10 min"}]}]}],
            destinations=[{"name": "county", "kind": "https",
                           "url": "https://127.0.0.1:%d/events" % self.inbox_port,
                           "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                                   "key": str(keys / "gateway.key")},
                           "serves": ["premises", "inspector"],
                           "egress": {"redact": ["names", "codes", "readings"]}},
                          {"name": "city", "kind": "https", "heartbeat": "100 ms",
                           "url": "https://127.0.0.1:%d/events" % steel.free_port(),
                           "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                                   "key": str(keys / "gateway.key")},
                           "serves": ["premises", "inspector"],
                           "egress": {"classes": ["heartbeat", "statement"]}}]))

    def run_log(self, name, per_message, inbox=False):
        """The same records, in messages of so many readings, with a mark behind each."""
        gateway = steel.Gateway(self.path, self.dir / name, "--clock", "replay",
                                log=self.dir / (name + ".log"))
        self.start(gateway)
        if inbox:
            self.start(self.inbox)
        coap = devices.CoapDevice(("127.0.0.1", gateway.status()["coap"]["ports"][0]))
        self.addCleanup(coap.close)
        in_time, late = readings()

        def send(times):
            body = ",".join('{"n":"t","u":"Cel","v":%s,"t":%d}' % (value(t), t // 1000)
                            for t in times)
            code, text = coap.request("r/c1", ("[%s]" % body).encode(), content_format=110)
            self.assertEqual(code, "2.04", text)

        for i in range(0, len(in_time), per_message):
            send(in_time[i:i + per_message])
            gateway.control("mark %d" % in_time[min(i + per_message, len(in_time)) - 1])
        for i in range(0, len(late), 6):
            send(late[i:i + 6])
        for m in (62, 90, 120, 150):
            gateway.control("mark %d" % (T0 + 3 * DAY + m * MINUTE))
            gateway.drained()
        return gateway

    def statements(self, name):
        with sqlite3.connect("file:%s?mode=ro" % (self.dir / name / "store.db"), uri=True) as db:
            return [row[0] for row in db.execute(
                "SELECT body FROM event WHERE kind='statement' ORDER BY number")]

    def check(self, statement, day, n, times):
        data = statement["data"]
        self.assertEqual(statement["id"], "statement/prem/2026-03-0%d/%d" % (day + 1, n))
        self.assertEqual(data["replaces"], None if n == 1 else
                         "statement/prem/2026-03-0%d/%d" % (day + 1, n - 1))
        want = minutes(times, day)
        rows = data["rules"]
        self.assertEqual([(r["rule"], r["place"], r["series"]) for r in rows],
                         [("STM-01", "cab", "c1/t")])
        self.assertEqual({k: rows[0][k] for k in KINDS}, want)
        self.assertEqual(data["total"], want)
        self.assertEqual(data["verdict"], "in-breach")
        got = sum(T0 + day * DAY <= t < T0 + (day + 1) * DAY for t in times)
        self.assertEqual(data["sensors"], [{"place": "cab", "series": "c1/t", "expected": 144,
                                            "received": got, "good": got}])
        self.assertEqual((data["sensors_expected"], data["sensors_heard"]), (1, 1))

    def city_is_away(self, gateway):
        """Of many heartbeats the newest waits; of what may not leave, nothing does."""
        def city():
            return gateway.status()["upstream"][1]

        steel.until(lambda: "heartbeat" in city()["by_class"], "a heartbeat")
        first = city()["by_class"]["heartbeat"]["since"]
        steel.until(lambda: city()["by_class"]["heartbeat"]["since"] > first, "the next one")
        self.assertEqual({k: v["n"] for k, v in city()["by_class"].items()},
                         {"heartbeat": 1, "statement": 4})
        with sqlite3.connect("file:%s?mode=ro" % (self.dir / "one" / "store.db"), uri=True) as db:
            alerts = db.execute("SELECT count(*) FROM event WHERE alert IS NOT NULL").fetchone()[0]
            beats = db.execute("SELECT body FROM event WHERE kind='heartbeat'").fetchall()
        self.assertGreater(alerts, 10)
        self.assertEqual(city()["withheld"], alerts)
        self.assertEqual(len(beats), 1)
        data = json.loads(beats[0][0])["data"]
        self.assertEqual([p["sensors_expected"] for p in data["premises"]], [1])
        self.assertEqual(data["queue"]["by_class"]["statement"]["n"], 4)
        self.assertEqual(data["clock"]["kind"], "replay")
        self.assertGreater(data["ledger"]["size"], alerts)

    def shown(self):
        """What `egress --show` says is what is sent."""
        county, city = json.loads(steel.cli(
            "egress", "--show", "--config", self.path, "--data", self.dir / "one", "--json"))
        self.assertEqual(sorted(city["examples"]), ["heartbeat", "statement"])
        self.assertEqual(city["withheld"], ["alert", "act", "group", "head", "order", "service"])
        event = county["examples"]["statement"]["event"]
        self.assertEqual(event["steelyardredacted"], "names,codes")
        self.assertIsNone(event["data"]["premises"]["code"])
        self.assertNotIn("Wang", json.dumps(county["examples"]))
        self.assertEqual(json.loads(steel.cli("events", "refused", "--data", self.dir / "one",
                                              "--json")), [])

    def tried_again(self, gateway):
        """An event that was refused for good goes back into the outbox when somebody says so."""
        gateway.stop()
        store, event = self.dir / "one" / "store.db", "statement/prem/2026-03-01/1"
        with sqlite3.connect(store) as db:
            number, = db.execute("SELECT number FROM event WHERE id=?", (event,)).fetchone()
            db.execute("DELETE FROM outbox WHERE destination='city' AND number=?", (number,))
            db.execute("INSERT INTO refused VALUES('city',?,'no such premises')", (number,))
        gateway.start()

        def refused(*more, expect=0):
            return steel.cli("events", "refused", "--data", self.dir / "one", *more, expect=expect)

        listed, = json.loads(refused("--json"))
        self.assertEqual((listed["destination"], listed["id"], listed["why"]),
                         ("city", event, "no such premises"))
        refused("--retry", "statement/prem/2026-03-02/1", expect=1)
        refused("--retry", event, "--who", "Li", "--why", "they know it now")
        self.assertEqual(json.loads(refused("--json")), [])
        city = gateway.status()["upstream"][1]
        self.assertEqual((city["refused"], city["by_class"]["statement"]["n"]), (0, 4))
        with sqlite3.connect("file:%s?mode=ro" % store, uri=True) as db:
            leaf = db.execute("SELECT bytes FROM leaf WHERE CAST(bytes AS TEXT) LIKE '%\"retry\"%'")
            self.assertIn(b"they know it now", leaf.fetchone()[0])

    def test_days(self):
        gateway = self.run_log("one", 7, inbox=True)
        one = self.statements("one")
        in_time, late = readings()
        whole = sorted(in_time + late)
        parsed = [json.loads(text) for text in one]
        self.assertEqual(len(parsed), 4)
        for day in range(3):
            self.check(parsed[day], day, 1, in_time)
        self.check(parsed[3], 1, 2, whole)
        self.assertEqual([s["time"] for s in parsed[:2]],
                         ["2026-03-01T16:25:00.001Z", "2026-03-02T16:25:00.001Z"])
        # Each names the one before it by what its bytes are.
        self.assertIsNone(parsed[0]["data"]["previous"])
        for a, b, text in zip(parsed, parsed[1:], one):
            self.assertEqual(b["data"]["previous"], {
                "id": a["id"], "sha256": hashlib.sha256(text).hexdigest()})

        # Killed, read again from the snapshot or the log, and played anew in other batches.
        gateway.kill()
        gateway.start()
        self.assertEqual(self.statements("one"), one)
        self.run_log("two", 24).stop()
        self.assertEqual(self.statements("two"), one)

        steel.until(lambda: gateway.status()["upstream"][0]["waiting"] == 0, "all to be sent")
        self.city_is_away(gateway)
        self.shown()
        self.tried_again(gateway)
        gateway.stop()
        self.inbox.stop()
        got = b"".join(p.read_bytes() for p in (self.dir / "inbox").rglob("*") if p.is_file())
        self.assertIn(b"statement/prem/2026-03-02/2", got)
        self.assertIn(b"steelyardoriginal", got)
        for secret in (CODE, NAME, "Wang", '"max":8', '"max":9'):
            self.assertNotIn(secret.encode(), got)


if __name__ == "__main__":
    steel.main()
