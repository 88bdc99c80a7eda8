# SPDX-License-Identifier: Apache-2.0
"""Who is there hears it first: a panel at the managed broker, a lamp that observes by CoAP; what they
show outlives the broker, and is for those of the premises alone. A webhook and a mail server (real
ones, from packages) get it too, and the inspector's inbox; mains lost is told in time; a storm wakes
once."""

import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

import steel


MAINS = """
rule SITE-02 version 1 "Mains lost"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: mains
  alert major when mains is off
  then tell premises, inspector
  say "The mains are off."
end
"""
SILENT = """
rule SITE-0%d version 1 "Silent"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each %s: temperature
  alert warning when temperature has no data for %d s
  then tell %s
  say "Look at the sensor."
end
"""
CLIENT = shutil.which("coap-client") or "coap-client-openssl"


# An SMTP server with a login, that is TLS from the first byte.
SMTPS = """
import asyncio, ssl, sys
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult
port, cert, key, box = int(sys.argv[1]), *sys.argv[2:]
good = (b"box", b"open sesame")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
loop, handler = asyncio.new_event_loop(), Mailbox(box)
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == good, handled=False)
def peer():
    return SMTP(handler, authenticator=login, auth_required=True, auth_require_tls=False, loop=loop)
loop.run_until_complete(loop.create_server(peer, "127.0.0.1", port, ssl=context))
loop.run_forever()
"""


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


