# SPDX-License-Identifier: Apache-2.0
"""The way upstream as it is in the field: an nginx that ends mutual TLS before the receiver, a
receiver that is away, a line that breaks, and three days of events that waited."""

import collections
import json
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

import devices
import steel

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
EVENTS = int(os.environ.get("SY_OUTAGE_EVENTS", "3000"))
ROUGH = 3 if EVENTS <= 3000 else 60  # seconds of it
SEED = int(os.environ.get("SY_SEED", random.SystemRandom().randrange(1 << 30)))
WAYS = ("mute", "half", "slow", "cut")
START = 1767571200000  # 2026-01-05
OUTAGE = 72 * 3600 * 1000
RECORDS = 16  # in a message

RULES = steel.warm_rule("OUT-01", missing="6 h")

NGINX_CONF = """
daemon off;
pid %(dir)s/nginx.pid;
error_log %(dir)s/error.log;
worker_processes 1;
%(user)s
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy;
  fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
  server {
    listen 127.0.0.1:%(port)d ssl;
    ssl_certificate %(keys)s/authority.pem;
    ssl_certificate_key %(keys)s/authority.key;
    ssl_client_certificate %(ca)s;
    ssl_verify_client on;
    client_max_body_size 2m;
    location / {
      proxy_pass https://127.0.0.1:%(inbox)d;
      proxy_http_version 1.1;
      proxy_ssl_certificate %(keys)s/gateway.pem;
      proxy_ssl_certificate_key %(keys)s/gateway.key;
    }
  }
}
"""


class Line(threading.Thread):
    """A line in between: passes bytes on, and breaks each connection after so many of them."""

    def __init__(self, to):
        super().__init__(daemon=True)
        self.to, self.limit, self.broken = to, None, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.carry, args=(near, self.limit), daemon=True).start()

    def carry(self, near, limit):
        with near:
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            with far:
                other, passed = {near: far, far: near}, 0
                while limit is None or passed < limit:
                    for s in steel.select.select([near, far], [], [], 60)[0]:
                        try:
                            part = s.recv(65536)
                            other[s].sendall(part)
                        except OSError:
                            return
                        if not part:
                            return
                        passed += len(part)
                self.broken += 1


