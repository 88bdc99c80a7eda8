# SPDX-License-Identifier: Apache-2.0
"""What the console's API says and does, with the real binary and a device over CoAP: readings,
alerts, what people do about them, the live stream, evidence, the workshop, metrics."""

import contextlib
import json
import os
import re
import time

import devices
import steel
import test_console

RULES = steel.warm_rule("warm")
CHANGED = RULES.replace("above 8 °C", "above 20 °C")


class Api(test_console.Console):
    def setUp(self):
        super().setUp()
        rules = self.write("warm.rules", RULES)
        tree = steel.base_config(
            [rules], [{"id": "probe", "transport": "coap", "format": "senml-json",
                       "credential": "none", "from": "127.0.0.0/8"}],
            [{"id": "fridge", "kind": "cabinet", "name": "冷柜", "points": [
                {"quantity": "temperature", "device": "probe", "name": "t", "unit": "degC",
                 "every": "1 s"}]}], console={"listen": "127.0.0.1:0"})
        del tree["mqtt"]
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data"))
        status = self.gateway.status()
        self.port = status["console"]["port"]
        self.coap = devices.CoapDevice(("127.0.0.1", status["coap"]["ports"][0]))
        self.account("li", "inspector")
        self.account("wu", "regulator")
        self.account("an", "viewer")
        self.li = self.sign_in("li")

    def send(self, value, ago=0):
        record = {"n": "t", "u": "Cel", "v": value, "t": time.time() - ago}
        answer = self.coap.request("r/probe", json.dumps([record]).encode())
        self.assertTrue(answer and answer[0].startswith("2."), answer)
        self.gateway.drained()

    def get(self, path, head=None):
        status, what, _ = self.ask("GET", "/api/v1/" + path, head=head or self.li)
        self.assertEqual(status, 200, what)
        return what

    def alert(self):
        self.send(9.5)
        return steel.until(lambda: self.get("alerts?state=active"), "an alert")[0]

    def test_readings_and_site(self):
        self.send(4.5, ago=60)
        site = self.get("site")
        place = site["premises"][0]["places"][0]
        self.assertEqual((place["name"], place["points"][0]["series"]), ("冷柜", "probe/t"))
        self.assertEqual([r["value"] for r in self.get("last")], [4.5])
        got = self.get("readings?series=probe/t")
        self.assertEqual((got["value"], got["unit"], got["bucket_ms"]), ([4.5], "degC", 0))
        for i in range(12):  # a second apart: two of one time are one reading
            self.send(5, ago=20 - i)
        got = self.get("readings?series=probe/t&points=10")
        self.assertGreater(got["bucket_ms"], 0)
        self.assertEqual((min(got["lowest"]), max(got["highest"])), (4.5, 5))
        for bad in ("readings?series=none", "readings", "readings?series=probe/t&points=1",
                    "readings?series=probe/t&from=x"):
            self.assertIn(self.ask("GET", "/api/v1/" + bad, head=self.li)[0], (400, 404), bad)

    def test_people_answer(self):
        alert = self.alert()
        self.assertEqual((alert["rule"], alert["acknowledged"]), ("warm", None))
        path = "/api/v1/alerts/" + alert["id"]
        an = self.sign_in("an")
        self.assertEqual(self.ask("POST", path + "/acknowledge", {}, an)[0], 403)
        self.assertEqual(self.ask("POST", path + "/shelve", {"why": "x", "minutes": 5}, self.li)[0],
                         403)
        status, whole, _ = self.ask("POST", path + "/acknowledge", {"why": "on my way"}, self.li)
        self.assertEqual((status, whole["acknowledged_by"]), (200, "li"))
        self.assertEqual([(a["kind"], a["who"], a["via"], a["why"]) for a in whole["actions"]],
                         [("acknowledge", "li", "console", "on my way")])
        self.assertEqual(whole["events"][0]["type"], "steelyard.alert.raised")
        self.assertEqual(self.ask("POST", path + "/acknowledge", {}, self.li)[0], 409)
        wu = self.sign_in("wu")
        status, whole, _ = self.ask("POST", path + "/shelve", {"why": "works", "minutes": 5}, wu)
        self.assertEqual(status, 200, whole)
        self.assertIsNotNone(whole["shelved_until"])
        self.assertEqual(self.ask("POST", path + "/shelve", {"why": "x", "minutes": 99999}, wu)[0], 400)
        self.assertEqual(self.ask("POST", path + "/dance", {}, wu)[0], 404)
        self.assertEqual(self.ask("GET", "/api/v1/alerts/" + "0" * 32, head=wu)[0], 404)

    def test_live(self):
        c = self.connect()
        self.addCleanup(c.close)
        c.request("GET", "/api/v1/live", headers=self.li)
        answer = c.getresponse()
        self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
        said = []

        def next_of(kind):
            while True:
                line = answer.readline().decode().strip()
                said.append(line)
                if line == "event: " + kind:
                    return json.loads(answer.readline().decode()[6:])
        # Whoever looks on is told of what comes after the next look, four times a second.
        steel.until(lambda: self.gateway.status()["watchers"] == 1, "the console to watch")
        self.send(9.5)
        self.assertEqual(next_of("reading")["value"], 9.5)
        self.assertEqual(next_of("alert")["type"], "steelyard.alert.raised")
        c.close()
        if os.environ.get("SY_LONG"):  # it is noticed at the second comment, every 15 s
            steel.until(lambda: self.gateway.status()["watchers"] == 0, "the console to notice", 60)

    def test_evidence_is_verified(self):
        alert = self.alert()
        status, page, head = self.ask("GET", "/api/v1/alerts/%s/evidence" % alert["id"],
                                      head=self.li)
        self.assertEqual(status, 200, page)
        self.assertIn("attachment", head["Content-Disposition"])
        file = self.dir / "evidence.html"
        file.write_bytes(page)
        said = steel.cli("verify", file, expect=None)
        self.assertIn("proven", said.stdout)
        an = self.sign_in("an")
        self.assertEqual(self.ask("GET", "/api/v1/alerts/%s/evidence" % alert["id"], head=an)[0], 403)

    def test_assessment(self):
        self.assertEqual(self.ask("GET", "/api/v1/assess", head=self.li)[0], 403)
        self.account("gu", "auditor")
        status, got, _ = self.ask("GET", "/api/v1/assess", head=self.sign_in("gu"))
        self.assertEqual((status, got["running"]), (200, True), got)
        listens = {f["subject"]: f["detail"] for f in got["findings"] if f["code"] == "listen-local"}
        self.assertEqual(listens["tcp 127.0.0.1:%d" % self.port], "console")
        accounts = [f["detail"] for f in got["findings"] if f["code"] == "accounts"]
        self.assertEqual(accounts, ["viewer 1, inspector 1, regulator 1, auditor 1"])

    def test_workshop(self):
        alert = self.alert()
        wu = self.sign_in("wu")
        in_force = self.get("rules")
        self.assertEqual((in_force[0]["name"], in_force[0]["text"]), ("warm.rules", RULES))

        def tool(name, text, **more):
            status, what, _ = self.ask("POST", "/api/v1/rules/" + name, {"text": text, **more}, wu)
            self.assertEqual(status, 200, what)
            return what
        self.assertEqual(tool("check", RULES)["exit"], 0)
        wrong = tool("check", RULES.replace("temperature above", "temperature abov"))
        self.assertEqual(wrong["exit"], 1)
        error = [x for x in wrong["result"]["findings"] if x["severity"] == "error"][0]
        self.assertEqual(error["line"], 1 + RULES[:RULES.index("alert warning")].count("\n"))
        self.assertIn("exit", tool("test", RULES))
        lost = tool("backtest", CHANGED, file=in_force[0]["file"])
        self.assertEqual(lost["exit"], 0, lost)
        self.assertIn(alert["rule"], json.dumps(lost["result"]))
        self.assertIn("lost", json.dumps(lost["result"]))
        self.assertEqual(self.ask("POST", "/api/v1/rules/check", {"text": RULES}, self.li)[0], 403)
        self.assertEqual(self.ask("POST", "/api/v1/rules/rm", {"text": RULES}, wu)[0], 404)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read it all
            status = self.ask("POST", "/api/v1/rules/check", {"text": "x" * (2 << 20)}, wu)[0]
            self.assertEqual(status, 413)

    def test_maintenance(self):
        self.account("de", "deployer")
        de = self.sign_in("de")
        self.assertEqual(self.ask("POST", "/api/v1/maintenance",
                                  {"on": "probe", "minutes": 5, "why": "x"}, self.li)[0], 403)
        status, said, _ = self.ask("POST", "/api/v1/maintenance",
                                   {"on": "device:probe", "minutes": 30, "why": "new battery"}, de)
        self.assertEqual(status, 200, said)
        runs = said["maintenance"]
        self.assertEqual(self.get("status")["maintenance"], runs)
        self.assertEqual([(m["on"], m["who"], m["why"]) for m in runs], [("probe", "de", "new battery")])
        self.assertEqual(self.ask("POST", "/api/v1/maintenance",
                                  {"on": "nothing", "minutes": 5, "why": "x"}, de)[0], 409)

    def test_metrics(self):
        self.send(4)
        status, text, head = self.ask("GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertIn("version=0.0.4", head["Content-Type"])
        lines = text.decode().splitlines()
        names = set()
        for line in lines:
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                self.assertEqual(kind == "counter", name.endswith("_total"), line)
                names.add(name)
            elif not line.startswith("#"):
                found = re.fullmatch(r'(steelyard_[a-z_]+)(\{[a-z]+="[^"]*"\})? (\S+)', line)
                self.assertTrue(found and found[1] in names, line)
                float(found[3])
        self.assertIn("steelyard_stored_total 1", lines)
        # The dashboard and the rules that ship name nothing else (this box has no MQTT).
        names.add("steelyard_mqtt_connected")
        for file in (steel.SOURCE / "packaging" / "monitoring").iterdir():
            named = set(re.findall(r"\bsteelyard_[a-z_]+", file.read_text()))
            self.assertGreater(len(named), 5, file)
            self.assertEqual(named - names, set(), file)

    def test_description(self):
        """docs/api.openapi.yaml has every route and no other, and answers are as it says."""
        import jsonschema
        import yaml
        described = yaml.safe_load((steel.SOURCE / "docs" / "api.openapi.yaml").read_text())
        served = {(m, p) for m, p in re.findall(
            r'\{"([A-Z]+)", "(/[^"]*)"', (steel.SOURCE / "gateway/console/routes.c").read_text())}
        told = {(m.upper(), re.sub(r"\{\w+\}", "{}", p))
                for p, ops in described["paths"].items() for m in ops}
        self.assertEqual(served, told)
        alert = self.alert()
        for path, real in (("/api/v1/session", "session"), ("/api/v1/site", "site"), ("/api/v1/last", "last"),
                           ("/api/v1/devices", "devices"), ("/api/v1/rules", "rules"),
                           ("/api/v1/readings", "readings?series=probe/t"), ("/api/v1/alerts", "alerts"),
                           ("/api/v1/alerts/{id}", "alerts/" + alert["id"])):
            schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema.validate(self.get(real), {**schema, "components": described["components"]})

    def test_stop_while_work_goes_on(self):
        wu = self.sign_in("wu")
        slow, live = self.connect(), self.connect()
        self.addCleanup(slow.close)
        self.addCleanup(live.close)
        slow.request("POST", "/api/v1/rules/backtest", json.dumps({"text": RULES}),
                     {**wu, "Content-Type": "application/json"})
        live.request("GET", "/api/v1/live", headers=self.li)
        self.assertEqual(live.getresponse().status, 200)
        self.assertEqual(self.gateway.stop(), 0, self.gateway.tail())


if __name__ == "__main__":
    steel.main()
