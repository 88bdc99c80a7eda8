# SPDX-License-Identifier: Apache-2.0
"""Bad input at every door: each message is counted and logged with its reason, and the next good
reading goes through as if nothing had been."""

import json
import time

import devices
import steel

RULES = """
rule BAD-01 version 1 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 60 s
  alert warning when temperature above 8 °C [policy]
  then tell premises
  say "Only a test."
end
"""

SENML = 110
CBOR = 112


def now():
    return time.time()


def reading(value="4.5", t=None, name="temperature", unit="Cel", bn=None):
    rec = {"n": name, "u": unit, "v": 0, "t": round(t if t is not None else now(), 3)}
    if bn:
        rec["bn"] = bn
    return json.dumps([rec]).replace('"v": 0', '"v": %s' % value).encode()


class BadInput(steel.Case):
    def setUp(self):
        super().setUp()
        rules = self.write("bad.rules", RULES)
        device_list = [
            {"id": "m1", "transport": "mqtt", "topic": "bad/m1", "format": "senml-json",
             "credential": "password"},
            {"id": "m2", "transport": "mqtt", "topic": "bad/m2", "format": "senml-json",
             "credential": "password"},
            {"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
             "from": "127.0.0.0/8"},
            {"id": "c2", "transport": "coap", "format": "senml-cbor", "credential": "none",
             "from": "127.0.0.0/8"},
            {"id": "c3", "transport": "coap", "format": "number", "credential": "none",
             "from": "10.0.0.0/8"},
        ]
        places = [{"id": "pl-" + d["id"], "kind": "cabinet", "points": [
            {"quantity": "temperature", "device": d["id"], "name": "temperature", "unit": "degC",
             "range": [-40, 60]}]} for d in device_list]
        coap_port = steel.free_port(steel.socket.SOCK_DGRAM)
        self.mqtt_port = steel.free_port()
        tree = steel.base_config([rules], device_list, places,
                                 coap={"listen": ["127.0.0.1:%d" % coap_port]},
                                 mqtt={"listen": ["127.0.0.1:%d" % self.mqtt_port]})
        config = self.config(tree)
        data = self.dir / "data"
        self.passwords = {n: steel.cli("devices", "add", n, "--config", config, "--data",
                                       data).strip() for n in ("m1", "m2")}
        self.gateway = self.start(steel.Gateway(config, data))
        self.coap = devices.CoapDevice(("127.0.0.1", coap_port))
        self.addCleanup(self.coap.close)
        self.last = 0.0

    def mqtt(self, name):
        d = devices.MqttDevice(("127.0.0.1", self.mqtt_port), name, name, self.passwords[name])
        d.connect()
        self.addCleanup(d.close)
        return d

    def publish(self, device, topic, payload):
        device.publish(payload, topic, payload)
        steel.until(lambda: not device.flight or not device.poll(0.05), "PUBACK", 10, 0)

    def expect_counted(self, counter, by=1):
        """Run after a bad message: the counter has grown by `by`, and a good reading still works."""
        want = self.counted.get(counter, 0) + by
        steel.until(lambda: self.gateway.drained()[counter] >= want,
                    "%s to reach %d: %s" % (counter, want, self.gateway.status()), 10)
        self.assertEqual(self.gateway.status()[counter], want)
        self.good()

    def good(self):
        before = self.gateway.drained()["stored"]
        self.last = max(now(), self.last + 0.002)
        code, _ = self.coap.request("r/c1", reading(t=self.last), SENML)
        self.assertEqual(code, "2.04")
        status = self.gateway.drained()
        self.assertEqual(status["stored"], before + 1)
        self.counted = status

    def test_mqtt(self):
        self.good()
        m1 = self.mqtt("m1")
        for what, payload in (
                ("empty", b""), ("not UTF-8", b'[{"n":"temperature","v":1,"u":"\xff\xfe"}]'),
                ("truncated", reading()[:-5]), ("no JSON", b"\x00\x01\x02\x03"),
                ("NaN", reading("NaN")), ("infinity", reading("Infinity")),
                ("1e400", reading("1e400")), ("deep", b"[" * 20000),
                ("twice the same key", b'[{"n":"temperature","v":1,"v":2}]'),
                ("10,001 records", b"[" + b",".join([b"{}"] * 10001) + b"]")):
            with self.subTest(what):
                self.publish(m1, "bad/m1", payload)
                self.expect_counted("rejected")
        with self.subTest("a number as a string"):
            self.publish(m1, "bad/m1", reading('"4.5"').replace(b'"v"', b'"v"'))
            self.expect_counted("rejected")
        with self.subTest("a unit that does not convert"):
            self.publish(m1, "bad/m1", reading(unit="Pa"))
            self.expect_counted("rejected")
        with self.subTest("a name that is no point"):
            self.publish(m1, "bad/m1", json.dumps(
                [{"n": "pressure", "v": 1, "t": now()}, {"n": "speed", "v": 2}]).encode())
            self.expect_counted("unmatched", 2)
        log = self.gateway.tail(200000)
        self.assertIn("level=warn", log)
        self.assertLess(log.count("\n"), 400, "the log is not rate-limited")

    def test_huge(self):
        self.good()
        m1 = self.mqtt("m1")
        huge = b"[" + b" " * 70000 + b"]"
        m1.publish("huge", "bad/m1", huge)
        steel.until(lambda: not m1.flight or not m1.poll(0.05), "an answer to 70,000 bytes", 10, 0)
        self.good()
        code, _ = self.coap.request("r/c1", b"[" + b" " * 1100 + b"]", SENML)
        self.assertTrue(code.startswith("4."), code)
        self.good()

    def test_speaks_for_another(self):
        self.good()
        m1 = self.mqtt("m1")
        self.publish(m1, "bad/m2", reading())
        self.expect_counted("rejected")
        self.assertIn("not its own", self.gateway.tail(100000))
        m1 = self.mqtt("m1")
        self.publish(m1, "bad/m1", reading(bn="m2/", name="temperature", t=now()))
        self.expect_counted("rejected")
        rows = self.gateway.export()
        self.assertEqual([r for r in rows if r["device"] == "m2"], [])
        self.assertEqual([r for r in rows if r["device"] == "m1"], [])
        with self.assertRaises(devices.Refused):
            devices.MqttDevice(("127.0.0.1", self.mqtt_port), "x", "m2", "wrong").connect()
        with self.assertRaises(devices.Refused):
            devices.MqttDevice(("127.0.0.1", self.mqtt_port), "x").connect()
        self.expect_counted("rejected", 2)
        code, text = self.coap.request("r/c3", b"4.5")
        self.assertIn(code, ("4.01", "4.03"))
        self.assertTrue(text)
        self.expect_counted("rejected")

    def test_coap_codes(self):
        self.good()
        for what, path, payload, form, want in (
                ("unknown device", "r/nobody", reading(), SENML, "4.04"),
                ("unknown path", "x/y", reading(), SENML, "4.04"),
                ("wrong content format", "r/c1", reading(), 41, "4.15"),
                ("malformed", "r/c1", b"[{", SENML, "4.00"),
                ("empty", "r/c1", b"", SENML, "4.00"),
                ("truncated CBOR", "r/c2", b"\x81\xa2\x00", CBOR, "4.00"),
                ("CBOR that claims 2^32 items", "r/c2", b"\x9b\x00\x00\x00\x01\x00\x00\x00\x00", CBOR,
                 "4.00")):
            with self.subTest(what):
                code, text = self.coap.request(path, payload, form)
                self.assertEqual(code, want, text)
                self.assertTrue(text, "no diagnostic payload")
                self.expect_counted("rejected")

    def test_times(self):
        """1970, 2099 and seconds taken for milliseconds: the receive time or the bit late, never a
        judged reading at a wrong time."""
        self.good()
        m1 = self.mqtt("m1")
        base = self.gateway.drained()
        self.publish(m1, "bad/m1", reading("20", t=4070908800))
        self.publish(m1, "bad/m1", reading("21", t=now() + 600))
        steel.until(lambda: self.gateway.drained()["future"] == base["future"] + 2, "two in the future")
        with self.subTest("milliseconds where seconds are meant"):
            self.publish(m1, "bad/m1", reading("23", t=now() * 1000))
            steel.until(lambda: self.gateway.drained()["rejected"] == base["rejected"] + 1, "refusal")
            self.assertIn("the time is outside", self.gateway.tail(100000))
        self.publish(m1, "bad/m1", reading("22", t=86400 * 4000))
        steel.until(lambda: self.gateway.drained()["late"] == base["late"] + 1, "one too late")
        rows = {float(r["value"]): r for r in self.gateway.export() if r["device"] == "m1"}
        self.assertIn("future", rows[20.0]["quality"])
        self.assertIn("future", rows[21.0]["quality"])
        self.assertIn("late", rows[22.0]["quality"])
        self.assertTrue(rows[22.0]["quality"].startswith("uncertain"))
        self.assertTrue(rows[20.0]["time"].startswith(time.strftime("%Y-", time.gmtime())))
        self.good()

    def test_range_and_retained(self):
        self.good()
        m1 = self.mqtt("m1")
        self.publish(m1, "bad/m1", reading("882.6"))
        steel.until(lambda: any(r["device"] == "m1" for r in self.gateway.export()), "the reading")
        row = [r for r in self.gateway.export() if r["device"] == "m1"][0]
        self.assertEqual(row["quality"].replace("+clock-unsynchronised", ""), "bad+out-of-range")
        self.assertEqual(json.loads(self.gateway.alerts()), [])
        before = self.gateway.status()["stored"]
        m1.publish("kept", "bad/m1", b'[{"n":"temperature","u":"Cel","v":5}]', retain=True)
        steel.until(lambda: not m1.flight or not m1.poll(0.05), "PUBACK", 10, 0)
        steel.until(lambda: self.gateway.drained()["stored"] == before + 1, "the retained one, once")
        self.gateway.stop()
        self.gateway.start()
        self.good()
        self.assertEqual(len([r for r in self.gateway.export() if float(r["value"]) == 5.0]), 1)


if __name__ == "__main__":
    steel.main()
