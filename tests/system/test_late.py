# SPDX-License-Identifier: Apache-2.0
"""A logger is away for two days and uploads its memory over MQTT when it is back: the silence is
withdrawn, the breach that nobody saw is raised late, and what stands in the end equals the backtest
of the export."""

import csv
import json
import urllib.request

import steel
from test_recordings import MINUTE, iso

START = 1767571200000  # 2026-01-05T00:00:00Z
DAY = 24 * 60 * MINUTE
AWAY = (START + DAY, START + 3 * DAY)
BREACH = (START + DAY + 12 * 60 * MINUTE, START + DAY + 13 * 60 * MINUTE)
END = START + 3 * DAY + 180 * MINUTE


def celsius(device, t):
    return 9.5 if device == "logger" and BREACH[0] <= t < BREACH[1] else 5.0


def rows():
    return [(t, device, celsius(device, t)) for t in range(START, END, 5 * MINUTE)
            for device in ("logger", "live")]


def was_away(row):
    return row[1] == "logger" and AWAY[0] <= row[0] < AWAY[1]


class Late(steel.Case):
    def setUp(self):
        super().setUp()
        keys = self.keys()
        self.page = "127.0.0.1:%d" % steel.free_port()
        port = steel.free_port()
        rules = steel.SOURCE / "tests" / "rules" / "late.rules"
        point = {"quantity": "temperature", "name": "temperature", "unit": "degC", "every": "5 min"}
        tree = steel.base_config(
            [rules],
            [{"id": d, "transport": "mqtt", "topic": "late/" + d, "format": "senml-json",
              "credential": "password"} for d in ("logger", "live")],
            [{"id": "store", "kind": "room",
              "points": [{**point, "device": d} for d in ("logger", "live")]}],
            destinations=[{"name": "inbox", "kind": "https",
                           "url": "https://127.0.0.1:%d/events" % port,
                           "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                                   "key": str(keys / "gateway.key")},
                           "serves": ["premises"], "severity": "notice"}])
        self.rules, self.config_path = rules, self.config(tree)
        self.data = self.dir / "data"
        self.gateway = steel.Gateway(self.config_path, self.data, "--clock", "replay")
        self.start(steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % port, "--cert", keys / "authority.pem", "--key",
             keys / "authority.key", "--client-ca", keys / "ca.pem", "--data", self.dir / "inbox",
             "--page", self.page], self.dir / "inbox.log"))

    def play(self, name, some):
        path = self.dir / name
        with open(path, "w") as f:
            out = csv.writer(f)
            out.writerow(["time", "device", "point", "value", "quality"])
            out.writerows([iso(t), device, "temperature", v, "good"] for t, device, v in some)
        steel.cli("replay", path, "--config", self.config_path, "--data", self.data)

    def alerts(self):
        return json.loads(self.gateway.alerts())

    def standing(self):
        return [a for a in self.alerts() if a["state"] != "withdrawn"]

    def read(self, path):
        with urllib.request.urlopen("http://%s%s" % (self.page, path), timeout=20) as answer:
            return answer.read().decode()

    def test_a_logger_that_was_away(self):
        everything = rows()
        self.start(self.gateway)
        self.play("first.csv", [r for r in everything if not was_away(r)])
        self.gateway.drained()
        before = self.alerts()
        self.assertEqual([a["rule"] for a in before if "logger" in a["subject"]], ["LATE-SILENT"])
        self.assertEqual([a["state"] for a in before], ["cleared"])
        self.play("memory.csv", [r for r in everything if was_away(r)])
        self.gateway.kill()  # what waits to be judged again is in the log
        self.gateway.start()
        self.gateway.control("mark %d" % END)
        status = self.gateway.drained()
        self.assertEqual(status["stored"], len(everything))
        self.assertEqual(status["late"], 0)
        self.assertEqual(status["rejudged"], 1)
        self.check_alerts()
        self.check_inbox()

    def check_alerts(self):
        standing = self.standing()
        warm = [a for a in standing if a["rule"] == "LATE-WARM"]
        self.assertEqual([a["onset"] for a in warm], [iso(BREACH[0])] * 2)
        self.assertEqual([a["state"] for a in warm], ["cleared"] * 2)
        self.assertEqual([a["state"] for a in self.alerts() if a["rule"] == "LATE-SILENT"],
                         ["withdrawn"])
        exported = self.write("export.csv", steel.cli("export", "--data", self.data, "--format",
                                                      "csv"))
        self.assertNotIn("late", exported.read_text().replace("late/", ""))
        backtest = steel.cli("rules", "backtest", self.rules, "--config", self.config_path,
                             "--readings", exported, "--to", iso(END), "--json")
        self.assertEqual(standing, json.loads(backtest))

    def check_inbox(self):
        steel.until(lambda: self.gateway.status()["events_delivered"] ==
                    self.gateway.status()["events_queued"], "the outbox to empty", 60)
        events = [e["event"] for e in json.loads(self.read("/api/events"))
                  if e["type"].startswith("steelyard.alert.")]
        late = [e for e in events if e["data"]["reason"] == "late-readings"]
        self.assertEqual(sorted((e["data"]["alert"]["rule"], e["data"]["change"]) for e in late),
                         [("LATE-SILENT", "withdrawn")] + [("LATE-WARM", "cleared")] * 2 +
                         [("LATE-WARM", "raised")] * 2)
        for event in late:
            self.assertEqual(event["time"], iso(END))
        self.assertEqual(len(events), len(late) + 2)
        seq = next(a["seq"] for a in json.loads(self.read("/api/alerts"))
                   if a["data"]["alert"]["rule"] == "LATE-SILENT")
        self.assertIn("withdrawn", self.read("/alert/%d?lang=en" % seq))
        self.assertIn("found late", self.read("/alert/%d?lang=en" % seq))
        self.assertIn("事后补判", self.read("/alert/%d?lang=zh" % seq))


if __name__ == "__main__":
    steel.main()