class Hook(http.server.ThreadingHTTPServer):
    """A receiver of webhooks: what came, when, and with which fields."""

    def __init__(self):
        self.got, self.came = [], threading.Condition()
        super().__init__(("127.0.0.1", 0), HookHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def find(self, what, test, seconds=20.0):
        with self.came:
            if not self.came.wait_for(lambda: any(test(e) for _, _, e in self.got), seconds):
                raise AssertionError("waited in vain for %s: %s" % (
                    what, [e.get("type") for _, _, e in self.got]))
            return next(g for g in self.got if test(g[2]))


class HookHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.came:
            self.server.got.append((time.time(), (self.headers, body), json.loads(body)))
            self.server.came.notify_all()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


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
        rules = self.write("test.rules", steel.warm_rule("SITE-01") + MAINS)
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
             "every": "30 s"},
            {"quantity": "mains", "device": "probe", "name": "m"}]}]
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
        body = json.dumps([value if isinstance(value, dict) else
                           {"n": "t", "u": "Cel", "v": value}])
        done = subprocess.run(self.coap_client("r/probe", "-t", "110", "-e", body, method="post"),
                              capture_output=True, text=True, timeout=20, check=True)
        self.assertNotIn("4.", done.stderr + done.stdout)
        return time.time()

    def mail_server(self, keys):
        port, box = steel.free_port(), self.dir / "mail"
        server = Lines("/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:%d" % port,
                       "--tlscert", keys / "authority.pem", "--tlskey", keys / "authority.key",
                       "-c", "aiosmtpd.handlers.Mailbox", box)
        self.addCleanup(server.stop)
        steel.until(lambda: steel.listening(port), "the mail server")
        return port, box

    def letters(self, box):
        found = []
        for path in (box / "new").glob("*") if (box / "new").exists() else []:
            found.append((path.stat().st_mtime_ns / 1e9, email.message_from_bytes(
                path.read_bytes(), policy=email.policy.default)))
        return sorted(found, key=lambda letter: letter[0])  # their names say nothing of the order

    def inbox(self, keys):
        port, page = steel.free_port(), steel.free_port()
        self.start(steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % port, "--cert", keys / "authority.pem", "--key",
             keys / "authority.key", "--client-ca", keys / "ca.pem", "--data", self.dir / "inbox",
             "--page", "127.0.0.1:%d" % page], self.dir / "inbox.log"))
        return port, page

    def inbox_has(self, page, test):
        with urllib.request.urlopen("http://127.0.0.1:%d/api/events" % page, timeout=20) as answer:
            found = json.loads(answer.read())
        found = found.get("events", found) if isinstance(found, dict) else found
        return any(test(json.dumps(e)) for e in found)

    def test_all_hear_it(self):
        keys, hook = self.keys(), Hook()
        self.addCleanup(hook.server_close)
        self.addCleanup(hook.shutdown)
        secret = self.write("secret", "wonderland\n")
        smtp, box = self.mail_server(keys)
        upstream, page = self.inbox(keys)
        self.begin(destinations=[
            {"name": "hook", "kind": "webhook", "serves": ["premises"], "secret": str(secret),
             "url": "http://127.0.0.1:%d/alerts" % hook.server_port},
            {"name": "owner", "kind": "mail", "serves": ["premises"], "from": "box@example.org",
             "to": ["owner@example.org", "night@example.org"],
             "url": "smtp://localhost:%d" % smtp, "tls": {"ca": str(keys / "ca.pem")}},
            {"name": "county", "kind": "https", "serves": ["inspector"],
             "url": "https://localhost:%d/events" % upstream,
             "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                     "key": str(keys / "gateway.key")}}])
        panel = self.listen("panel-1")
        lamp = Lines("stdbuf", "-o0", *self.coap_client("alerts/lamp", "-s", "60"))
        self.addCleanup(lamp.stop)
        lamp.find("the first answer", lambda l: '"active":0' in l)
        panel.find("the first text", shows("steelyard/alerts/prem", active=0))
        self.measure({"n": "m", "vs": "on"})
        began = time.time()
        self.measure({"n": "m", "vs": "off"})
        kept, _ = panel.find("mains lost", shows("steelyard/alerts/prem", severity="major"))
        seen, _ = lamp.find("mains lost", lambda l: '"severity":"major"' in l)
        posted, (fields, body), event = hook.find(
            "mains lost", lambda e: e["type"] == "steelyard.alert.raised")
        steel.until(lambda: self.inbox_has(page, lambda e: "SITE-02" in e), "the inbox", every=0.005)
        arrived = time.time()
        steel.until(lambda: self.letters(box), "the mail")
        mailed, letter = self.letters(box)[0]
        print("mains off to panel %.0f, lamp %.0f, webhook %.0f, inbox %.0f, mail %.0f ms" % tuple(
            (t - began) * 1e3 for t in (kept, seen, posted, arrived, mailed)))
        for t in (kept, seen):  # as this process saw them, on a machine that may be busy
            self.assertLess(t, arrived + 0.2)
        self.assertLess(arrived - began, 2.0)  # `commit` gathers for 2 s, and not now
        self.assertLess(mailed - began, 5.0)
        mac = hmac.new(b"wonderland", body, hashlib.sha256).hexdigest()
        self.assertEqual(fields["X-Steelyard-Signature"], "sha256=" + mac)
        self.assertEqual(fields["Idempotency-Key"], '"%s"' % event["id"])
        self.assertEqual(letter["To"], "owner@example.org, night@example.org")
        self.assertIn("major", letter["Subject"])
        self.assertIn("Fridge 3", letter["Subject"])
        self.assertIn("The mains are off.", letter.get_content())
        alert = event["data"]["alert"]["id"]
        self.press("panel-1", "steelyard/ack/prem/panel-1", alert)
        panel.find("who acknowledged", shows("steelyard/alerts/prem", unacknowledged=0))
        steel.until(lambda: self.inbox_has(page, lambda e: "acknowledged" in e), "it upstream")
        self.measure({"n": "m", "vs": "on"})
        hook.find("the end", lambda e: e["type"] == "steelyard.alert.cleared")
        steel.until(lambda: len(self.letters(box)) >= 2, "the mail of the end")
        self.assertIn("cleared", self.letters(box)[1][1]["Subject"])
        types = [e["type"] for _, _, e in hook.got]
        self.assertEqual(len(types), len(set(types)), types)

    def test_mail_with_a_login(self):
        """smtps: a wrong password loses nothing and is shown; the right one needs no restart."""
        keys, port, box = self.keys(), steel.free_port(), self.dir / "mail"
        server = Lines("/usr/bin/python3", "-c", SMTPS, port, keys / "authority.pem",
                       keys / "authority.key", box)
        self.addCleanup(server.stop)
        steel.until(lambda: steel.listening(port), "the mail server")
        password = self.write("mail.pw", "open says me\n")
        self.begin(destinations=[
            {"name": "owner", "kind": "mail", "serves": ["premises"], "from": "box@example.org",
             "to": ["owner@example.org"], "url": "smtps://localhost:%d" % port, "user": "box",
             "password-file": str(password), "tls": {"ca": str(keys / "ca.pem")}}])

        def state():
            return self.gateway.status()["upstream"][0]
        self.measure(30)
        error = steel.until(lambda: state()["last_error"], "the refusal")
        self.assertIn("login", error.lower())
        self.assertNotIn("says me", error + self.gateway.tail(100000))
        self.assertEqual((state()["waiting"], state()["refused"]), (1, 0))
        self.assertEqual(self.letters(box), [])
        password.write_text("open sesame\n")
        self.gateway.process.send_signal(signal.SIGHUP)
        steel.until(lambda: self.letters(box), "the mail")
        self.assertIn("Fridge 3", self.letters(box)[0][1]["Subject"])
        steel.until(lambda: state()["waiting"] == 0, "the outbox to be empty")

    def test_a_storm_wakes_once(self):
        hook, night, keys = Hook(), Hook(), self.keys()
        for server in (hook, night):
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)
        smtp, box = self.mail_server(keys)
        probes = ["s1", "s2", "s3", "s4"]
        tree = steel.base_config(
            [self.write("silent.rules", SILENT % (3, "room", 1, "premises") +
                        SILENT % (4, "cabinet", 2, "duty-chief"))],
            [{"id": p, "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.1/32"} for p in probes],
            [{"id": p, "kind": "cabinet" if p == "s4" else "room", "points": [
                {"quantity": "temperature", "device": p, "name": "t", "unit": "°C",
                 "every": "500 ms", "delivery": "0 s"}]} for p in probes],
            destinations=[
                {"name": "hook", "kind": "webhook", "serves": ["premises"],
                 "url": "http://127.0.0.1:%d/alerts" % hook.server_port},
                {"name": "night", "kind": "webhook", "serves": ["duty-chief"],
                 "url": "http://127.0.0.1:%d/alerts" % night.server_port},
                {"name": "owner", "kind": "mail", "serves": ["premises"],
                 "from": "box@example.org", "to": ["owner@example.org"],
                 "url": "smtp://localhost:%d" % smtp, "tls": {"ca": str(keys / "ca.pem")}}])
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data"))
        _, _, storm = hook.find("the storm", lambda e: e["type"] == "steelyard.group.raised")
        group = storm["data"]["group"]
        self.assertEqual((group["cause"], group["quiet"], group["of"]), ("boot", 4, 4))
        steel.until(lambda: self.letters(box), "the mail")
        # Who was not woken by the storm is woken by its member.
        _, _, alert = night.find("its own alert", lambda e: e["type"] == "steelyard.alert.raised")
        self.assertEqual((alert["data"]["rule"]["id"], alert["data"]["group"]),
                         ("SITE-04", group["id"]))
        # By then the three of the storm were raised, a second ago.
        alerts = json.loads(steel.cli("alerts", "--data", self.gateway.data, "--json", "--full"))
        self.assertEqual([a["group"] for a in alerts], [group["id"]] * 4)
        self.assertEqual([e["type"] for _, _, e in hook.got], ["steelyard.group.raised"])
        self.assertEqual(len(night.got), 1)
        (_, letter), = self.letters(box)
        self.assertIn("storm: Test premises", letter["Subject"])
        self.assertIn("4 points without data", letter.get_content())

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
        # The gateway is started anew: what is active is shown again, with who acknowledged it.
        lamp.stop()
        self.assertEqual(self.gateway.stop(), 0, self.gateway.tail())
        self.start(self.gateway)
        again = steel.until(lambda: self.shown(), "the retained text after the gateway's end")
        self.assertEqual((again["active"], again["unacknowledged"]), (1, 0))
        self.coap = int(self.gateway.ready.partition("coap=")[2].split()[0].rsplit(":", 1)[-1])
        lamp = Lines("stdbuf", "-o0", *self.coap_client("alerts/lamp", "-s", "60"))
        self.addCleanup(lamp.stop)
        lamp.find("what is active", lambda l: alert["id"] in l)
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
