# SPDX-License-Identifier: Apache-2.0
"""A real Alertmanager over TLS, with a webhook receiver behind it: an alert fires there under labels
that it can route by, rises, ends; a short one that came while it was away is notified all the same;
and one that was started anew without its memory hears again what fires."""

import datetime
import http.server
import json
import shutil
import ssl
import subprocess
import threading
import unittest
import urllib.request

import devices
import steel

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
SETTLE = 4  # seconds; above the 1 s that the Alertmanager waits for a group here

RULE = """
rule AM-01 version 3 "Warm"
  basis "chosen for a test" clause "4.2" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 600 s
  alert warning when temperature above 8 °C [policy]
  alert serious when temperature above 15 °C [policy]
  clear when temperature at most 8 °C
  then tell premises, inspector
  say "Look at the door."
end
"""


def when(text):
    """A time: Go leaves out the zeros at the end of a fraction."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen += [(a["status"], a["labels"], a) for a in body["alerts"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@unittest.skipUnless(PROGRAM, "the package prometheus-alertmanager is not installed")
class Alertmanager(steel.Case):
    def setUp(self):
        super().setUp()
        self.keys_dir = self.keys()
        self.hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.hook.seen = []
        threading.Thread(target=self.hook.serve_forever, daemon=True).start()
        self.addCleanup(self.hook.shutdown)
        self.port, self.process, self.starts = steel.free_port(), None, 0
        self.addCleanup(self.stop_it)
        self.write("am.yml", json.dumps({
            "route": {"receiver": "hook", "group_by": ["alertname", "place"], "group_wait": "1s",
                      "group_interval": "1s", "repeat_interval": "1h"},
            "receivers": [{"name": "hook", "webhook_configs": [
                {"url": "http://127.0.0.1:%d/" % self.hook.server_port}]}]}))
        self.write("web.yml", json.dumps({"tls_server_config": {
            "cert_file": str(self.keys_dir / "authority.pem"),
            "key_file": str(self.keys_dir / "authority.key"),
            "client_ca_file": str(self.keys_dir / "ca.pem"),
            "client_auth_type": "RequireAndVerifyClientCert"}}))

    def start_it(self):
        self.starts += 1  # a folder of its own: it remembers nothing
        with open(self.dir / "am.log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--config.file=%s" % (self.dir / "am.yml"), "--storage.path=%s" %
                 (self.dir / ("am%d" % self.starts)), "--cluster.listen-address=",
                 "--web.listen-address=127.0.0.1:%d" % self.port,
                 "--web.config.file=%s" % (self.dir / "web.yml")], stdout=log, stderr=log)
        steel.until(lambda: steel.listening(self.port), "the Alertmanager")

    def stop_it(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def ask(self):
        context = ssl.create_default_context(cafile=self.keys_dir / "ca.pem")
        context.load_cert_chain(self.keys_dir / "gateway.pem", self.keys_dir / "gateway.key")
        with urllib.request.urlopen("https://localhost:%d/api/v2/alerts" % self.port,
                                    context=context) as answer:
            return json.load(answer)

    def gateway_of(self):
        coap_port = steel.free_port(steel.socket.SOCK_DGRAM)
        tree = steel.base_config(
            [self.write("am.rules", RULE)],
            [{"id": "c1", "transport": "coap", "format": "number", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "name": "疫苗柜", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % coap_port]},
            destinations=[{"name": "paging", "kind": "alertmanager",
                           "url": "https://localhost:%d" % self.port,
                           "settle": "%d s" % SETTLE,
                           "tls": {name: str(self.keys_dir / file) for name, file in
                                   [("ca", "ca.pem"), ("cert", "gateway.pem"),
                                    ("key", "gateway.key")]},
                           "serves": ["inspector"]}])
        del tree["mqtt"]
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data"))
        self.coap = devices.CoapDevice(("127.0.0.1", coap_port))
        self.addCleanup(self.coap.close)

    def send(self, value):
        code, text = self.coap.request("r/c1", str(value).encode())
        self.assertEqual(code, "2.04", text)
        self.gateway.drained()

    def notified(self, status, severity, alert=None):
        return [a for s, labels, a in list(self.hook.seen) if s == status and
                labels["severity"] == severity and alert in (None, labels["alert"])]

    def await_notice(self, *what):
        return steel.until(lambda: self.notified(*what), "the notice %s" % (what,), 40)[0]

    def newest(self):
        return json.loads(self.gateway.alerts())[-1]

    def test_all(self):
        self.start_it()
        self.gateway_of()
        self.send(5)
        self.send(9)
        seen = self.await_notice("firing", "warning")
        first = self.newest()
        self.assertEqual({k: seen["labels"][k] for k in
                          ("alertname", "gateway", "premises", "place", "device", "series",
                           "alert")},
                         {"alertname": "AM-01", "gateway": "gw-test-1", "premises": "prem",
                          "place": "cab", "device": "c1", "series": "c1/t", "alert": first["id"]})
        notes = seen["annotations"]
        self.assertEqual(notes["description"], "Look at the door.")
        self.assertEqual(notes["place_name"], "疫苗柜")
        self.assertEqual((notes["max"], notes["rule_version"]), ("9", "3"))
        self.assertIn("above 8 °C", notes["limit"])
        self.assertIn("chosen for a test, 4.2", notes["basis"])
        self.assertEqual(when(seen["startsAt"]), when(first["raised"]))

        self.send(16)  # the level rises: the same alert under another severity
        self.await_notice("firing", "serious", first["id"])
        self.await_notice("resolved", "warning", first["id"])

        self.stop_it()  # all that it knew is gone with it
        self.hook.seen.clear()
        self.start_it()
        self.await_notice("firing", "serious", first["id"])
        self.assertEqual([a["labels"]["severity"] for a in self.ask()], ["serious"])

        self.hook.seen.clear()
        who = ["--data", self.gateway.data, "--who", "Li Wei", "--why", "a new door"]
        steel.cli("alerts", "shelve", first["id"], "--for", "1 h", *who)
        self.await_notice("resolved", "serious", first["id"])  # paging is quiet
        steel.cli("alerts", "unshelve", first["id"], *who)
        self.await_notice("firing", "serious", first["id"])
        self.hook.seen.clear()

        self.send(4)
        over = self.await_notice("resolved", "serious", first["id"])
        self.assertEqual(when(over["endsAt"]), when(self.newest()["cleared"]))

        self.stop_it()  # a short one, begun and ended while nobody listened
        self.send(9.5)
        self.send(4)
        short = self.newest()
        self.assertNotEqual(short["id"], first["id"])
        self.start_it()
        self.await_notice("firing", "warning", short["id"])
        self.await_notice("resolved", "warning", short["id"])
        status = steel.until(lambda: [d for d in self.gateway.status()["upstream"]
                                      if d["waiting"] == 0], "the outbox to be empty")[0]
        self.assertEqual((status["name"], status["refused"]), ("paging", 0))


if __name__ == "__main__":
    steel.main()
