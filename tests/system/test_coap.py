# SPDX-License-Identifier: Apache-2.0
"""CoAP with libcoap's own programs: coap-client sends by key, by certificate and block by block, and
is refused by name where it may not; coap-server is observed, killed and started again; what is
captured on the network and sent again has no effect."""

import json
import select
import socket
import subprocess
import threading
import time

import devices
import steel

RULES = """
rule COAP-01 version 1 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 60 s
  alert warning when temperature above 90 °C [policy]
  then tell premises
  say "Only a test."
end
"""
KEY = "secret"


def pack(*values, t=None):
    """SenML; values one second apart."""
    t = time.time() - len(values) if t is None else t
    return json.dumps([{"n": "t", "u": "Cel", "v": v, "t": round(t + i, 3)}
                       for i, v in enumerate(values)])


class Relay(threading.Thread):
    """A wiretap between a client and the gateway: each datagram of the client that counts is sent
    twice, at once. Of DTLS (RFC 6347 section 4.1) those count that carry data."""

    def __init__(self, port, dtls):
        super().__init__(daemon=True)
        self.dtls, self.client, self.sent, self.answers = dtls, None, 0, 0
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.back.connect(("127.0.0.1", port))
        self.ended, self.end = socket.socketpair()
        self.start()

    def counts(self, data):
        return data[0] == 23 if self.dtls else True

    def run(self):
        while True:
            ready, _, _ = select.select([self.front, self.back, self.ended], [], [])
            if self.ended in ready:
                return
            if self.back in ready:
                data = self.back.recv(4096)
                self.answers += self.counts(data)
                self.front.sendto(data, self.client)
            if self.front in ready:
                data, self.client = self.front.recvfrom(4096)
                for _ in range(2 if self.counts(data) else 1):
                    self.back.send(data)
                self.sent += self.counts(data)

    def close(self):
        self.end.send(b"x")
        self.join()
        for s in (self.front, self.back, self.ended, self.end):
            s.close()


