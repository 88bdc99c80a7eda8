# SPDX-License-Identifier: Apache-2.0
"""Who is there hears it first: a panel at the managed broker, a lamp that observes by CoAP; what they
show outlives broker and gateway, and is for those of the premises alone."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

import steel


CLIENT = shutil.which("coap-client") or "coap-client-openssl"


class Lines(threading.Thread):
    """What a program prints, as it comes, each line with its time."""

    def __init__(self, *args):
        super().__init__(daemon=True)
        self.lines, self.came = [], threading.Condition()
        self.process = subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.start()

    def run(self):
        left = ""
        while True:
            part = os.read(self.process.stdout.fileno(), 65536)
            *whole, left = (left + part.decode()).split("\n")
            if left.endswith("}"):  # coap-client ends no line
                whole, left = whole + [left], ""
            with self.came:
                self.lines += [(time.time(), line) for line in whole if line]
                self.came.notify_all()
            if not part:
                return

    def find(self, what, test, seconds=20.0, start=0):
        """The first line from `start` for which test(line) is true: (time, line)."""
        end = time.monotonic() + seconds
        with self.came:
            while True:
                for at, line in self.lines[start:]:
                    if test(line):
                        return at, line
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError("waited in vain for %s; there is:\n%s" % (
                        what, "\n".join(l for _, l in self.lines[-20:])))
                self.came.wait(left)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        self.join(10)
        self.process.stdout.close()


def shows(topic, **wanted):
    """A line "topic payload" of mosquitto_sub whose object has these values."""
    def test(line):
        head, _, body = line.partition(" ")
        if head != topic or not body.startswith("{"):
            return False
        got = json.loads(body)
        return all(got.get(k) == v for k, v in wanted.items())
    return test


class OnSite(steel.Case):
    def begin(self, **more):
        rules = self.write("test.rules", steel.warm_rule("SITE-01"))
        devices = [
            {"id": "probe", "transport": "coap", "format": "senml-json", "credential": "none",
             "from": "127.0.0.1/32"},
            {"id": "panel-1", "transport": "mqtt", "panel": "prem"},
            {"id": "stranger", "transport": "mqtt", "panel": "next-door"},
            {"id": "lamp", "transport": "coap", "panel": "prem", "credential": "none",
             "from": "127.0.0.1/32"},
            {"id": "far", "transport": "coap", "panel": "prem", "credential": "none",
             "from": "10.9.8.7/32"}]
        places = [{"id": "fridge", "kind": "cabinet", "name": "Fridge 3", "points": [
            {"quantity": "temperature", "device": "probe", "name": "t", "unit": "°C",
             "every": "30 s"}]}]
        tree = steel.base_config([rules], devices, places)
        tree["premises"].append({"id": "next-door", "places": [{"id": "hall", "kind": "room"}]})
        tree.update(more)
        tree["mqtt"]["listen"] = ["127.0.0.1:%d" % steel.free_port()]
        self.port = int(tree["mqtt"]["listen"][0].rsplit(":", 1)[1])
        self.conf = self.config(tree)
        self.passwords = {d: steel.cli("devices", "add", d, "--config", self.conf).split()[0]
                          for d in ("panel-1", "stranger")}
        self.gateway = self.start(steel.Gateway(self.conf, self.dir / "data"))
        self.coap = int(self.gateway.ready.partition("coap=")[2].split()[0].rsplit(":", 1)[-1])

    def listen(self, who, *more):
        child = Lines("mosquitto_sub", "-h", "127.0.0.1", "-p", self.port, "-u", who, "-P",
                      self.passwords[who], "-q", "1", "-t", "steelyard/#", "-F", "%t %p", *more)
        self.addCleanup(child.stop)
        return child

    def coap_client(self, path, *more, method="get"):
        return [CLIENT, "-m", method, *map(str, more),
                "coap://127.0.0.1:%d/%s" % (self.coap, path)]

    def measure(self, value):
        body = json.dumps([{"n": "t", "u": "Cel", "v": value}])
        done = subprocess.run(self.coap_client("r/probe", "-t", "110", "-e", body, method="post"),
                              capture_output=True, text=True, timeout=20, check=True)
        self.assertNotIn("4.", done.stderr + done.stdout)
        return time.time()

    def test_panel_and_lamp(self):
        self.begin()
        panel, other = self.listen("panel-1"), self.listen("stranger")
        everything = "steelyard/alerts/prem"
        panel.find("what nothing looks like", shows(everything + "/fridge", active=0, severity=None))
        other.find("its own premises", shows("steelyard/alerts/next-door", active=0))
        lamp = Lines("stdbuf", "-o0", *self.coap_client("alerts/lamp", "-s", "60"))
        self.addCleanup(lamp.stop)
        lamp.find("the first answer", lambda l: '"active":0' in l)
        began = self.measure(30)
        at, line = panel.find("the alert", shows(everything + "/fridge", active=1,
                                                 severity="warning"))
        alert = json.loads(line.partition(" ")[2])["alerts"][0]
        self.assertEqual((alert["rule"], alert["place"], alert["acknowledged"]),
                         ("SITE-01", "fridge", None))
        panel.find("the summary", shows(everything, active=1, unacknowledged=1))
        seen, _ = lamp.find("the notification", lambda l: alert["id"] in l)
        print("reading to panel %.0f ms, to lamp %.0f ms" % ((at - began) * 1e3,
                                                              (seen - began) * 1e3))
        got = subprocess.run(self.coap_client("alerts/lamp", "-A", "60", "-o", self.dir / "cbor"),
                             capture_output=True, timeout=20, check=True)
        self.assertIn(alert["id"].encode(), (self.dir / "cbor").read_bytes(), got)
        core = subprocess.run(self.coap_client(".well-known/core"), capture_output=True, text=True,
                              timeout=20, check=True).stdout
        self.assertIn('</alerts>;ct="50 60";rt="steelyard.alerts";obs', core)
        far = subprocess.run(self.coap_client("alerts/far"), capture_output=True, text=True,
                             timeout=20, check=False)
        self.assertIn("4.03", far.stdout + far.stderr)
        self.assertNotIn("alerts/prem", " ".join(l for _, l in other.lines))
        # Who is not of these premises acknowledges nothing.
        with self.assertRaises(subprocess.CalledProcessError):
            self.press("stranger", "steelyard/ack/prem/panel-1", alert["id"])
        self.press("stranger", "steelyard/ack/next-door/stranger", alert["id"])
        far = subprocess.run(self.coap_client("alerts/far", "-e", alert["id"], method="post"),
                             capture_output=True, text=True, timeout=20, check=False)
        self.assertIn("4.03", far.stdout + far.stderr)
        steel.until(lambda: any(r["reason"] == "not-acknowledged" and r["device"] == "stranger"
                                for r in self.gateway.status()["refused"]["list"]), "the refusal")
        self.assertIsNone(self.shown()["alerts"][0]["acknowledged"])
        # The button has no idea of ids; the lamp names the alert, and one that is not there.
        self.press("panel-1", "steelyard/ack/prem/panel-1", "all")
        panel.find("who acknowledged", shows(everything, active=1, unacknowledged=0))
        self.assertEqual(self.shown()["alerts"][0]["acknowledged"], "panel-1")
        lamp.find("who acknowledged", lambda l: '"acknowledged":"panel-1"' in l)
        for what, code in (("f" * 32, "4.04"), ("{", "4.00"), (alert["id"], "")):
            done = subprocess.run(self.coap_client("alerts/lamp", "-e", what, method="post"),
                                  capture_output=True, text=True, timeout=20, check=False)
            self.assertIn(code, done.stdout + done.stderr)
            self.assertTrue(code or "4." not in done.stderr, done.stderr)
        full = steel.cli("alerts", "--data", self.gateway.data, "--full")
        self.assertIn("panel-1", full)
        # The broker dies: what is shown is there again.
        os.kill(self.gateway.status()["mqtt"]["broker"]["pid"], signal.SIGKILL)
        again = steel.until(lambda: self.shown(), "the retained text after the broker's end")
        self.assertEqual(again["active"], 1)
        panel, was = self.listen("panel-1"), len(lamp.lines)
        panel.find("the alert once more", shows(everything + "/fridge", active=1))
        self.measure(2)
        panel.find("the clearance", shows(everything + "/fridge", active=0))
        lamp.find("the clearance", lambda l: '"active":0' in l, start=was)

    def press(self, who, topic, payload):
        subprocess.run(["mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(self.port), "-u",
                        who, "-P", self.passwords[who], "-q", "1", "-t", topic, "-m", payload],
                       capture_output=True, text=True, timeout=20, check=True)

    def shown(self):
        done = subprocess.run(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-u", "panel-1", "-P",
             self.passwords["panel-1"], "-t", "steelyard/alerts/prem", "-C", "1", "-W", "2"],
            capture_output=True, text=True, timeout=20, check=False)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None


if __name__ == "__main__":
    steel.main()
