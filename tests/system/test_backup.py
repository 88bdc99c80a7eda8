# SPDX-License-Identifier: Apache-2.0
"""A backup of a running gateway, restored on another machine: what was kept goes on there, what was
recorded after the backup is a gap that is admitted with its reason, and not a ledger that was cut.
And the planned move, where nothing is lost."""

import json
import shutil
import signal
import ssl
import subprocess
import threading
import urllib.request

import devices
import ledger_rig
import steel

TOPIC = "cold/m1"


class Backup(ledger_rig.LedgerCase):
    def make(self, data, box, ledger=None, name="inbox"):
        """As the rig's, with a device of the managed broker in a cabinet of its own."""
        gateway = super().make(data, box, ledger, name)
        tree = json.loads(gateway.config.read_text())
        gateway.mqtt = steel.free_port()
        tree["mqtt"] = {"broker": "managed", "listen": ["127.0.0.1:%d" % gateway.mqtt]}
        tree["devices"].append({"id": "m1", "transport": "mqtt", "topic": TOPIC,
                                "format": "number", "credential": "password"})
        tree["premises"][0]["places"].append(
            {"id": "store", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "m1", "name": "t", "unit": "degC"}]})
        gateway.config.write_text(json.dumps(tree))
        return gateway

    def backup(self, gateway, name="backup", *more):
        steel.cli("backup", self.dir / name, "--data", gateway.data, *more)
        return self.dir / name

    def restore(self, name, data, *more, why="the card broke", expect=0):
        return steel.cli("restore", self.dir / name, "--data", self.dir / data, "--why", why,
                         "--who", "li", *more, expect=expect)

    def told_heads(self):
        return self.write("heads.json", self.api("/api/heads?source=/steelyard/gw-test-1"))

    def verify(self, data, *more):
        done = steel.cli("verify", data, "--ca", self.keys_dir / "ca.pem", "--language", "en", *more,
                         expect=None)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def post(self, event):
        context = ssl.create_default_context(cafile=str(self.keys_dir / "ca.pem"))
        context.load_cert_chain(self.keys_dir / "gateway.pem", self.keys_dir / "gateway.key")
        request = urllib.request.Request(
            "https://127.0.0.1:%d/events" % self.inbox_port, json.dumps(event).encode(),
            {"Content-Type": "application/cloudevents+json"})
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            self.assertEqual(json.loads(answer.read())["stored"], 1)

    def readings(self, gateway):
        return [float(r["value"]) for r in gateway.export()]

    def flag(self, kind):
        found = [f["text"] for f in json.loads(self.api("/api/ledger"))["flags"]
                 if f["kind"] == kind]
        self.assertEqual(len(found), 1, self.flags())
        return found[0]

    def test_restored_on_another_box(self):
        password = steel.cli("devices", "add", "m1", "--config", self.gateway.config, "--data",
                             self.gateway.data).strip()
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9, 4)
        self.told(self.gateway)
        # The gateway stands still, the broker acknowledges: that message is in the spool alone.
        self.gateway.process.send_signal(signal.SIGSTOP)
        device = devices.MqttDevice(("127.0.0.1", self.gateway.mqtt), "m1", "m1", password)
        self.assertTrue(device.send_all([(1, TOPIC, b"6.5")], 20))
        device.close()
        backup = self.backup(self.gateway)
        self.gateway.process.send_signal(signal.SIGCONT)
        about = json.loads((backup / "backup.json").read_text())
        self.assertEqual((about["gateway"], about["version"]), ("gw-test-1", 1))
        self.assertEqual([p for p in backup.rglob("*") if p.is_file() and p.stat().st_mode & 0o77],
                         [])
        # The box goes on, and then it dies.
        self.send(self.gateway, 9, 4, 9)
        self.told(self.gateway)
        known = self.heads()[-1][0]
        self.assertGreater(known, about["leaves"])
        self.assertEqual(self.flags(), [])
        self.gateway.kill()
        events = len(self.events())
        # Another machine.
        said = self.restore("backup", "new", "--heads", self.told_heads())
        self.assertIn("%d are lost" % (known - about["leaves"]), said)
        new = self.make("new", "box-2")
        self.start(new)
        new.drained()
        self.assertEqual(sorted(self.readings(new)), [4, 6.5, 9])
        device = devices.MqttDevice(("127.0.0.1", new.mqtt), "m1", "m1", password)
        self.assertTrue(device.send_all([(2, TOPIC, b"7.5")], 20))  # its password came along
        device.close()
        self.send(new, 9.5, 4.5)
        self.told(new)
        self.assertEqual(sorted(self.flags()), ["moved", "restored"])
        text = self.flag("restored")
        self.assertIn("to %d entries" % about["leaves"], text)
        self.assertIn("%d entries that were known here are lost there (up to %d," % (
            known - about["leaves"], known), text)
        self.assertIn("li: the card broke", text)
        for page, words in (("/ledger?lang=en", "The ledger was restored from a backup"),
                            ("/ledger?lang=zh", "账本已由备份恢复"), ("/ledger?lang=en", text)):
            self.assertIn(words, self.api(page))
        fresh = self.events()[events:]
        self.assertEqual({e["proof"] for e in fresh}, {"proven"})
        told = [e["event"]["data"] for e in fresh if e["type"] == "steelyard.ledger.restored"]
        self.assertEqual([(d["leaves"], d["root"], d["known"], d["who"], d["why"]) for d in told],
                         [(about["leaves"], about["root"], known, "li", "the card broke")])
        self.assertIn("ledger-restored", new.tail())
        self.assertEqual([p.name for p in (new.data / "ledger").iterdir()], [])
        # From there on heads are consistent, over restarts too, and nothing is told twice.
        new.stop()
        new.start()
        self.send(new, 9.25)
        self.told(new)
        self.assertEqual(sorted(self.flags()), ["moved", "restored"])
        self.assertGreater(self.expect_true_heads(new), 3)
        leaves = [json.loads(leaf) for leaf in self.leaves(new)]
        at = about["leaves"]
        self.assertEqual([leaf["leaf"] for leaf in leaves[at:at + 3]], ["action", "box", "event"])
        self.assertEqual((leaves[at]["what"], leaves[at]["why"]), ("restore", "the card broke"))
        new.stop()
        said = self.verify(new.data, "--heads", self.told_heads())
        self.assertIn("from leaf %d on it goes on from a backup" % at, said)
        self.assertIn("gap: ", said)
        self.assertIn("up to %d leaves" % known, said)
        # The old card comes to life again: that is no gap, that is a second history.
        new.start()
        self.start(self.gateway)
        self.send(self.gateway, 4)
        steel.until(lambda: {"cloned", "forked"} <= set(self.flags()), "the second history", 60)

    def test_moved_as_a_whole(self):
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9, 4)
        self.told(self.gateway)
        size = self.heads()[-1][0]
        self.gateway.stop()
        shutil.move(self.gateway.data, self.dir / "moved")
        moved = self.make("moved", "box-2")
        self.start(moved)
        self.send(moved, 9)
        self.told(moved)
        self.assertEqual(self.flags(), ["moved"])
        self.assertEqual(sorted(self.readings(moved)), [4, 9, 9])
        self.expect_true_heads(moved)
        leaves = [json.loads(leaf) for leaf in self.leaves(moved)]
        self.assertIn("box", [leaf["leaf"] for leaf in leaves[size:]])
        self.assertIn("steelyard.box.changed", [e["type"] for e in self.events()])
        self.assertNotIn("steelyard.ledger.restored", [e["type"] for e in self.events()])
        # Who can reach the receiver, and has no key of the ledger, cannot make it give up anything.
        known = self.heads()
        self.post({"specversion": "1.0", "id": "ledger-restored/0", "type":
                   "steelyard.ledger.restored", "source": "/steelyard/gw-test-1",
                   "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json",
                   "data": {"leaves": 2, "root": "0" * 64, "backup": "2026-01-01T00:00:00Z",
                            "known": None, "box": "", "who": "nobody", "why": "none"}})
        self.assertEqual(sorted(self.flags()), ["moved", "no-proof", "unsigned"])
        self.assertEqual(self.heads(), known)
        moved.stop()
        self.assertNotIn("gap", self.verify(moved.data, "--heads", self.told_heads()))

    def test_backups_under_load_and_damaged_ones(self):
        self.start(self.gateway)
        (self.gateway.data / "lost+found").mkdir()  # of a card's file system
        sent, stop = [], threading.Event()

        def pump():
            coap = devices.CoapDevice(("127.0.0.1", self.gateway.port))
            value = 0
            while not stop.is_set():
                value += 1
                if coap.request("r/c1", b"%d" % value)[0] == "2.04":
                    sent.append(float(value))
                stop.wait(0.001)
            coap.close()
        thread = threading.Thread(target=pump, daemon=True)
        thread.start()
        for i in range(3):
            steel.until(lambda: len(sent) > 100 * (i + 1), "readings")
            before = list(sent)
            self.backup(self.gateway, "b%d" % i)
        stop.set()
        thread.join(20)
        self.gateway.stop()
        done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"],
                              cwd=self.dir / "b2", capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.verify(self.dir / "b2")
        self.restore("b2", "new")
        new = self.make("new", "box-1")
        self.start(new)
        new.drained()
        there = self.readings(new)
        self.assertEqual(len(there), len(set(there)))
        self.assertEqual(set(before) - set(there), set())
        self.assertEqual(set(there) - set(sent), set())
        self.assertNotIn("damaged", new.tail(100000))
        new.stop()
        # What is there already is left alone; what is damaged is named and makes nothing.
        self.assertIn("is there already", self.restore("b2", "new", expect=None).stderr)
        done = steel.cli("backup", self.dir / "b2", "--data", new.data, expect=None)
        self.assertEqual((done.returncode, "is not empty" in done.stderr), (2, True))
        done = steel.cli("backup", new.data / "inside", "--data", new.data, expect=None)
        self.assertEqual((done.returncode, "elsewhere" in done.stderr), (2, True))
        self.assertFalse((new.data / "inside").exists())
        victim = next((self.dir / "b1" / "journal").glob("*.log"))
        with open(victim, "r+b") as file:
            file.seek(60)
            byte = file.read(1)
            file.seek(60)
            file.write(bytes([byte[0] ^ 1]))
        sums = self.dir / "b0" / "SHA256SUMS"
        good = sums.read_text()
        for name, text, words in (
                ("b1", None, "journal/%s is not what SHA256SUMS says" % victim.name),
                ("b0", good + "%s  ../out\n" % ("0" * 64), "is no line of a backup"),
                ("b0", good + "%s  no/file\n" % ("0" * 64), "the backup is not whole"),
                ("b0", good.replace("store.db", "other.db"), "this is no backup"),
                ("b0", "", "this is no backup")):
            if text is not None:
                sums.write_text(text)
            done = self.restore(name, "bad", expect=None)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(words, done.stderr)
            self.assertFalse((self.dir / "bad").exists())
            self.assertFalse((self.dir / "bad.restoring").exists())
        sums.unlink()
        self.assertIn("cut short", self.restore("b0", "bad", expect=None).stderr)

    def test_without_the_key_nothing_is_signed_until_it_is_back(self):
        own = {"cert": None, "key": None}
        self.gateway = self.make("data", "box-1", own)
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9)
        self.told(self.gateway)
        backup = self.backup(self.gateway, "backup", "--without-key")
        self.assertFalse((backup / "ledger" / "key.pem").exists())
        self.send(self.gateway, 4, 9)
        self.told(self.gateway)
        self.gateway.stop()
        key = (self.gateway.data / "ledger" / "key.pem").read_bytes()
        self.assertIn("before the start put it back", self.restore("backup", "new"))
        new = self.make("new", "box-2", own)
        self.start(new)
        self.send(new, 4.5)
        self.assertEqual(new.status()["ledger"]["state"], "trouble")
        steel.until(lambda: "no-proof" in self.flags(), "an event without proof")
        self.assertNotIn("restored", self.flags())
        new.stop()
        path = new.data / "ledger" / "key.pem"
        path.write_bytes(key)
        path.chmod(0o600)
        new.start()
        self.send(new, 9.5)
        self.told(new)
        self.assertEqual(set(self.flags()), {"no-proof", "restored", "moved"})
        self.expect_true_heads(new)


if __name__ == "__main__":
    steel.main()
