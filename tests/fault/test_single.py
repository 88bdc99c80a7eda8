#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Single faults, one at a time: a full disk, no inodes, a disk that cannot be read, damaged bytes in
the journal and in the store, a clock that jumps, descriptors used up, two gateways on one folder."""

import datetime
import json
import os
import random
import shutil
import subprocess
import time
import types
import unittest
import urllib.request

import ledger
import rig
import shim
import small
from shim import steel

import test_bus  # tests/system is in the path by now

SEED = int(os.environ.get("SY_FAULT_SEED", "0")) or random.randrange(1, 1 << 30)
FLIPS = int(os.environ.get("SY_FAULT_FLIPS", "1"))
MIB = 1 << 20


class Disk(small.Case):
    DESTINATION = True

    def test_full(self):
        """Below the reserve readings wait; without any room at all nothing is lost either."""
        self.gateway.start()
        self.assertTrue(self.send())
        self.ctl.room = 32 * MIB
        steel.until(lambda: not self.send(deadline=0.3), "readings to wait", 30)
        self.ctl.room = 0
        self.assertFalse(self.send(deadline=0.5))
        self.assertTrue(self.gateway.running())
        self.ctl.room = -1
        self.until_sent("readings to go on")
        self.until_sent("an alert", warm=True)
        self.compare()
        self.same_alerts()
        self.assertEqual(self.gateway.stop(), 0)

    def test_full_store(self):
        """The store finds no room though the journal does (it is preallocated): tried again."""
        self.gateway.start()
        self.assertTrue(self.send())
        self.gateway.drained()
        self.ctl.fail_call(["write"], 2, 28, times=-1)  # the record is kept, the commit is not
        self.send(warm=True, deadline=1)
        steel.until(lambda: "commit-failed" in self.log(), "a commit that fails")
        self.assertTrue(self.gateway.running())
        self.ctl.rest()
        self.until_sent("readings to go on")
        self.compare()
        self.same_alerts()
        self.assertEqual(self.gateway.stop(), 0)

    def test_start_on_a_full_disk(self):
        self.gateway.start()
        self.assertTrue(self.send(warm=True))
        self.gateway.kill()
        self.ctl.room = 0
        try:
            self.gateway.start()
        except AssertionError:
            self.assertIn(self.gateway.process.wait(20), (1, 2))
            self.assertIn("start-failed", self.log())
            self.assertIn('error="no room"', self.log())
        else:
            self.gateway.kill()
        self.ctl.rest()
        self.gateway.start()
        self.assertTrue(self.send())
        self.compare()

    def test_no_inodes(self):
        """A reload that cannot keep its texts changes nothing; the gateway goes on."""
        self.gateway.start()
        self.ctl.no_inodes = 1
        self.assertTrue(self.send())
        self.rules.write_text(small.RULE % "50 min")
        self.assertFalse(self.gateway.control("reload")["ok"])
        self.assertTrue(self.send(warm=True))
        self.ctl.no_inodes = 0
        self.assertTrue(self.gateway.control("reload")["ok"])
        self.assertTrue(self.send())
        self.compare()
        self.assertEqual(self.gateway.stop(), 0)

    def test_cannot_be_read(self):
        """A start on a disk that cannot be read says so and ends; once it can, all is there."""
        self.gateway.start()
        self.assertTrue(self.send(warm=True))
        self.assertEqual(self.gateway.stop(), 0)
        self.ctl.fail_call(["read"], 1, 5, times=-1)
        with self.assertRaises(AssertionError):
            self.gateway.start()
        self.assertEqual(self.gateway.process.wait(20), 1)
        self.assertIn("start-failed", self.log())
        self.ctl.rest()
        self.gateway.start()
        self.compare()
        self.same_alerts()

    def test_sync_fails(self):
        """A sync that fails: the records are written elsewhere and synced there."""
        self.gateway.start()
        self.assertTrue(self.send())
        self.ctl.fail_call(["sync"], 1, 5, times=3)
        for _ in range(5):
            self.send(warm=True, deadline=1)
        self.until_sent("readings to go on")
        self.compare()
        self.gateway.kill()
        self.gateway.start()
        self.compare()
        self.same_alerts()


def type_of(raw, at):
    """Where the type of the record lies that byte `at` of a journal segment belongs to; records
    before it are whole."""
    off = 32
    while True:
        length = int.from_bytes(raw[off:off + 4], "little")
        if at < off + 4 or off + length > at or length < 36:
            return off + 28
        off += length


def log_ms(status):
    at = datetime.datetime.strptime(status["log_time"], "%Y-%m-%dT%H:%M:%S.%fZ")
    return at.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000


class Strict(small.Case):
    DURABILITY = "strict"

    def test_sent_again_after_a_crash(self):
        """A message that is kept, but was not acknowledged when the process died, is acknowledged
        when it is sent again, though nothing else comes in."""
        self.gateway.start()
        self.assertTrue(self.send())
        self.ctl.fail_call(["sync"], 1, 5, times=-1)
        value = self.value(False)
        self.sent.append(value)
        self.coap.post("again", "r/c1", b"%.3f" % value)
        steel.until(lambda: self.coap.poll(0.05) or "journal-sync" in self.log(), "a failed sync")
        self.assertNotIn("again", self.coap.acked)
        self.gateway.kill()
        self.ctl.rest()
        self.gateway.start()
        steel.until(lambda: self.coap.poll(0.05) or "again" in self.coap.acked,
                    "the acknowledgement", 10)
        self.acked.append(value)
        self.compare()
        self.assertEqual(self.gateway.status()["duplicates"], 1)


class Damage(small.Case):
    def fill(self):
        self.gateway.start()
        for i in range(12):
            self.assertTrue(self.send(warm=i % 3 == 1))
        self.gateway.drained()
        self.assertEqual(self.gateway.stop(), 0)

    def test_journal(self):
        """Flipped bytes in the journal: set aside, reported, the rest goes on; and where the store
        is made again from it, all but the damaged records is there."""
        self.fill()
        rng = random.Random(SEED)
        print("seed %d" % SEED)
        good = self.dir / "good"
        small.copy(self.data, good)
        segment = next((good / "journal").glob("*.log")).relative_to(good)
        used = len((good / segment).read_bytes().rstrip(b"\0"))
        for n in range(FLIPS):
            small.copy(good, self.data)
            at, bit = rng.randrange(used), rng.randrange(8)
            raw = bytearray((good / segment).read_bytes())
            raw[at] ^= 1 << bit
            (self.data / segment).write_bytes(raw)
            with self.apart(at=at, bit=bit):
                self.gateway.start()
                self.gateway.drained()
                self.compare()
                self.assertTrue("journal-damaged" in self.log() or "journal-torn" in self.log())
                self.assertEqual(self.gateway.stop(), 0)
                for path in self.data.glob("store.db*"):
                    path.unlink()
                self.gateway.start()
                self.gateway.drained()
                if b"\x04" != raw[type_of(raw, at):][:1]:
                    got = self.stored()
                    missing = [v for v in self.acked if v not in got]
                    self.assertLessEqual(len(missing), 1, "a flipped bit cost more than a reading")
                self.assertTrue(self.send())
                self.assertEqual(self.gateway.stop(), 0)

    def test_zeroed_and_cut(self):
        """A sector of zeros in the journal, and a segment that lost its end."""
        self.fill()
        good = self.dir / "good"
        small.copy(self.data, good)
        segment = next((good / "journal").glob("*.log")).relative_to(good)
        raw = (good / segment).read_bytes()
        used = len(raw.rstrip(b"\0"))
        for name, bad in (("zeros", raw[:512] + bytes(256) + raw[768:]),
                          ("cut", raw[:used - 100]), ("empty", b"")):
            small.copy(good, self.data)
            (self.data / segment).write_bytes(bad)
            with self.apart(what=name):
                self.gateway.start()
                self.compare()
                self.assertTrue(self.send())
                self.compare()
                self.assertEqual(self.gateway.stop(), 0)


class Store(small.Case):
    DESTINATION = True

    def fill(self):
        """The box's own ledger, an inbox that has seen heads, alerts that are over, one open."""
        self.gateway.start()
        for i in range(13):
            self.assertTrue(self.send(warm=i % 3 == 0))
        self.gateway.drained()
        self.heads = ledger.read(self.data)[1]
        self.assertEqual(self.gateway.stop(), 0)
        self.good = self.dir / "good"
        small.copy(self.data, self.good)

    def start_until_it_stands(self):
        """Starts, as often as it ends by itself; the answers of a service manager."""
        for _ in range(4):
            try:
                self.gateway.start()
                self.gateway.drained()
                self.send()
                self.gateway.drained()
                return
            except (AssertionError, OSError):
                self.assertEqual(self.gateway.process.wait(20), 1, self.log()[-2000:])
        self.fail("it ends again and again:\n" + self.log()[-4000:])

    def spoil(self, at, raw):
        small.copy(self.good, self.data)
        with open(self.data / "store.db", "r+b") as f:
            f.seek(at)
            f.write(raw)

    def test_pages(self):
        """A page of the store is rubbish: found when it is used, or when a start is asked to look;
        set aside, made again from the journal and from what can be read of it, and told."""
        self.fill()
        size = (self.good / "store.db").stat().st_size
        rng = random.Random(SEED)
        print("seed %d, %d pages" % (SEED, size // 4096))
        pages = range(size // 4096)
        for page in [0] + sorted(rng.sample(pages[1:], min(FLIPS + 1, len(pages) - 1))):
            with self.apart(page=page):
                self.spoil(page * 4096, rng.randbytes(4096))
                self.start_until_it_stands()
                self.gateway.stop()
                (self.data / "store.check").touch()
                self.start_until_it_stands()
                self.compare()
                self.same_alerts()
                status = self.gateway.status()
                mended = (self.data / "store.db.damaged").exists()
                trouble = status["ledger"]["state"] != "signing"
                if mended:
                    told = [i for i in rig.events_in_box(self.data) if i.startswith("store-damaged")]
                    self.assertEqual(len(told), 1)
                else:
                    self.assertFalse(trouble)
                if not trouble:
                    ledger.check(self.data, [(h["size"], h["root"]) for h in self.heads])
                self.assertFalse((self.data / "store.check").exists())
                print("  page %d: %s%s" % (page, "made again" if mended else "not in use",
                                           ", the ledger is lost" if trouble else ""), flush=True)
                self.assertEqual(self.gateway.stop(), 0)
                self.assertTrue(mended or page)

    def test_no_store(self):
        """The store is gone: made again from the journal; nothing is signed over another ledger."""
        self.fill()
        for path in self.data.glob("store.db*"):
            path.unlink()
        self.start_until_it_stands()
        self.compare()
        self.same_alerts()


class Since1970(small.Case):
    """A box without a clock of its own: its wall clock says 1970 until somebody tells it."""

    DESTINATION = True

    def setUp(self):
        super().setUp()
        self.rules.write_text((small.RULE % self.MISSING).replace("2013-", "1970-"))

    def inbox(self, *more):
        keys = self.dir / "keys"
        page = steel.free_port()
        self.start(steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % self.inbox_port, "--cert",
             keys / "authority.pem", "--key", keys / "authority.key", "--client-ca",
             keys / "ca.pem", "--data", self.dir / "inbox", "--page", "127.0.0.1:%d" % page,
             *more], self.dir / "inbox.log"))
        return page

    def types(self, page):
        with urllib.request.urlopen("http://127.0.0.1:%d/api/events" % page, timeout=20) as answer:
            return [e["type"] for e in json.load(answer)]

    def upstream(self):
        return self.gateway.status()["upstream"]

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60)

    def renew_the_receiver(self):
        """Another CA and receiver, whose certificates begin later than the program was built."""
        keys = self.dir / "keys"
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self.openssl("req", "-x509", *new, "-keyout", keys / "ca.key", "-out", keys / "ca.pem",
                     "-days", 30, "-subj", "/CN=Renewed", "-addext",
                     "keyUsage=critical,keyCertSign,cRLSign")
        for name, extension in (("authority", "subjectAltName=IP:127.0.0.1"),
                                ("gateway", "extendedKeyUsage=clientAuth")):
            csr, more = keys / (name + ".csr"), self.write("ext", extension)
            self.openssl("req", *new, "-keyout", keys / (name + ".key"), "-out", csr, "-subj",
                         "/CN=" + name)
            self.openssl("x509", "-req", "-in", csr, "-CA", keys / "ca.pem", "-CAkey",
                         keys / "ca.key", "-CAcreateserial", "-days", 30, "-extfile", more,
                         "-out", keys / (name + ".pem"))

    def broker(self):
        """A mosquitto with the receiver's certificate, as a second destination."""
        keys = self.dir / "keys"
        for kind in (".pem", ".key"):
            shutil.copy(keys / ("authority" + kind), keys / ("broker" + kind))
        broker = test_bus.Mosquitto(self.dir / "m", types.SimpleNamespace(dir=keys))
        broker.start()
        self.addCleanup(broker.stop)
        self.tree["destinations"].append({
            **self.tree["destinations"][0], "name": "bus", "kind": "mqtt",
            "url": "mqtts://127.0.0.1:%d" % broker.port})
        self.config(self.tree)

    def test_it_enrols(self):
        self.renew_the_receiver()
        keys, now = self.dir / "keys", int(time.time() * 1000)
        self.write("tokens", "gw-test-1 secret-one\n")
        token = self.write("token", "secret-one")
        self.inbox("--est-ca", keys / "ca.pem", "--est-ca-key", keys / "ca.key", "--est-tokens",
                   self.dir / "tokens")
        self.ctl.synced, self.ctl.wall_shift = 0, -now
        steel.cli("enrol", "--data", self.data, "--gateway", "gw-test-1", "--url",
                  "https://127.0.0.1:%d/.well-known/est" % self.inbox_port, "--ca", keys / "ca.pem",
                  "--token-file", token, env=shim.environment(self.data, control=self.ctl))
        self.assertTrue((self.data / "enrolled" / "gateway.pem").exists())

    def test_it_reports(self):
        """At its first start, though the receivers' certificates are younger than the program;
        then over a restart."""
        self.renew_the_receiver()
        page = self.inbox()
        self.broker()
        self.ctl.synced, self.ctl.wall_shift = 0, -int(time.time() * 1000)
        self.gateway.start()
        self.assertTrue(self.send(warm=True))
        steel.until(lambda: "steelyard.alert.raised" in self.types(page), "the alert")
        self.gateway.kill()
        self.gateway.start()
        self.assertTrue(self.send())
        steel.until(lambda: "steelyard.alert.cleared" in self.types(page), "the clearance")
        steel.until(lambda: [d["waiting"] for d in self.upstream()] == [0, 0], "the broker")
        self.assertEqual([d["refused"] for d in self.upstream()], [0, 0])


