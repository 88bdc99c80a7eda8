# SPDX-License-Identifier: Apache-2.0
"""What is kept: segments of the journal are sealed under load and after kill -9, read as before, let
go by retention but for what is held; a disk without room or inodes loses nothing."""

import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import time
import unittest

import devices
import steel

SEED = int(os.environ.get("SY_KEEPING_SEED", "0")) or random.randrange(1, 1 << 30)
ROUNDS = int(os.environ.get("SY_KEEPING_ROUNDS", "12"))
SEGMENT = 256 * 1024
RECORDS = 20  # in a message: one datagram
START = 1767571200000  # 2026-01-05

RULES = steel.warm_rule("KEEP-01", missing="400 days")


class Keeping(steel.Case):
    def setUp(self):
        super().setUp()
        print("seed %d" % SEED)
        self.rng = random.Random(SEED)
        self.port = steel.free_port(steel.socket.SOCK_DGRAM)
        self.rules = self.write("keep.rules", RULES)
        self.data = self.dir / "data"
        self.sent = {}

    def set_up(self, data=None, replay=False, **gateway):
        tree = steel.base_config(
            [self.rules],
            [{"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % self.port]},
            gateway={"segment": SEGMENT, **gateway})
        del tree["mqtt"]
        self.tree, self.config_path = tree, self.config(tree)
        if data:
            self.data = data
        self.gateway = steel.Gateway(self.config_path, self.data,
                                     *(["--clock", "replay"] if replay else []),
                                     log=self.dir / "gateway.log")
        self.start(self.gateway)
        self.device = devices.CoapDevice(("127.0.0.1", self.port))
        self.addCleanup(self.device.close)

    def message(self, start, step=8, warm=False):
        """RECORDS readings from `start` (epoch ms); warm: some of them are above the limit."""
        rows = []
        for i in range(RECORDS):
            t, value = start + i * step, round(self.rng.uniform(2, 7.9), 2)
            if warm and 8 <= i < 12:
                value = 9.25
            self.sent[t] = value
            rows.append('{"n":"t","u":"Cel","v":%r,"t":%d.%03d}' % (value, t // 1000, t % 1000))
        return ("[" + ",".join(rows) + "]").encode()

    def send(self, payload):
        steel.until(lambda: self.answered(payload), "an acknowledgement", 30, 0.002)

    def answered(self, payload):
        try:
            answer = self.device.request("r/c1", payload, deadline=5.0)
        except OSError:
            answer = None
        if answer is None:
            self.device.flight.clear()
            return False
        self.assertIn(answer[0], ("2.04", "5.03"), answer)
        return answer[0] == "2.04"

    def fill(self, segments, start=None, step=8):
        """Messages until that many segments were filled."""
        at, n = start or START, 0
        self.mark(at - 1)
        while self.files() < segments:
            at = self.one(at, step, n)
            n += 1
        self.mark(at)
        return at

    def one(self, at, step, n):
        """One message and the mark behind it; the next one's time."""
        self.send(self.message(at, step, warm=n % 10 == 3))
        at += RECORDS * step
        if n % 20 == 0:
            self.mark(at)
        return at

    def mark(self, at):
        return self.gateway.control("mark %d" % at)

    def files(self):
        """Segments that were begun, behind the first."""
        return len({p.name[:16] for p in (self.data / "journal").glob("*.log*")} |
                   set(self.begun())) - 1

    def begun(self):
        return ()

    def raw(self):
        return sorted(p.name for p in (self.data / "journal").glob("*.log"))

    def sealed(self):
        return sorted(p.name for p in (self.data / "journal").glob("*.logz"))

    def rows(self, sql):
        with sqlite3.connect("file:%s?mode=ro" % (self.data / "store.db"), uri=True) as db:
            return db.execute(sql).fetchall()

    def all_sealed(self):
        steel.until(lambda: len(self.raw()) == 1 and
                    len(self.sealed()) == self.rows("SELECT count(*) FROM segment "
                                                    "WHERE expired IS NULL")[0][0],
                    "all full segments to be sealed", 60)

    def nothing_lost(self):
        stored = {}
        for r in self.gateway.export():
            t = int(round(devices_time(r["time"]) * 1000))
            self.assertNotIn(t, stored)
            stored[t] = float(r["value"])
        self.assertEqual(stored, self.sent)

    def same_alerts(self):
        live = self.gateway.alerts()
        again = steel.cli("rules", "backtest", self.rules, "--config", self.config_path, "--data",
                          self.data, "--json")
        self.assertEqual(live, again)
        return live

    def test_sealed_under_load(self):
        self.set_up(replay=True)
        self.fill(8)
        self.gateway.drained()
        self.all_sealed()
        self.assertGreaterEqual(len(self.sealed()), 8)
        status = steel.until(lambda: self.gateway.status()["keeping"]["segments"]["sealed"] >= 8 and
                             self.gateway.status()["keeping"], "the figures", 15)
        self.assertIsNone(status["trouble"])
        self.assertEqual(status["segments"]["damaged"], 0)
        self.assertLess(status["disk"]["sealed"], status["disk"]["sealed_raw"] / 3)
        text = steel.cli("status", "--data", self.data)
        self.assertIn("keeps raw", text)
        self.nothing_lost()
        live = self.same_alerts()
        self.assertGreater(len(json.loads(live)), 3)
        # The judge is rebuilt from the first record on, through the sealed ones.
        self.gateway.stop()
        with sqlite3.connect(self.data / "store.db") as db:
            db.execute("DELETE FROM snapshot")
        self.gateway.start()
        self.gateway.drained()
        self.assertNotIn("journal-read-failed", self.gateway.tail(100000))
        self.assertEqual(self.gateway.alerts(), live)
        leaves = self.rows("SELECT count(*) FROM leaf WHERE CAST(bytes AS TEXT) "
                           "LIKE '{\"leaf\":\"segment\"%'")
        self.assertEqual(leaves, self.rows("SELECT count(*) FROM segment"))

    def test_killed_while_sealing(self):
        self.set_up(replay=True, sync="20 ms")
        now = START
        self.mark(now - 1)
        for _ in range(ROUNDS):
            for n in range(self.rng.randrange(200, 330)):
                now = self.one(now, 8, n)
            self.mark(now)
            self.gateway.control("wait %d" % self.gateway.status()["journal_seq"])
            end = time.monotonic() + self.rng.uniform(0, 0.3)
            steel.until(lambda: time.monotonic() >= end, "the kill", 5, 0.005)
            self.gateway.kill()
            self.gateway.start()
        self.gateway.drained()
        self.all_sealed()
        self.assertGreater(len(self.sealed()), ROUNDS * 2 // 3)
        self.nothing_lost()
        self.same_alerts()
        self.assertEqual(list((self.data / "journal").glob("*.new")), [])
        leaves = self.rows("SELECT count(*) FROM leaf WHERE CAST(bytes AS TEXT) "
                           "LIKE '{\"leaf\":\"segment\"%'")
        self.assertEqual(leaves, self.rows("SELECT count(*) FROM segment"))

    def test_retention_and_holds(self):
        """Half a year in which each month has an alert; one of them is held."""
        limit = {"time": "40 days"}
        self.set_up(replay=True, lateness="10 days", retention={"raw": limit, "alerts": limit})
        start, day = START, 86400000
        at = start
        for month in range(6):
            at = start + month * 30 * day
            before = self.files_ever()
            self.send(self.message(at, warm=True))
            while self.files_ever() < before + 2:
                at += RECORDS * 8
                self.send(self.message(at))
            self.mark(at + 3600000)
            self.gateway.drained()
            if month == 0:
                first = json.loads(self.gateway.alerts())[0]["id"]
                steel.cli("alerts", "hold", first, "--data", self.data, "--why", "case 7",
                          "--who", "Li Wei")
                again = steel.cli("alerts", "hold", first, "--data", self.data, "--why", "x",
                                  expect=None)
                self.assertEqual(again.returncode, 1)
                self.assertIn("held already", again.stderr)
            # The judge's snapshot of a clean end is what lets the log behind it go.
            self.gateway.stop()
            self.gateway.start()
        held = json.loads(steel.cli("alerts", "holds", "--data", self.data, "--json"))
        self.assertEqual([(h["alert"], h["who"], h["why"]) for h in held],
                         [(first, "Li Wei", "case 7")])
        steel.until(lambda: len(json.loads(self.gateway.alerts())) <= 3, "alerts to expire", 60)
        ids = [a["id"] for a in json.loads(self.gateway.alerts())]
        self.assertIn(first, ids)
        times = self.rows("SELECT begin, expired IS NULL FROM segment ORDER BY first")
        steel.until(lambda: all(e for b, e in self.kept_by_month(1)), "January to stay", 5)
        steel.until(lambda: not any(e for b, e in self.kept_by_month(2, 3)), "the next months to go",
                    60)
        self.assertTrue(times)
        self.assertTrue(self.rows("SELECT count(*) FROM basis WHERE event LIKE '%s/%%'" % first)
                        [0][0] > 0)
        n = self.rows("SELECT count(*) FROM leaf WHERE CAST(bytes AS TEXT) "
                           "LIKE '{\"leaf\":\"expiry\"%'")[0][0]
        self.assertGreater(n, 4)
        steel.cli("alerts", "release", first, "--data", self.data, "--why", "case closed")
        steel.until(lambda: first not in [a["id"] for a in json.loads(self.gateway.alerts())],
                    "the released alert to expire", 60)
        steel.until(lambda: not any(e for b, e in self.kept_by_month(1)), "January to go", 60)
        self.assertEqual(len(self.sealed()),
                         self.rows("SELECT count(*) FROM segment WHERE expired IS NULL")[0][0])

    def files_ever(self):
        names = [int(p.name[:16], 16) for p in (self.data / "journal").glob("*.log")]
        return len(self.rows("SELECT first FROM segment")) + len(names)

    def kept_by_month(self, first, last=None):
        start, month = START, 30 * 86400000
        low, high = start + (first - 1) * month - 86400000, start + (last or first) * month - 86400000
        return [(b, kept) for b, kept in
                self.rows("SELECT begin, expired IS NULL FROM segment ORDER BY first")
                if low <= b < high]

    @unittest.skipUnless(os.geteuid() == 0 and sys.platform == "linux", "needs root to mount a disk")
    def test_no_inodes(self):
        disk = self.dir / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,nr_inodes=60", "none",
                           str(disk)], capture_output=True).returncode:
            self.skipTest("no mount here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)])
        self.set_up(data=disk / "data", replay=True)
        now = self.fill(2)
        self.gateway.drained()
        self.all_sealed()
        # The next original is begun, then there is no inode to seal it with.
        while len(self.raw()) < 2:
            self.send(self.message(now))
            now += RECORDS * 8
        taken = []
        try:
            while True:
                path = disk / ("taken%d" % len(taken))
                path.touch(exist_ok=False)
                taken.append(path)
        except OSError:
            pass
        sealed = len(self.sealed())
        if len(self.raw()) == 2:
            self.gateway.drained()
            steel.until(lambda: self.gateway.status()["keeping"]["trouble"], "the trouble", 30)
            self.assertEqual(len(self.sealed()), sealed)
            self.assertEqual(self.gateway.tail(1000000).count("event=seal-failed"), 1)
        for path in taken:
            path.unlink()
        self.gateway.drained()
        self.all_sealed()
        steel.until(lambda: self.gateway.status()["keeping"]["trouble"] is None, "all well", 30)
        self.nothing_lost()


def devices_time(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    steel.main()
