# SPDX-License-Identifier: Apache-2.0
"""Evidence of an alert that a real gateway raised: it verifies with the authority's certificate
alone, and any byte that is changed in it, or in the data folder, is found or does not matter."""

import base64
import html.parser
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import devices
import steel

RULE = """# before the rule
rule EVID-01 version 3 "Too warm <b>" / “过热”
  basis "Standard X" / “标准 X” clause verify law
  basis "house policy & more" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each room: temperature, door
  missing after 5 min
  alert warning when temperature above 8 °C [policy] for 3 min
  clear when temperature at most 8 °C for 2 min
  then tell premises, inspector; respond within 2 h
  say "Close the door." / “请关门。”
end

rule EVID-02 version 1 "Never"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  watch each room: temperature
  alert notice when temperature above 90 °C [policy]
  then tell premises
end
"""
HOSTILE = "Shop <script>alert(1)</script> \"& 'Co' \u202etxt"
T0 = 1767571200000  # 2026-01-05T00:00:00Z
LONG = os.environ.get("SY_LONG") == "1"
FLIPS = pathlib.Path(steel.BINARY).parent / "tests" / "verify_flips"


class Page(html.parser.HTMLParser):
    """The elements and the text of the readable part."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.data = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        inside = self.tags[-1][0] if self.tags else ""
        if inside == "script":
            self.data += data
        elif inside != "style":
            self.text.append(data)


class Evidence(steel.Case):
    def setUp(self):
        super().setUp()
        k, other = self.dir / "k", self.dir / "other"
        steel.cli("keys", "demo", "--out", k, "--gateway", "gw-test-1")
        steel.cli("keys", "demo", "--out", other, "--gateway", "gw-test-1")
        self.ca, self.other_ca = k / "ca.pem", other / "ca.pem"
        port = steel.free_port(steel.socket.SOCK_DGRAM)
        tree = steel.base_config(
            [self.write("e.rules", RULE)],
            [{"id": "c1", "transport": "coap", "format": "number", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "room-1", "name": "冷库 A", "kind": "room", "goods": ["vaccine"], "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC",
                 "every": "60 s", "range": [-40, 60], "accuracy": 0.5}]}],
            coap={"listen": ["127.0.0.1:%d" % port]})
        tree["gateway"]["segment"] = "256 KiB"
        tree["gateway"]["ledger"] = {"key": str(k / "ledger.key"), "cert": str(k / "ledger.pem"),
                                     "interval": "1 s"}
        tree["premises"][0]["name"] = HOSTILE
        tree["premises"][0]["time-zone"] = "Asia/Shanghai"
        self.data = self.dir / "data"
        self.config_path = self.config(tree)
        self.gateway = self.run_gateway()
        self.coap = devices.CoapDevice(("127.0.0.1", port))
        self.addCleanup(self.coap.close)
        self.minute = 0

    def run_gateway(self):
        return self.start(steel.Gateway(self.config_path, self.data, "--clock", "replay"))

    def seal(self):
        """Fill the segment, and start again: what a clean end leaves behind is sealed."""
        self.minute += 120
        for _ in range(280):
            self.send("4" + " " * 950)
        self.minute += 60 * 60  # what nobody adds to for two days is sealed, too
        self.send(4)
        self.gateway.drained()
        self.gateway.stop()
        self.gateway = self.run_gateway()
        steel.until(lambda: list((self.data / "journal").glob("*.logz")), "a sealed segment")
        steel.until(lambda: self.gateway.status()["ledger"]["head"]["size"] ==
                    self.gateway.status()["ledger"]["size"], "a head over it")

    def send(self, celsius):
        self.minute += 1
        self.gateway.control("mark %d" % (T0 + 60000 * self.minute))
        code, text = self.coap.request("r/c1", str(celsius).encode())
        self.assertEqual(code, "2.04", text)

    def an_alert(self):
        for _ in range(5):
            self.send(5)
        for _ in range(8):
            self.send(9.5)
        for _ in range(6):
            self.send(4)
        self.gateway.drained()
        alerts = json.loads(self.gateway.alerts())
        self.assertEqual([a["state"] for a in alerts], ["cleared"])
        return alerts[0]["id"]

    def evidence(self, alert, *more):
        path = self.dir / "evidence.html"
        steel.cli("evidence", alert, "--data", self.data, "--out", path, *more)
        return path

    def verify(self, path, *more, expect=0):
        return steel.cli("verify", path, "--language", "en", *more, expect=expect)

    def test_a_file_that_is_shown_and_verified(self):
        alert = self.an_alert()
        for language, words in (("en", ["Evidence of an alert", "Too warm <b>", "house policy",
                                        "not yet checked against the official text", "°C"]),
                                ("zh", ["警报证据", "过热", "请关门。", "尚未与正式文本核对",
                                        "温度", "监管员", "有效+未认证"])):
            path = self.evidence(alert, "--language", language)
            out = self.verify(path, "--ca", self.ca)
            self.assertIn("alert %s is proven" % alert, out)
            self.assertIn("the page shows what is proven", out)
            page = Page(path.read_text())
            text = "".join(page.text)
            for word in words + ["冷库 A", "EVID-01", "0.5\xa0°C", "9.5\xa0°C", "rule EVID-01 version 3",
                                 HOSTILE.replace("\u202e", "\ufffd")]:
                self.assertIn(word, text)
            self.assertNotIn("EVID-02", text)
            self.assertEqual([t for t, _ in page.tags].count("script"), 1)
            self.assertIn("svg", [t for t, _ in page.tags])
            for tag, attrs in page.tags:  # nothing comes from elsewhere, nothing runs
                self.assertFalse({"src", "href", "onload", "onclick"} & set(attrs), (tag, attrs))
            inside = json.loads(page.data)
            self.assertEqual([e["body"].count('"change":"raised"') for e in inside["events"]],
                             [1, 0])
            readings = [json.loads(line) for line in inside["events"][0]["basis"]]
            self.assertEqual(readings[0]["rule"]["text"], RULE[RULE.index("rule EVID-01"):
                                                               RULE.index("\n\nrule EVID-02")])
            self.assertEqual([r["v"] for r in readings if "v" in r][:2], [5, 9.5])

    def test_what_does_not_verify(self):
        alert = self.an_alert()
        path = self.evidence(alert, "--language", "en")
        text = path.read_text()
        self.verify(path, "--ca", self.other_ca, expect=1)
        self.assertIn("whose key it is was not checked", self.verify(path, expect=1))
        for before, after, said in (
                ("9.5\xa0°C", "8.5\xa0°C", "the page was changed"),
                ("not yet checked against the official text", "checked", "the page was changed"),
                ('\\"v\\":9.5', '\\"v\\":8.5', "its list of readings was changed"),
                ('\\"severity\\":\\"warning\\"', '\\"severity\\":\\"notice\\"', "its body was changed"),
                ('"index":', '"index":1', "the leaf is not in the tree")):
            self.assertIn(before, text)
            changed = self.write("changed.html", text.replace(before, after, 1))
            self.assertIn(said, self.verify(changed, "--ca", self.ca, expect=1))
        cut = self.write("cut.html", text[:-200])
        self.assertIn("holds no evidence, or its end is missing",
                      self.verify(cut, "--ca", self.ca, expect=1))
        report = json.loads(self.verify(path, "--ca", self.ca, "--json"))
        self.assertTrue(report["proven"])
        self.assertFalse(json.loads(self.verify(cut, "--json", expect=1))["proven"])

    def test_events_as_received(self):
        inside = json.loads(Page(self.evidence(self.an_alert()).read_text()).data)
        events = []
        for e in inside["events"]:
            proof = json.dumps(e["proof"], separators=(",", ":"), ensure_ascii=False)
            word = base64.urlsafe_b64encode(proof.encode()).decode().rstrip("=")
            events.append(e["body"][:-1] + ',"steelyardproof":"%s"}' % word)
        one = self.write("one.json", events[0])
        self.assertRegex(self.verify(one, "--ca", self.ca), r"/1 is leaf \d+ of the ledger of gw-test-1")
        both = self.write("both.json", "[ %s,\n%s ]" % tuple(events))
        self.assertEqual(self.verify(both, "--ca", self.ca).count(" is leaf "), 2)
        for before, after, said in (("warning", "notice", "is not what the ledger"),
                                    ("steelyardproof", "steelyardprof", "the event has no proof")):
            changed = self.write("changed.json", events[0].replace(before, after))
            self.assertIn(said, self.verify(changed, "--ca", self.ca, expect=1))
        self.verify(self.write("no.json", events[0][:-3]), "--ca", self.ca, expect=1)

    def test_a_cut_tail_is_found_by_a_head_that_was_sent(self):
        self.send(5)
        self.gateway.drained()
        self.gateway.stop()
        before = self.copy()
        self.gateway = self.run_gateway()
        inside = json.loads(Page(self.evidence(self.an_alert()).read_text()).data)
        proof = inside["events"][-1]["proof"]
        head = {name: proof[name] for name in ("head", "signature", "key", "chain")}
        heads = self.write("heads.json", json.dumps(head) + "\n" +
                           json.dumps({"type": "steelyard.head", "data": head}))
        self.gateway.stop()
        out = self.verify(self.data, "--ca", self.ca, "--heads", heads)
        self.assertIn("the ledger continues 2 heads that were sent earlier", out)
        self.verify(before, "--ca", self.ca)  # by itself the older copy is whole
        out = self.verify(before, "--ca", self.ca, "--heads", heads, expect=1)
        self.assertIn("the ledger was cut", out)

    def test_originals(self):
        alert = self.an_alert()
        self.seal()
        path = self.evidence(alert, "--language", "en")
        out = self.verify(path, "--ca", self.ca)
        self.assertIn("originals proven: 12 records", out)
        text = path.read_text()
        inside = json.loads(Page(text).data)
        self.assertTrue(all(b"9.5" in base64.b64decode(o["record"]) or b"4" in
                            base64.b64decode(o["record"]) or b"5" in base64.b64decode(o["record"])
                            for o in inside["originals"]))
        at = text.index('"record":"') + 60
        other = self.write("o.html", text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:])
        self.assertIn("is not in its sealed segment",
                      self.verify(other, "--ca", self.ca, expect=1))
        self.flips(path, self.ca, 1 if LONG else 197)
        self.gateway.stop()
        out = self.verify(self.data, "--ca", self.ca)
        self.assertRegex(out, r"originals proven: \d+ records in 1 sealed segments; [1-9]\d+ "
                              r"readings in [1-9]\d* sealed chunks")
        sealed, = (self.data / "journal").glob("*.logz")
        copy = self.copy()
        self.flips("--dir", copy, copy / "journal" / sealed.name, self.ca, 1 if LONG else 97)
        (copy / "journal" / sealed.name).unlink()
        self.assertIn("is missing, and no expiry speaks of it",
                      self.verify(copy, "--ca", self.ca, expect=1))

    def copy(self):
        copy = self.dir / "copy"
        shutil.copytree(self.data, copy, ignore=shutil.ignore_patterns("control.sock", "mqtt"))
        return copy

    def flips(self, *args):
        done = subprocess.run([FLIPS, *map(str, args)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        print("\n  %s: %s" % (args[0] if args[0] != "--dir" else pathlib.Path(args[2]).name,
                             done.stdout.strip()), end="", flush=True)

    def test_every_flipped_byte_of_the_file_is_found(self):
        path = self.evidence(self.an_alert())
        self.flips(path, self.ca, 1 if LONG else 97)

    def test_every_flipped_byte_of_the_folder_is_found_or_does_not_matter(self):
        alert = self.an_alert()
        self.gateway.stop()
        out = self.verify(self.data, "--ca", self.ca)
        self.assertIn("alerts proven: 2 events", out)
        self.assertIn("alerts as in the ledger, which is not proven: 2 events",
                      self.verify(self.data, expect=1))
        self.assertIn("1 alerts stand as their events say", out)
        copy = self.copy()
        self.verify(copy, "--ca", self.ca)
        self.flips("--dir", copy, copy / "store.db", self.ca, 1 if LONG else 499)
        for path in sorted((copy / "journal").iterdir()) + sorted((copy / "accepted").glob("*.set")):
            if LONG or path.suffix != ".log":  # the newest one is full of zeros
                self.flips("--dir", copy, path, self.ca, 1 if LONG else 499)
        (copy / "store.db").write_bytes((copy / "store.db").read_bytes()[:-4096])
        self.verify(copy, "--ca", self.ca, expect=1)
        self.assertTrue(alert)


if __name__ == "__main__":
    steel.main()
