# SPDX-License-Identifier: Apache-2.0
"""Quality at the door with the real binary: a DS18B20 that says 85, a probe that stands still while
its sibling moves, a counter that rolls over, maintenance that a person announces, across a kill."""

import contextlib
import json
import sqlite3

import devices
import steel

START = 1767571200  # 2026-01-05T00:00:00Z


def device(name, fmt):
    return {"id": name, "transport": "coap", "format": fmt, "credential": "none",
            "from": "127.0.0.0/8"}


def grade(row):
    """Without what all readings here carry."""
    return row["quality"].replace("+unauthenticated", "")


class Quality(steel.Case):
    def setUp(self):
        super().setUp()
        celsius = {"quantity": "temperature", "unit": "degC", "every": "10 min"}
        points = [
            {**celsius, "device": "plug", "name": "DS18B20.Temperature", "resolution": 0.1},
            {**celsius, "device": "duo", "name": "t", "resolution": 0.1, "stuck": "2 h",
             "calibrated": "2025-01-05", "recalibrate": "12 months"},
            {"quantity": "humidity", "device": "duo", "name": "h", "unit": "%RH"},
            {"quantity": "pm25", "device": "air", "name": "pm25", "unit": "µg/m3",
             "rate": "100 / 10 min"},
            {**celsius, "device": "aqara", "name": "temperature"},
        ]
        tree = steel.base_config(
            [], [device("plug", "tasmota"), device("duo", "senml-json"),
                 device("air", "zigbee2mqtt"), device("aqara", "zigbee2mqtt")],
            [{"id": "store", "kind": "room", "points": points}])
        del tree["mqtt"]
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data",
                                                "--clock", "replay"))
        self.coap = devices.CoapDevice(("127.0.0.1", self.gateway.status()["coap"]["ports"][0]))
        self.now = START
        self.mark(START)

    def mark(self, t):
        self.now = t
        self.gateway.control("mark %d" % (t * 1000))

    def send(self, name, message):
        answer = self.coap.request("r/" + name, json.dumps(message).encode())
        self.assertTrue(answer and answer[0].startswith("2."), answer)

    def rows(self, series):
        self.gateway.drained()
        return [r for r in self.gateway.export() if "%s/%s" % (r["device"], r["point"]) == series]

    def maintenance(self, *args, expect=0):
        return steel.cli("maintenance", *args, "--data", self.gateway.data, expect=expect)

    def test_what_is_doubtful_is_marked(self):
        for step in range(18):
            self.send("plug", {"Time": "2026-01-05T08:00:00", "DS18B20": {
                "Id": "01", "Temperature": 85.0 if step in (0, 7) else 4.0 + step / 10},
                "TempUnit": "C"})
            self.send("duo", [{"n": "t", "v": 3.5}, {"n": "h", "v": 40 + step % 2}])
            self.send("air", {"pm25": 43521 if step == 4 else 6 + step})
            self.mark(self.now + 600)
        plug = [grade(r) for r in self.rows("plug/DS18B20.Temperature")]
        self.assertEqual([i for i, q in enumerate(plug) if q == "bad+device-fault"], [0, 7])
        self.assertEqual(plug.count("good"), 16)
        # What such a sensor really sent (Koenkk/zigbee2mqtt #798), and a good one.
        for celsius in (-100, 4.2):
            self.send("aqara", {"temperature": celsius, "linkquality": 60, "humidity": 90.62,
                                "pressure": 1017.63, "battery": 13, "voltage": 2875})
            self.mark(self.now + 600)
        self.assertEqual([grade(r) for r in self.rows("aqara/temperature")],
                         ["bad+device-fault", "good"])
        air = [grade(r) for r in self.rows("air/pm25")]
        self.assertEqual(air, ["good"] * 4 + ["uncertain+spike"] + ["good"] * 13)
        duo = [grade(r).replace("+uncalibrated", "") for r in self.rows("duo/t")]
        self.assertEqual(duo, ["good"] * 12 + ["uncertain+stuck"] * 6)
        asked = ("query", "--data", self.gateway.data, "--completeness", "--json")
        days = {d["series"]: d for d in json.loads(steel.cli(*asked))}
        self.assertEqual(days["duo/t"], {
            "day": "2026-01-05", "series": "duo/t", "received": 18, "valid": 12, "expected": 20,
            "share": 0.6})
        self.assertEqual((days["air/pm25"]["received"], days["air/pm25"]["expected"]), (18, None))
        # A day and a half later: the day without a reading is there, and what is missing of each.
        self.mark(START + 36 * 3600)
        self.send("duo", [{"n": "h", "v": 1}])
        self.gateway.drained()
        days = [(d["day"], d["received"], d["expected"]) for d in json.loads(steel.cli(
            *asked, "--series", "duo/t", "--to", "2026-01-07T12:00:00Z"))]
        self.assertEqual(days, [("2026-01-05", 18, 144), ("2026-01-06", 0, 144),
                                ("2026-01-07", 0, 73)])
        days = [(d["day"], d["received"], d["expected"]) for d in json.loads(steel.cli(
            *asked, "--series", "duo/t", "--from", "2026-01-05T02:00:00Z",
            "--to", "2026-01-05T03:59:59Z"))]
        self.assertEqual(days, [("2026-01-05", 6, 12)])
        # 2026-01-05 is the first day behind the last good one.
        self.assertTrue(all("uncalibrated" in r["quality"] for r in self.rows("duo/t")))
        status = self.gateway.status()
        self.assertEqual((status["faults"], status["spikes"], status["stuck"],
                          status["uncalibrated"]), (3, 1, 6, 18))

    def test_converted_once_and_the_original_is_kept(self):
        said = json.dumps([{"n": "t", "u": "degF", "v": 41.9}]).encode()
        for _ in range(2):  # the second is a duplicate: the log's clock stands still
            self.coap.request("r/duo", said)
        self.coap.request("r/duo", json.dumps([{"n": "t", "v": 5.75, "t": START - 60}]).encode())
        self.coap.request("r/duo", json.dumps([{"n": "t", "v": 5.5, "t": START - 60}]).encode())
        rows = self.rows("duo/t")
        self.assertEqual([r["value"] for r in rows], ["5.5", "5.75", "5.5"])
        self.assertIn("+unit-converted", rows[2]["quality"])
        self.assertNotIn("unit-converted", rows[0]["quality"])
        self.assertTrue(all(r["quality"].startswith("uncertain+conflict") for r in rows[:2]), rows)
        status = self.gateway.status()
        self.assertEqual((status["stored"], status["duplicates"], status["conflicts"]), (3, 1, 1))
        self.assertEqual(self.gateway.stop(), 0)
        kept = b"".join(p.read_bytes() for p in (self.dir / "data/journal").glob("*.log"))
        self.assertEqual(kept.count(said), 2)

    def test_maintenance(self):
        self.maintenance("start", "nowhere", "--for", "1 h", "--reason", "x", expect=1)
        self.maintenance("start", "store", "--reason", "x", expect=2)
        self.maintenance("start", "store", "--for", "40 d", "--reason", "x", expect=1)
        self.maintenance("end", "duo", "--reason", "x", expect=1)
        self.send("duo", [{"n": "h", "v": 40}])
        self.mark(START + 600)
        self.maintenance("start", "prem/store", "--for", "1 h", "--reason", "a new fan, order 7",
                         "--by", "Li Wei")
        self.maintenance("start", "device:air", "--for", "5 h", "--reason", "cleaning")
        self.maintenance("end", "air", "--reason", "clean")
        self.gateway.kill()
        self.gateway.start()
        listed = json.loads(self.maintenance("list", "--json"))
        self.assertEqual(listed, [{
            "kind": "place", "on": "prem/store", "from": "2026-01-05T00:10:00.000Z",
            "until": "2026-01-05T01:10:00.000Z", "who": "Li Wei", "why": "a new fan, order 7"}])
        self.assertEqual(self.gateway.status()["maintenance"], listed)
        self.coap = devices.CoapDevice(("127.0.0.1", self.gateway.status()["coap"]["ports"][0]))
        for value in range(41, 50):  # at 00:10, 00:20 … 01:30
            self.send("duo", [{"n": "h", "v": value}])
            self.mark(self.now + 600)
        marked = [float(r["value"]) for r in self.rows("duo/h") if "maintenance" in r["quality"]]
        self.assertEqual(marked, [41, 42, 43, 44, 45, 46])
        self.assertEqual(self.gateway.drained()["maintained"], 6)
        self.assertEqual(json.loads(self.maintenance("list", "--json")), [])
        self.assertEqual(self.gateway.stop(), 0)
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % (self.dir / "data/store.db"),
                                                uri=True)) as db:
            leaves = [json.loads(row[0]) for row in db.execute("SELECT bytes FROM leaf ORDER BY n")]
        actions = [(a["who"], a["what"], a["on"], a["why"]) for a in leaves if a["leaf"] == "action"]
        self.assertEqual(actions[0], (
            "Li Wei", "maintenance-start until 2026-01-05T01:10:00.000Z", "place prem/store",
            "a new fan, order 7"))
        self.assertEqual([a[1].split()[0] for a in actions[1:]],
                         ["maintenance-start", "maintenance-end"])
        with contextlib.closing(sqlite3.connect(self.dir / "data/store.db")) as db:
            heads = db.execute("SELECT max(size) FROM head").fetchone()[0]
        self.assertGreaterEqual(heads, len(leaves) - 1)  # signed at once