class Clock(small.Case):
    def test_steps(self):
        """Hours, 1970, 2099 and back, while it runs and over a restart: everything acknowledged is
        stored once, and the log gives the same again."""
        hour = 3600 * 1000
        now = int(time.time() * 1000)
        self.ctl.synced = 1
        self.gateway.start()
        for step in (0, 5 * hour, -7 * hour, -now, 73 * 365 * 24 * hour, 0, 25 * hour, 0):
            self.ctl.wall_shift = step
            for warm in (True, False):
                self.assertTrue(self.send(warm=warm), step)
        self.compare()
        self.gateway.kill()
        self.ctl.synced, self.ctl.wall_shift = 0, -now
        self.gateway.start()
        self.assertTrue(self.send(warm=True))
        self.assertGreater(log_ms(self.gateway.status()), now - hour)
        self.ctl.synced, self.ctl.wall_shift = 1, 0
        self.assertTrue(self.send())
        self.compare()
        self.same_when_rebuilt()

    def test_first_start_in_1970(self):
        now = int(time.time() * 1000)
        self.ctl.synced, self.ctl.wall_shift = 0, -now
        self.gateway.start()
        self.assertTrue(self.send(warm=True))
        self.ctl.wall_shift, self.ctl.synced = 0, 1
        self.assertTrue(self.send(warm=True))
        self.assertTrue(self.send())
        self.compare()
        self.same_when_rebuilt()