class Rough(Line):
    """A line that does to each connection one of what receivers do: dies before it answers, answers
    half, sends a byte a second, closes at random; or nothing, for a while."""

    def __init__(self, to):
        super().__init__(to)
        self.random, self.calm = random.Random(SEED), False
        self.done, self.first = collections.Counter(), list(WAYS)
        self.random.shuffle(self.first)

    def carry(self, near, limit):
        how = "calm" if self.calm else self.first.pop() if self.first else self.random.choice(
            [*WAYS, "cut", "while"])
        most = {"cut": self.random.randint(5000, 1000000),
                "while": self.random.randint(1000000, 20000000)}.get(how)
        self.done[how] += 1
        with near:
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            with far:
                self.pass_on(near, far, how, most)

    def trickle(self, near, part):
        """A byte a second, some of them."""
        for i in range(min(4, len(part))):
            near.sendall(part[i:i + 1])
            if steel.select.select([near], [], [], 1)[0]:
                return

    def pass_on(self, near, far, how, most):
        asked, passed = 0, 0
        while True:
            for s in steel.select.select([near, far], [], [], 60)[0]:
                try:
                    part = s.recv(65536)
                    # So much is no handshake any more: what comes back is an answer.
                    if s is far and asked > 10000 and how in ("mute", "half", "slow"):
                        if how == "half":
                            near.sendall(part[:len(part) // 2])
                        elif how == "slow":
                            self.trickle(near, part)
                        return
                    (near if s is far else far).sendall(part)
                except OSError:
                    return
                if not part:
                    return
                passed += len(part)
                asked += len(part) if s is near else 0
                if most is not None and passed > most:
                    return


@unittest.skipUnless(NGINX, "the package nginx is not installed")
class Outage(steel.Case):
    LINE = Line

    def setUp(self):
        super().setUp()
        self.keys_dir = self.keys()
        steel.cli("keys", "demo", "--out", self.dir / "other")
        self.inbox_port, self.nginx_port = steel.free_port(), steel.free_port()
        self.nginx = None
        self.addCleanup(self.stop_nginx)
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % self.inbox_port, "--cert",
             self.keys_dir / "authority.pem", "--key", self.keys_dir / "authority.key",
             "--client-ca", self.keys_dir / "ca.pem", "--data", self.dir / "inbox"],
            self.dir / "inbox.log")
        self.line = self.LINE(self.nginx_port)
        self.line.start()
        self.addCleanup(self.line.listener.close)
        port = steel.free_port(socket.SOCK_DGRAM)
        tree = steel.base_config(
            [self.write("out.rules", RULES)],
            [{"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % port]},
            destinations=[{"name": "county", "kind": "https",
                           "url": "https://localhost:%d/events" % self.line.port,
                           "tls": {"ca": str(self.keys_dir / "ca.pem"),
                                   "cert": str(self.keys_dir / "gateway.pem"),
                                   "key": str(self.keys_dir / "gateway.key")},
                           "serves": ["inspector"]}])
        del tree["mqtt"]
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data", "--clock",
                                                "replay", log=self.dir / "gateway.log"))
        self.coap = devices.CoapDevice(("127.0.0.1", port))
        self.addCleanup(self.coap.close)
        self.at, self.count = START, 0
        self.gateway.control("mark %d" % (START - 1))

    def start_nginx(self, ca=None):
        folder = self.dir / "nginx"
        folder.mkdir(exist_ok=True)
        (folder / "nginx.conf").write_text(NGINX_CONF % {
            "dir": folder, "port": self.nginx_port, "keys": self.keys_dir,
            "ca": ca or self.keys_dir / "ca.pem", "inbox": self.inbox_port,
            "user": "user root;" if os.geteuid() == 0 else ""})
        with open(folder / "out.log", "ab") as log:
            self.nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c",
                                           str(folder / "nginx.conf"), "-e",
                                           str(folder / "early.log")], stdout=log, stderr=log)
        steel.until(lambda: steel.listening(self.nginx_port), "nginx")

    def stop_nginx(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait(20)
            self.nginx = None

    def alerts(self, n, step=60000):
        """n alerts, each raised and cleared again: 2 n events."""
        rows = []
        for i in range(2 * n):
            rows.append('{"n":"t","u":"Cel","v":%s,"t":%d.%03d}' %
                        ("4" if i % 2 else "9", self.at // 1000, self.at % 1000))
            self.at += step
            if len(rows) == RECORDS or i == 2 * n - 1:
                code, text = self.coap.request("r/c1", ("[" + ",".join(rows) + "]").encode())
                self.assertEqual(code, "2.04", text)
                rows.clear()
            if i % 1000 == 999:  # as `replay` does it
                self.gateway.control("mark %d" % self.at)
        self.gateway.control("mark %d" % self.at)
        self.gateway.drained(300)
        self.count += n

    def state(self):
        return self.gateway.status()["upstream"][0]

    def delivered(self, seconds=60):
        steel.until(lambda: self.state()["waiting"] == 0, "all to be delivered", seconds)

    def kick(self):
        self.gateway.process.send_signal(steel.signal.SIGHUP)

    def compare(self):
        """Each event is at the inbox once, those of one alert in their order."""
        self.gateway.stop()
        self.inbox.stop()
        with sqlite3.connect("file:%s?mode=ro" % (self.dir / "inbox" / "inbox.db"), uri=True) as db:
            got = [row[0] for row in db.execute("SELECT id FROM events WHERE id NOT LIKE 'statement%' ORDER BY seq")]
        with sqlite3.connect("file:%s?mode=ro" % (self.dir / "data" / "store.db"), uri=True) as db:
            sent = [row[0] for row in db.execute("SELECT id FROM event WHERE alert IS NOT NULL")]
        self.assertEqual(len(sent), 2 * self.count)
        self.assertEqual(sorted(got), sorted(sent))
        first = {}
        for i, event in enumerate(got):
            alert, number = event.rsplit("/", 1)
            self.assertEqual(int(number), first.get(alert, 0) + 1, event)
            first[alert] = int(number)

    def test_all(self):
        self.start_nginx()
        self.alerts(3)
        steel.until(lambda: "answered 502" in self.state()["last_error"], "nginx to say 502")
        self.start(self.inbox)
        self.kick()
        self.delivered()

        # nginx answers 400 to everybody whose certificate it does not know: no event's fault.
        self.stop_nginx()
        self.start_nginx(ca=self.dir / "other" / "ca.pem")
        self.alerts(4)
        self.kick()
        steel.until(lambda: "answered 400" in self.state()["last_error"], "nginx to say 400")
        self.kick()
        steel.until(lambda: self.gateway.tail(200000).count("answered 400") > 4, "some tries")
        self.assertEqual(self.state()["refused"], 0)
        self.stop_nginx()
        self.start_nginx()
        self.kick()
        self.delivered()

        # Three days of which nothing got out, then a line that breaks in the middle of an answer.
        self.stop_nginx()
        before = self.gateway.rss_kb()
        self.alerts(EVENTS // 2, step=OUTAGE // EVENTS)
        self.line.limit = 30000
        self.start_nginx()
        self.kick()
        steel.until(lambda: self.line.broken >= 2 and (self.kick() or True), "a broken line", 60, 0.2)
        self.line.limit = None
        self.kick()
        start = time.monotonic()
        waiting = self.state()["waiting"]
        self.delivered(300)
        print("%d events waited, the last %d drained in %.1f s; resident %d KiB before, %d after" %
              (EVENTS, waiting, time.monotonic() - start, before, self.gateway.rss_kb()))
        self.assertEqual(self.state()["refused"], 0)
        self.compare()


@unittest.skipUnless(NGINX, "the package nginx is not installed")
class RoughOutage(Outage):
    LINE = Rough

    def test_all(self):
        """Three days of events, then a receiver that misbehaves in every way, on each connection in
        another one: all arrive, once, in order."""
        print("seed %d" % SEED)
        self.start(self.inbox)
        self.alerts(EVENTS // 2, step=OUTAGE // EVENTS)
        self.start_nginx()
        start = time.monotonic()
        kicked = [start]

        def through():
            if not self.state()["connected"] and time.monotonic() > kicked[0] + 0.3:
                kicked[0] = time.monotonic()
                self.kick()  # how long it pauses is no matter here
            self.line.calm = not self.line.first and time.monotonic() - start > ROUGH
            return self.state()["waiting"] == 0
        steel.until(through, "all to be delivered", 900, 0.2)
        self.assertEqual(self.line.first, [])
        print("%d events over %s in %.1f s" % (EVENTS, dict(self.line.done), time.monotonic() - start))
        self.assertEqual(self.state()["refused"], 0)
        self.compare()


if __name__ == "__main__":
    steel.main()
