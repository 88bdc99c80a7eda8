# SPDX-License-Identifier: Apache-2.0
"""The gateway over its life: a bad configuration, a reload, a restart, an outage upstream, a full
disk, and two gateways on one data folder."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import unittest

import devices
import steel

RULE = """
rule LIFE-01 version %d "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 60 s
  alert warning when temperature above %s °C [policy]
  clear when temperature at most %s °C
  then tell premises, inspector
  say "Only a test."
end
"""


class Life(steel.Case):
    def setUp(self):
        super().setUp()
        self.rules = self.write("life.rules", RULE % (1, 8, 8))
        self.coap_port = steel.free_port(steel.socket.SOCK_DGRAM)
        self.inbox_port = steel.free_port()
        keys = self.keys()
        self.tree = steel.base_config(
            [self.rules],
            [{"id": "c1", "transport": "coap", "format": "number", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % self.coap_port]},
            destinations=[{"name": "inbox", "kind": "https",
                           "url": "https://127.0.0.1:%d/events" % self.inbox_port,
                           "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                                   "key": str(keys / "gateway.key")},
                           "serves": ["premises"], "severity": "notice"}])
        self.config_path = self.config(self.tree)
        self.data = self.dir / "data"
        self.gateway = steel.Gateway(self.config_path, self.data)
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % self.inbox_port, "--cert",
             keys / "authority.pem", "--key", keys / "authority.key", "--client-ca",
             keys / "ca.pem", "--data", self.dir / "inbox"], self.dir / "inbox.log")
        self.coap = devices.CoapDevice(("127.0.0.1", self.coap_port))
        self.addCleanup(self.coap.close)

    def send(self, value):
        code, text = self.coap.request("r/c1", str(value).encode())
        self.assertEqual(code, "2.04", text)
        self.gateway.drained()

    def states(self):
        return [(a["version"], a["state"]) for a in json.loads(self.gateway.alerts())]

    def test_bad_configuration(self):
        good = self.rules.read_text()
        self.rules.write_text(good.replace("temperature above", "temperture above"))
        done = subprocess.run([steel.BINARY, "run", "--config", str(self.config_path), "--data",
                               str(self.data)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("life.rules:8:", done.stderr)
        self.assertIn("did you mean 'temperature'", done.stderr)
        self.rules.write_text(good)
        self.start(self.gateway)
        self.send(9)
        self.rules.write_text(good.replace("rule LIFE", "rul LIFE"))
        os.kill(self.gateway.process.pid, signal.SIGHUP)
        steel.until(lambda: "life.rules" in self.gateway.tail(100000), "the refusal in the log")
        self.send(4)
        self.assertEqual(self.states(), [(1, "cleared")])
        self.gateway.stop()
        self.gateway.start()
        self.send(9.5)
        self.assertEqual(self.states(), [(1, "cleared"), (1, "active")])

    def test_reload(self):
        self.start(self.gateway)
        self.send(9)
        self.assertEqual(self.states(), [(1, "active")])
        self.rules.write_text(RULE % (2, 12, 12))
        os.kill(self.gateway.process.pid, signal.SIGHUP)
        steel.until(lambda: "reloaded" in self.gateway.tail(100000), "the reload in the log")
        self.send(9.2)
        self.send(13)
        self.send(4)
        alerts = json.loads(self.gateway.alerts())
        self.assertTrue(all(a["state"] == "cleared" for a in alerts), alerts)
        self.assertEqual(alerts[-1]["version"], 2)
        self.gateway.stop()
        live = json.loads(self.gateway.alerts())
        self.gateway.start()
        self.gateway.drained()
        self.assertEqual(json.loads(self.gateway.alerts()), live)

    def test_reload_that_cannot_be_noted(self):
        """The log has the activation: judge, drivers and status follow it together."""
        self.start(self.gateway)
        self.send(9)
        current = self.data / "accepted" / "current"
        current.unlink()
        current.mkdir()
        before = self.gateway.status()["configuration"]["set"]
        self.rules.write_text(RULE % (2, 12, 12))
        os.kill(self.gateway.process.pid, signal.SIGHUP)
        steel.until(lambda: "activation-not-noted" in self.gateway.tail(100000), "the log's line")
        self.send(4)
        self.assertNotEqual(self.gateway.status()["configuration"]["set"], before)
        self.assertEqual(self.states(), [(2, "cleared")])

    def test_outage(self):
        self.start(self.gateway)
        for i in range(20):
            self.send(9)
            self.send(4)
        status = self.gateway.status()
        self.assertEqual(status["events_delivered"], 0)
        self.assertGreaterEqual(status["events_queued"], 40)
        self.gateway.kill()
        self.gateway.start()
        self.start(self.inbox)
        steel.until(lambda: self.gateway.status()["events_delivered"] ==
                    self.gateway.status()["events_queued"], "the outbox to empty", 60)
        self.inbox.kill()
        self.send(9)
        self.inbox.start()
        steel.until(lambda: self.gateway.status()["events_delivered"] ==
                    self.gateway.status()["events_queued"], "the last event", 60)
        self.inbox.stop()
        box = sqlite3.connect("file:%s?mode=ro" % (self.dir / "inbox" / "inbox.db"), uri=True)
        n, ids = box.execute("SELECT COUNT(*), COUNT(DISTINCT id) FROM events").fetchone()
        self.assertEqual(n, ids)
        self.assertEqual(n, self.gateway.status()["events_queued"])

    def test_two_on_one_folder(self):
        self.start(self.gateway)
        done = subprocess.run([steel.BINARY, "run", "--config", str(self.config_path), "--data",
                               str(self.data)], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(self.data), done.stderr)
        self.send(5)

    @unittest.skipUnless(os.geteuid() == 0 and sys.platform == "linux", "needs root to mount a disk")
    def test_full_disk(self):
        """Readings stop being acknowledged before the disk is full, and all goes on by itself."""
        disk = self.dir / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "none", str(disk)],
                          capture_output=True).returncode:
            self.skipTest("no mount here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)])
        self.gateway = steel.Gateway(self.config_path, disk / "data", log=self.dir / "gw.log")
        self.start(self.gateway)
        self.send(5)
        ballast = disk / "ballast"
        with open(ballast, "wb") as f:
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            os.posix_fallocate(f.fileno(), 0, max(1, free - 8 * 1024 * 1024))

        def refused():
            answer = self.coap.request("r/c1", b"6", deadline=1.0)
            if answer is None or answer[0] != "2.04":
                return True
            return False
        steel.until(refused, "a reading that is not acknowledged", 60)
        ballast.unlink()
        self.coap.flight.clear()

        def taken():
            answer = self.coap.request("r/c1", b"7", deadline=2.0)
            self.coap.flight.clear()
            return answer is not None and answer[0] == "2.04"
        steel.until(taken, "readings to go on", 60)
        self.gateway.drained()
        values = {float(r["value"]) for r in self.gateway.export()}
        self.assertTrue({5.0, 7.0} <= values, values)


if __name__ == "__main__":
    steel.main()