class Box(steel.Case):
    """The box measures itself; its series are judged like all others."""

    RULE = """rule DISK-ANY version 1 "Disk has a size"
  basis "made for a test" policy
  applies to subject any; goods any; stage any
  effective from 2020-01-01
  watch each gateway: disk-free
  alert notice when disk-free at most 100 % [policy]
  then tell premises; respond within 1 h
  say "Nothing."
end
"""
    POINTS = ["disk-free", "disk-wear", "system-load", "memory-free", "uplink-delay", "clock"]

    def place(self):
        units = {"disk-free": "%", "disk-wear": "%", "memory-free": "%", "uplink-delay": "h"}
        points = [{"quantity": name, "device": "box", "name": name,
                   **({"unit": units[name]} if name in units else {})} for name in self.POINTS]
        points.append({"quantity": "uplink-delay", "device": "box", "name": "uplink-delay/nobody",
                       "unit": "h"})
        return {"id": "self", "kind": "gateway", "points": points}

    def test_series_of_the_box(self):
        keys = self.keys()
        closed = steel.free_port()
        tree = steel.base_config(
            [self.write("any.rules", self.RULE), steel.SOURCE / "rules/packs/box.en.rules"],
            [{"id": "box", "transport": "box", "poll": "100 ms"}], [self.place()],
            destinations=[{"name": "nobody", "kind": "https",
                           "url": "https://127.0.0.1:%d/events" % closed,
                           "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                                   "key": str(keys / "gateway.key")},
                           "serves": ["premises"], "severity": "notice"}])
        del tree["mqtt"], tree["coap"]
        config = self.config(tree)
        gateway = self.start(steel.Gateway(config, self.dir / "data"))
        steel.until(lambda: json.loads(gateway.alerts()), "the alert about the disk")
        self.assertEqual([a["rule"] for a in json.loads(gateway.alerts())], ["DISK-ANY"])

        def latest():
            gateway.drained()
            return {r["point"]: r["value"] for r in gateway.export()}
        # The alert waits for a receiver that is not there: the delay grows.
        steel.until(lambda: float(latest().get("uplink-delay", 0)) > 0, "the delay to grow")
        seen = latest()
        self.assertEqual(set(seen), set(self.POINTS) | {"uplink-delay/nobody"})
        self.assertTrue(0 < float(seen["disk-free"]) <= 100, seen)
        self.assertTrue(0 < float(seen["memory-free"]) < 100, seen)
        self.assertIn(seen["clock"], ("synchronised", "free"))
        self.assertEqual(gateway.status()["unmatched"], 0)
        self.assertEqual(gateway.stop(), 0)
        # The pack over the same series, as they would be on a bad day.
        rows = self.write("bad.csv", "time,device,point,value,quality\n" + "".join(
            "2026-03-01T%02d:%02d:00Z,box,disk-free,%s,good\n"
            "2026-03-01T%02d:%02d:00Z,box,uplink-delay,%s,good\n" %
            (m // 60, m % 60, 40 if m < 60 else 12, m // 60, m % 60, m / 60)
            for m in range(0, 300)))
        alerts = json.loads(steel.cli(
            "rules", "backtest", steel.SOURCE / "rules/packs/box.en.rules", "--config", config,
            "--readings", rows, "--json"))
        self.assertEqual([(a["rule"], a["severity"], a["raised"][11:16]) for a in alerts],
                         [("BOX-DISK", "warning", "01:30"), ("BOX-UPLINK", "notice", "04:11")])


if __name__ == "__main__":
    steel.main()