class Coap(steel.Case):
    def setUp(self):
        super().setUp()
        self.coap = steel.free_port(socket.SOCK_DGRAM)
        self.dtls = steel.free_port(socket.SOCK_DGRAM)
        self.certificates()
        self.server, self.server_port = None, self.two_ports()
        self.addCleanup(self.stop_server)
        self.start_server()
        self.put(pack(20.5))
        self.write("psk.txt", "".join("%s:%s\n" % (name, KEY.encode().hex())
                                      for name in ("psk-1", "data-1")))
        ids = {"psk-1": {}, "cert-1": {"credential": "certificate"},
               "open-1": {"credential": "none", "from": "127.0.0.0/8"},
               "time-1": {"observe": "coap://127.0.0.1:%d/time?ticks" % self.server_port,
                          "format": "number"},
               "data-1": {"observe": "coaps://127.0.0.1:%d/example_data" % (self.server_port + 1)}}
        tree = steel.base_config(
            [self.write("a.rules", RULES)],
            [{"id": i, "transport": "coap", "format": "senml-json", **more}
             for i, more in ids.items()],
            [{"id": "pl-" + i, "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": i, "name": "value" if i == "time-1" else "t",
                 "unit": "degC"}]} for i in ids],
            coap={"listen": ["127.0.0.1:%d" % self.coap],
                  "dtls": {"listen": ["127.0.0.1:%d" % self.dtls], "psk": "psk.txt",
                           "ca": "ca.pem", "cert": "gateway.pem", "key": "gateway.key"}})
        del tree["mqtt"]
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data"))

    # ---- what stands around the gateway ----

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def certificates(self):
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for ca in ("ca", "other"):
            self.openssl("req", "-x509", *curve, "-keyout", ca + ".key", "-out", ca + ".pem",
                         "-subj", "/CN=" + ca)
        for name, cn, ca, days in (("gateway", "gateway", "ca", 2), ("good", "cert-1", "ca", 2),
                                   ("late", "cert-1", "ca", -1), ("alien", "cert-1", "other", 2),
                                   ("nobody", "cert-9", "ca", 2)):
            self.openssl("req", *curve, "-keyout", name + ".key", "-out", "csr", "-subj",
                         "/CN=" + cn)
            self.openssl("x509", "-req", "-in", "csr", "-CA", ca + ".pem", "-CAkey", ca + ".key",
                         "-days", str(days), "-out", name + ".pem")

    def two_ports(self):
        """One for CoAP, and the next for DTLS, where coap-server puts it."""
        while True:
            port = steel.free_port(socket.SOCK_DGRAM)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                try:
                    s.bind(("127.0.0.1", port + 1))
                    return port
                except OSError:
                    pass

    def start_server(self):
        with open(self.dir / "server.log", "ab") as log:
            self.server = subprocess.Popen(
                ["coap-server-openssl", "-A", "127.0.0.1", "-p", str(self.server_port), "-k", KEY],
                stdout=log, stderr=log)
        steel.until(lambda: self.client("get", "/time?ticks", port=self.server_port,
                                        more=("-B", "1")).strip().isdigit(), "coap-server", 10)

    def stop_server(self):
        if self.server:
            self.server.kill()
            self.server.wait()

    def client(self, method, path, body=None, port=None, more=()):
        scheme = "coaps" if "-k" in more or "-c" in more else "coap"
        port = port or (self.coap if scheme == "coap" else self.dtls)
        payload = []
        if body is not None:
            self.write("body", body)
            payload = ["-t", "110", "-f", "body"]
        done = subprocess.run(
            ["coap-client-openssl", "-m", method, "-B", "3", *payload, *more,
             "%s://127.0.0.1:%d%s" % (scheme, port, path)],
            cwd=self.dir, capture_output=True, timeout=20)
        return (done.stdout + done.stderr).decode(errors="replace")

    def put(self, body):
        self.client("put", "/example_data", body, port=self.server_port)

    def certificate(self, name):
        return ("-C", "ca.pem", "-c", name + ".pem", "-j", name + ".key")

    def attempt(self, path, more):
        """One that will not come in: it is not waited for."""
        child = subprocess.Popen(
            ["coap-client-openssl", "-m", "post", "-B", "20", "-e", "1", *more,
             "coaps://127.0.0.1:%d%s" % (self.dtls, path)],
            cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)

    # ---- what it has ----

    def values(self, device):
        self.gateway.drained()
        return [float(r["value"]) for r in self.gateway.export() if r["device"] == device]

    def observed(self, device):
        return next(o for o in self.gateway.status()["coap"]["observed"] if o["device"] == device)

    def refused(self, device, reason):
        return [e for e in self.gateway.status()["refused"]["list"]
                if (e["device"], e["reason"]) == (device, reason)]

    def test_all(self):
        self.attempt("/r/psk-1", ("-u", "psk-1", "-k", "wrong"))
        self.observes()
        self.kill_server()
        self.takes_what_clients_send()
        self.refuses_by_name()
        self.nothing_twice()
        self.comes_back()
        with self.subTest("a wrong key"):
            steel.until(lambda: self.refused("psk-1", "wrong-psk"), "the wrong key to be told", 10)
        self.assertEqual(self.values("psk-1")[0], 4.5)

    def takes_what_clients_send(self):
        with self.subTest("by key and by certificate"):
            self.client("post", "/r/psk-1", pack(4.5), more=("-u", "psk-1", "-k", KEY))
            self.client("put", "/r/cert-1", pack(5.5), more=self.certificate("good"))
            self.assertEqual((self.values("psk-1"), self.values("cert-1")), ([4.5], [5.5]))
        with self.subTest("block by block"):
            many = [i / 10 for i in range(400)]
            self.client("put", "/r/cert-1", pack(*many, t=time.time() - 500),
                        more=("-b", "512", *self.certificate("good")))
            self.assertEqual(self.values("cert-1"), many + [5.5])
        with self.subTest("discovery"):
            links = self.client("get", "/.well-known/core")
            self.assertTrue(links.startswith("</r>;ct="), links)
            self.assertNotIn("psk-1", links)
        with self.subTest("codes"):
            for method, path, more, want in (
                    ("get", "/r/open-1", (), "4.05"), ("post", "/r/none", ("-e", "1"), "4.04"),
                    ("post", "/r/open-1", ("-e", "1", "-t", "0"), "4.15"),
                    ("post", "/r/psk-1", ("-e", "1"), "4.01")):
                self.assertIn(want, self.client(method, path, more=more))
            self.assertIn("4.13", self.client("put", "/r/open-1", " " * 70000))

    def refuses_by_name(self):
        for name, device, reason in (("late", "cert-1", "expired-certificate"),
                                     ("alien", "cert-1", "unknown-authority"),
                                     ("nobody", "cert-9", "unknown-device")):
            with self.subTest(name):
                self.attempt("/r/cert-1", self.certificate(name))
                steel.until(lambda: self.refused(device, reason), "%s to be told" % reason, 10)
        with self.subTest("speaks for another"):
            self.assertIn("4.03", self.client("post", "/r/psk-1", pack(9.5),
                                              more=self.certificate("good")))
            self.assertTrue(self.refused("psk-1", "speaks-for-another"), self.gateway.status())
        self.assertEqual(self.values("psk-1"), [4.5])

    def observes(self):
        for device in ("time-1", "data-1"):
            steel.until(lambda: self.observed(device)["state"] == "live", device, 10)
        with self.subTest("a long notification, block by block, over DTLS"):
            many = [i / 10 for i in range(100, 200)]
            self.put(pack(*many, t=time.time() - 200))
            steel.until(lambda: self.values("data-1") == many + [20.5],
                        "100 values: %s" % self.values("data-1"), 10)
        with self.subTest("what the status shows"):
            lines = steel.cli("status", "--data", self.gateway.data).splitlines()
            self.assertTrue([l for l in lines if l.startswith("data-1 ") and " live " in l], lines)
        with self.subTest("one a second"):
            steel.until(lambda: len(self.values("time-1")) >= 2, "the notifications of /time", 10)

    def kill_server(self):
        self.stop_server()
        self.start_server()
        self.put(pack(30.5, t=time.time() - 1))
        self.before = {d: self.observed(d) for d in ("time-1", "data-1")}

    def comes_back(self):
        """The new one knows nothing of its observers: their silence is noticed."""
        with self.subTest("the server was killed"):
            steel.until(lambda: self.observed("time-1")["kept"] > self.before["time-1"]["kept"] + 1,
                        "more of /time: %s" % self.observed("time-1"), 15)

    def nothing_twice(self):
        with self.subTest("without DTLS"):
            relay = Relay(self.coap, False)
            self.addCleanup(relay.close)
            before = self.gateway.drained()
            self.client("post", "/r/open-1", pack(6.5), port=relay.port)
            steel.until(lambda: relay.answers == 2, "two answers", 5)
            self.assertEqual(self.values("open-1"), [6.5])
            self.assertEqual(self.gateway.drained()["duplicates"], before["duplicates"] + 1)
        with self.subTest("with DTLS"):
            relay = Relay(self.dtls, True)
            self.addCleanup(relay.close)
            before = self.gateway.drained()
            self.client("put", "/r/cert-1", pack(*[77.25] * 60), port=relay.port,
                        more=("-b", "512", *self.certificate("good")))
            self.assertEqual(self.values("cert-1").count(77.25), 60)
            self.assertGreater(relay.sent, 5)
            self.assertEqual(relay.answers, relay.sent, "a replayed record was answered")
            self.assertEqual(self.gateway.drained()["duplicates"], before["duplicates"])


if __name__ == "__main__":
    steel.main()
