# SPDX-License-Identifier: Apache-2.0
"""What people do about an alert, and what happens when nobody does: acknowledged, commented,
shelved until its end, not answered in time, across a kill; and a power cut of an hour at a premises
as one group of alerts. Real gateway, broker and receiver."""

import csv
import json
import sqlite3
import urllib.request

import devices
import steel
from test_recordings import MINUTE, iso

START = 1767571200000  # 2026-01-05T00:00:00Z
OFF = (START + 20 * MINUTE, START + 80 * MINUTE)
END = START + 120 * MINUTE

WARM = """
rule LIFE-01 version 1 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 600 s
  alert warning when temperature above 8 °C [policy]
  alert serious when temperature above 15 °C [policy]
  clear when temperature at most 8 °C
  then tell inspector; respond within 2 s
  then serious tell duty-chief; respond within 400 s
end
"""

SILENT = """
rule LIFE-02 version 1 "Silent"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each room: temperature
  alert warning when temperature has no data for 15 min
  then tell inspector; respond within 30 min
end
"""


class Lifecycle(steel.Case):
    def setUp(self):
        super().setUp()
        keys = self.keys()
        self.page = "127.0.0.1:%d" % steel.free_port()
        self.port = steel.free_port()
        self.tls = {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                    "key": str(keys / "gateway.key")}
        self.start(steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % self.port, "--cert", keys / "authority.pem",
             "--key", keys / "authority.key", "--client-ca", keys / "ca.pem", "--data",
             self.dir / "inbox", "--page", self.page], self.dir / "inbox.log"))

    def destination(self, name, serves, **more):
        return {"name": name, "kind": "https", "url": "https://127.0.0.1:%d/events" % self.port,
                "tls": self.tls, "serves": serves, **more}

    def events(self):
        with urllib.request.urlopen("http://%s/api/events" % self.page, timeout=20) as answer:
            return [e["event"] for e in json.load(answer)]

    def changes(self, alert):
        """The changes of an alert in the order of their numbers, as the receiver has them."""
        told = {e["id"]: e["data"]["change"] for e in self.events()
                if e["id"].startswith(alert + "/")}
        return [told[alert + "/%d" % (n + 1)] for n in range(len(told))]

    def told(self, alert, change):
        return steel.until(lambda: [e for e in self.events() if e["id"].startswith(alert + "/") and
                                    e["data"]["change"] == change], change, 20)[-1]

    def act(self, kind, alert, *more, expect=0):
        return steel.cli("alerts", kind, alert, "--data", self.gateway.data, "--who", "Li Wei",
                         *more, expect=expect)

    def fulls(self):
        return json.loads(steel.cli("alerts", "--data", self.gateway.data, "--json", "--full"))

    def full(self):
        return self.fulls()[0]

    def warm(self):
        coap = steel.free_port(steel.socket.SOCK_DGRAM)
        tree = steel.base_config(
            [self.write("life.rules", WARM)],
            [{"id": "c1", "transport": "coap", "format": "number", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % coap]},
            destinations=[self.destination("inbox", ["inspector"])])
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data"))
        self.device = devices.CoapDevice(("127.0.0.1", coap))
        self.addCleanup(self.device.close)

    def send(self, value):
        code, text = self.device.request("r/c1", str(value).encode())
        self.assertEqual(code, "2.04", text)
        self.gateway.drained()

    def test_what_people_do(self):
        self.warm()
        self.send(9)
        alert = json.loads(self.gateway.alerts())[0]["id"]
        plain = set(json.loads(self.gateway.alerts())[0])
        self.told(alert, "unanswered")  # nobody did within 2 s, by the clock alone
        self.gateway.kill()
        self.gateway.start()
        self.act("comment", alert, "--why", "门未关")
        self.act("acknowledge", alert)
        self.act("acknowledge", alert, expect=1)
        self.act("comment", "0" * 32, "--why", "which?", expect=1)
        self.act("shelve", alert, "--for", "8 d", "--why", "too long", expect=1)
        self.act("shelve", alert, "--for", "8 h", expect=2)  # no reason
        self.act("shelve", alert, "--for", "2 s", "--why", "the door is being mended")
        self.act("shelve", alert, "--for", "2 s", "--why", "again", expect=1)
        back = self.told(alert, "unshelved")
        self.assertEqual((back["data"]["act"]["who"], back["data"]["act"]["via"]),
                         (None, "clock"))
        steel.until(lambda: self.changes(alert).count("unanswered") == 2, "the second time")
        self.assertEqual(self.changes(alert),
                         ["raised", "unanswered", "commented", "acknowledged", "shelved",
                          "unshelved", "unanswered"])
        shelved = self.told(alert, "shelved")["data"]
        self.assertTrue(shelved["shelved"])
        self.assertEqual(shelved["act"]["until"], shelved["shelved_until"])
        self.assertEqual(back["time"], shelved["shelved_until"])
        self.gateway.kill()
        self.gateway.start()
        self.send(5)  # it is over, and can be acknowledged still
        self.act("acknowledge", alert, "--why", "door mended")
        row = self.full()
        self.assertEqual([(a["kind"], a["who"], a["via"]) for a in row["actions"]],
                         [("comment", "Li Wei", "local"), ("acknowledge", "Li Wei", "local"),
                          ("shelve", "Li Wei", "local"), ("acknowledge", "Li Wei", "local")])
        self.assertEqual((row["state"], row["acknowledged_by"], row["shelved_until"]),
                         ("cleared", "Li Wei", None))
        self.assertEqual(set(json.loads(self.gateway.alerts())[0]), plain)
        self.told(alert, "acknowledged")
        proof = self.dir / "alert.evidence"
        steel.cli("evidence", alert, "--data", self.gateway.data, "--out", proof)
        out = steel.cli("verify", proof, "--language", "en", expect=1)  # the key has no --ca
        self.assertEqual(out.count("its text and readings are leaf"), 9)
        self.gateway.stop()
        with sqlite3.connect("file:%s?mode=ro" % (self.dir / "data" / "store.db"), uri=True) as db:
            leaves = [json.loads(b) for b, in db.execute("SELECT bytes FROM leaf")]
        acts = [(x["who"], x["what"].split(" ")[0]) for x in leaves if x.get("leaf") == "action" and
                x["on"] == "alert " + alert]
        self.assertEqual(acts, [("Li Wei", k) for k in
                                ("comment", "acknowledge", "shelve", "acknowledge")])

    def rows(self):
        for t in range(START, END, MINUTE):
            for n in range(4):
                if not OFF[0] <= t + n * 10000 < OFF[1]:
                    yield [iso(t + n * 10000), "s%d" % n, "temperature", 5, "good"]

    def test_a_power_cut_is_one_group(self):
        point = {"quantity": "temperature", "name": "temperature", "unit": "degC", "every": "60 s"}
        tree = steel.base_config(
            [self.write("life.rules", SILENT)],
            [{"id": "s%d" % n, "transport": "mqtt", "topic": "t/s%d" % n, "format": "senml-json",
              "credential": "password"} for n in range(4)],
            [{"id": "room%d" % n, "kind": "room", "points": [{**point, "device": "s%d" % n}]}
             for n in range(4)],
            destinations=[self.destination("inbox", ["inspector"])])
        config = self.config(tree)
        self.gateway = self.start(steel.Gateway(config, self.dir / "data", "--clock", "replay"))
        path = self.dir / "cut.csv"
        with open(path, "w") as f:
            out = csv.writer(f)
            out.writerow(["time", "device", "point", "value", "quality"])
            out.writerows(self.rows())
        steel.cli("replay", path, "--config", config, "--data", self.gateway.data)
        self.gateway.control("mark %d" % END)
        self.gateway.drained()
        steel.until(lambda: any(e["type"] == "steelyard.group.cleared" for e in self.events()),
                    "the end of the group")
        alerts = json.loads(self.gateway.alerts())
        self.assertEqual([a["state"] for a in alerts], ["cleared"] * 4)
        told = self.events()
        groups = [e for e in told if e["type"].startswith("steelyard.group.")]
        self.assertEqual(sorted(e["type"] for e in groups),
                         ["steelyard.group.cleared", "steelyard.group.raised"])
        raised = next(e for e in groups if e["type"].endswith("raised"))["data"]
        cleared = next(e for e in groups if e["type"].endswith("cleared"))["data"]
        self.assertEqual((raised["group"]["cause"], raised["group"]["quiet"], raised["group"]["of"]),
                         ("premises-silent", 4, 4))
        self.assertEqual(cleared["group"]["members"], 4)
        self.assertEqual(raised["alert"]["subject"], "prem")
        members = [e["data"] for e in told if e["type"] == "steelyard.alert.raised"]
        self.assertEqual([m["group"] for m in members], [raised["group"]["id"]] * 4)
        for a in alerts:
            self.assertEqual(self.changes(a["id"]), ["raised", "unanswered", "cleared"])
        group = raised["group"]["id"]
        self.act("shelve", group, "--for", "1 h", "--why", "a group is not shelved", expect=1)
        self.act("acknowledge", group, "--why", "the mains are back")
        self.act("acknowledge", group, expect=1)
        for a in alerts:
            self.told(a["id"], "acknowledged")
        self.assertEqual([[x["kind"] for x in a["actions"]] for a in self.fulls()],
                         [["acknowledge"]] * 4)


if __name__ == "__main__":
    steel.main()