class Descriptors(small.Case):
    DESTINATION = True

    def test_used_up(self):
        """Many connections and no descriptor left: readings are taken, and all goes on after."""
        self.gateway.start()
        self.assertTrue(self.send())
        self.use_up_descriptors(left=2)
        clients = []
        for _ in range(24):
            s = steel.socket.socket(steel.socket.AF_UNIX)
            s.setblocking(False)
            self.addCleanup(s.close)
            clients.append(s)
            try:
                s.connect(str(self.data / "control.sock"))
            except BlockingIOError:
                break  # no more are waited for
        self.assertTrue(self.send(warm=True))
        used, end = self.gateway.cpu(), time.monotonic() + 1
        steel.until(lambda: time.monotonic() > end, "a second", 5)
        self.assertLess(self.gateway.cpu() - used, 0.5, "it runs in circles")
        self.assertTrue(self.send())
        for s in clients:
            s.close()
        self.give_descriptors()
        self.compare()
        self.same_alerts()
        self.assertEqual(self.gateway.stop(), 0)


class Key(small.Case):
    DESTINATION = True

    def test_key_missing(self):
        """The ledger's key is gone, or is another one: nothing is signed and no key is made in its
        place; everything else goes on, and the destinations are told. With the key all is well."""
        self.gateway.start()
        self.assertTrue(self.send(True))
        self.gateway.drained()
        self.assertEqual(self.gateway.stop(), 0)
        key = self.data / "ledger" / "key.pem"
        good = key.read_bytes()
        heads = ledger.read(self.data)[1]
        for bad in (None, b"", b"-----BEGIN PRIVATE KEY-----\nrubbish\n"):
            key.unlink(missing_ok=True)
            if bad is not None:
                key.write_bytes(bad)
            self.gateway.start()
            self.assertEqual(self.gateway.status()["ledger"]["state"], "trouble")
            self.assertTrue(self.send(False))
            self.assertTrue(self.send(True))
            self.compare()
            self.same_alerts()
            self.assertEqual(ledger.read(self.data)[1], heads)
            self.assertTrue([i for i in rig.events_in_box(self.data)
                             if i.startswith("ledger-trouble")])
            self.assertEqual(self.gateway.stop(), 0)
            self.assertEqual(key.read_bytes() if key.exists() else None, bad)
        key.write_bytes(good)
        self.gateway.start()
        self.assertTrue(self.send(False))
        self.compare()
        self.assertEqual(self.gateway.status()["ledger"]["state"], "signing")
        ledger.check(self.data, [(h["size"], h["root"]) for h in heads])
        self.assertGreater(len(ledger.read(self.data)[1]), len(heads))
        self.assertEqual(self.gateway.stop(), 0)


class Two(small.Case):
    def test_two_on_one_folder(self):
        self.gateway.start()
        self.assertTrue(self.send())
        done = subprocess.run([steel.BINARY, "run", "--config", str(self.config_path), "--data",
                               str(self.data)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("another gateway runs on the data folder %s" % self.data, done.stderr)
        self.assertTrue(self.send())
        self.compare()


if __name__ == "__main__":
    steel.main()
