# SPDX-License-Identifier: Apache-2.0
"""The ledger between a real gateway and a real inbox: proofs that hold, heads that stay true through
kill -9, and what an inbox finds: a cut tail, a copied card, another box, a missing key."""

import hashlib
import itertools
import json
import os
import random
import shutil
import sqlite3
import subprocess
import threading

import devices
import ledger_rig
import steel


class Ledger(ledger_rig.LedgerCase):
    def test_events_are_proven(self):
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9, 4, 9)
        self.told(self.gateway)
        events = self.events()
        self.assertEqual([e["proof"] for e in events], ["proven"] * 3)
        for e in events:
            self.assertNotIn("steelyardproof", e["event"])
        self.assertEqual(self.flags(), [])
        known = json.loads(self.api("/api/ledger"))["ledgers"]
        self.assertEqual([(k["source"], k["certified"]) for k in known],
                         [("/steelyard/gw-test-1", True)])
        status = self.gateway.status()["ledger"]
        self.assertEqual((status["state"], status["certified"]), ("signing", True))
        self.assertEqual(known[0]["root"], status["root"])
        self.assertEqual(known[0]["box"], status["box"])
        self.assertIn("proven in the ledger", self.api("/alert/1?lang=en"))
        self.assertIn("Nothing is in doubt", self.api("/ledger?lang=en"))
        self.assertIn("无存疑事项", self.api("/ledger?lang=zh"))
        # A start without news goes on with the same ledger.
        self.gateway.stop()
        self.gateway.start()
        self.send(self.gateway, 4)
        self.told(self.gateway)
        self.assertEqual(self.flags(), [])
        kinds = [json.loads(leaf)["leaf"] for leaf in self.leaves(self.gateway)]
        self.assertEqual(kinds[:2], ["key", "box"])
        self.assertEqual(kinds.count("key") + kinds.count("box"), 2)
        self.assertEqual(kinds.count("activation"), 1)
        self.assertEqual(kinds.count("event"), 4)
        self.expect_true_heads(self.gateway)

    def test_kills(self):
        """kill -9 of both with events in flight: no leaf twice, no head that was not kept."""
        rng = random.Random(int(os.environ.get("SY_LEDGER_SEED", "0")) or None)
        self.start(self.inbox)
        self.start(self.gateway)
        stop = threading.Event()

        def pump():
            i = 0
            coap = devices.CoapDevice(("127.0.0.1", self.gateway.port))
            while not stop.is_set():
                i += 1
                try:
                    coap.request("r/c1", b"9" if i % 2 else b"4")
                except (OSError, TimeoutError, AssertionError):
                    pass
                stop.wait(0.01)
            coap.close()
        thread = threading.Thread(target=pump, daemon=True)
        thread.start()
        for i in range(int(os.environ.get("SY_LEDGER_KILLS", "8"))):
            size = self.gateway.status()["ledger"]["size"]
            grown = size + rng.randrange(3, 12)
            steel.until(lambda: self.gateway.status()["ledger"]["size"] >= grown,
                        "the ledger to grow", 60)
            victim = self.inbox if i % 3 == 2 else self.gateway
            victim.kill()
            victim.start()
        stop.set()
        thread.join(30)
        self.gateway.drained()
        self.told(self.gateway)
        self.assertEqual(self.flags(), [])
        self.assertEqual({e["proof"] for e in self.events()}, {"proven"})
        n = self.expect_true_heads(self.gateway)
        leaves = [json.loads(leaf) for leaf in self.leaves(self.gateway)]
        ids = [leaf["id"] for leaf in leaves if leaf["leaf"] == "event"]
        self.assertEqual(len(ids), len(set(ids)))
        with sqlite3.connect("file:%s?mode=ro" % (self.gateway.data / "store.db"), uri=True) as db:
            rows = db.execute("SELECT id, leaf, body FROM event").fetchall()
        self.assertEqual(sorted(ids), sorted(row[0] for row in rows))
        for name, index, body in rows:
            self.assertEqual(leaves[index]["id"], name)
            self.assertEqual(leaves[index]["body"], hashlib.sha256(bytes(body)).hexdigest())
        state = self.gateway.status()["ledger"]
        told = self.write("heads.json", self.api("/api/heads?source=/steelyard/gw-test-1"))
        self.assertEqual(len(json.loads(told.read_text())), n)
        self.gateway.stop()
        steel.cli("verify", self.gateway.data, "--ca", self.keys_dir / "ca.pem", "--heads", told)
        stopped = json.loads(steel.cli("status", "--data", self.gateway.data, "--json"))["ledger"]
        self.assertEqual(stopped, {**state, "state": "stopped"})
        print("leaves %d, heads at the inbox %d" % (len(leaves), n))

    def test_cut_tail(self):
        """An older copy of the folder is put back: the inbox knows better."""
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9, 4)
        self.told(self.gateway)
        self.gateway.stop()
        shutil.copytree(self.gateway.data, self.dir / "backup")
        self.gateway.start()
        self.send(self.gateway, 9, 4, 9, 4)
        self.told(self.gateway)
        self.assertEqual(self.flags(), [])
        self.gateway.stop()
        shutil.rmtree(self.gateway.data)
        shutil.copytree(self.dir / "backup", self.gateway.data)
        self.gateway.start()
        self.send(self.gateway, 9)
        steel.until(self.flags, "a flag")
        self.assertIn("cut", self.flags())
        self.assertIn("The end of the ledger was cut off", self.api("/ledger?lang=en"))
        self.assertIn("Doubts about a ledger", self.api("/?lang=en"))
        self.assertIn("inbox-ledger", self.inbox.tail())

    def test_cut_tail_that_has_grown_again(self):
        """The copy has more leaves than the inbox knows before it is heard of again."""
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9, 4)
        self.told(self.gateway)
        self.gateway.stop()
        shutil.copytree(self.gateway.data, self.dir / "backup")
        self.gateway.start()
        self.send(self.gateway, 9, 4)
        self.told(self.gateway)
        self.gateway.stop()
        self.inbox.stop()
        shutil.rmtree(self.gateway.data)
        shutil.copytree(self.dir / "backup", self.gateway.data)
        self.gateway.start()
        self.send(self.gateway, *([9, 4] * 6))
        self.inbox.start()
        steel.until(self.flags, "a flag", 60)
        self.assertTrue({"unkept", "inconsistent", "forked", "cut"} & set(self.flags()),
                        self.flags())

    def test_copied_card(self):
        """Two copies of one folder run, in the same box."""
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9, 4)
        self.told(self.gateway)
        self.gateway.stop()
        shutil.copytree(self.gateway.data, self.dir / "copy")
        copy = self.make("copy", "box-1")
        self.gateway.start()
        self.start(copy)
        values = itertools.cycle((9, 4))

        def flagged():
            """Heads of both may come so that they look like those of one; then a later one tells."""
            value = next(values)
            self.send(self.gateway, value)
            self.send(copy, value + 0.5)
            return self.flags()
        steel.until(flagged, "a flag", 60, 0.2)
        self.assertTrue({"forked", "cut", "unkept", "inconsistent"} & set(self.flags()), self.flags())

    def test_copied_card_in_another_box(self):
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9, 4)
        self.told(self.gateway)
        self.gateway.stop()
        shutil.copytree(self.gateway.data, self.dir / "copy")
        copy = self.make("copy", "box-2")
        self.start(copy)
        self.told(copy)
        self.assertEqual(self.flags(), ["moved"])
        self.assertIn("steelyard.box.changed", [e["type"] for e in self.events()])
        self.assertIn("box-changed", copy.tail())
        self.gateway.start()
        self.send(self.gateway, 9)
        steel.until(lambda: "cloned" in self.flags(), "the second box", 60)

    def test_missing_key(self):
        """Nothing is signed and no key is made; alerts go out, and the inbox says what they lack."""
        self.start(self.inbox)
        self.start(self.gateway)
        self.send(self.gateway, 9)
        self.told(self.gateway)
        self.gateway.stop()
        key = self.keys_dir / "ledger.key"
        key.rename(self.keys_dir / "aside")
        self.gateway.start()
        self.send(self.gateway, 4)
        self.assertEqual(self.gateway.status()["ledger"]["state"], "trouble")
        self.assertFalse(key.exists())
        steel.until(lambda: len(self.events()) >= 3, "the alert's end and the trouble")
        self.assertIn("steelyard.ledger.trouble", [e["type"] for e in self.events()])
        self.assertEqual(self.events()[0]["proof"], "proven")
        self.assertEqual([e["signature"] for e in self.events()[:2]], ["certified", "none"])
        self.assertEqual({e["proof"] for e in self.events()[1:]}, {"none"})
        self.assertEqual(set(self.flags()), {"no-proof", "unsigned"})
        self.gateway.stop()
        (self.keys_dir / "aside").rename(key)
        self.gateway.start()
        self.send(self.gateway, 9)
        self.told(self.gateway)
        self.assertEqual(self.events()[-1]["proof"], "proven")
        self.expect_true_heads(self.gateway)

    def test_certificate_and_rotation(self):
        """A key made at the first start, certified by an authority, and then another one."""
        if not shutil.which("openssl"):
            self.skipTest("no openssl to play the authority")
        authority, out = self.dir / "authority", {}

        def openssl(*args):
            subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

        def certify(name, *more):
            steel.cli("keys", "request", "--data", self.gateway.data, "--out",
                      authority / (name + ".csr"), *more)
            openssl("x509", "-req", "-in", authority / (name + ".csr"), "-CA",
                    authority / "ca.pem", "-CAkey", authority / "ca.key", "-days", "30", "-out",
                    authority / (name + ".pem"))
            out[name] = steel.cli("keys", "install", authority / (name + ".pem"), "--data",
                                  self.gateway.data)

        authority.mkdir()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", authority / "ca.key", "-out", authority / "ca.pem", "-subj",
                "/CN=authority", "-days", "30")
        self.gateway = self.make("data", "box-1", {"cert": None, "key": None})
        both = authority / "both.pem"
        both.write_text((authority / "ca.pem").read_text() +
                        (self.keys_dir / "ca.pem").read_text())
        self.inbox.args[self.inbox.args.index("--client-ca") + 1] = both
        self.start(self.inbox)
        self.start(self.gateway)
        self.assertEqual((self.gateway.data / "ledger" / "key.pem").stat().st_mode & 0o777, 0o600)
        self.send(self.gateway, 9)
        self.told(self.gateway)
        self.assertEqual(self.events()[-1]["proof"], "uncertified")
        certify("first")
        self.send(self.gateway, 4)
        self.told(self.gateway)
        self.assertEqual(self.events()[-1]["proof"], "proven")
        kid = self.gateway.status()["ledger"]["kid"]
        certify("second", "--next")
        self.assertIn("next key", out["second"])
        self.assertEqual(self.gateway.status()["ledger"]["kid"], kid)
        steel.cli("keys", "rotate", "--data", self.gateway.data, "--why", "yearly", "--who", "li")
        self.assertNotEqual(self.gateway.status()["ledger"]["kid"], kid)
        self.send(self.gateway, 9)
        self.told(self.gateway)
        self.assertEqual(self.events()[-1]["proof"], "proven")
        self.assertEqual(self.flags(), [])
        self.assertIn(b'"who":"li","what":"rotate-key"', b"".join(self.leaves(self.gateway)))
        # A certificate of nobody's key is refused.
        done = steel.cli("keys", "install", self.keys_dir / "ledger.pem", "--data",
                         self.gateway.data, expect=None)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another key", done.stderr)
        self.expect_true_heads(self.gateway)
        # The folder verifies although its first heads were signed before the key was certified, and
        # continues all that the receiver has.
        gateway = json.loads(self.api("/api/ledger"))["ledgers"][0]["source"]
        heads = self.write("heads.json", self.api("/api/heads?source=" + gateway))
        self.gateway.stop()
        said = steel.cli("verify", self.gateway.data, "--ca", authority / "ca.pem", "--heads", heads,
                         "--language", "en", expect=None)
        self.assertEqual(said.returncode, 0, said.stdout)
        self.assertIn("heads that were sent earlier", said.stdout)
        said = steel.cli("verify", self.gateway.data, "--ca", self.keys_dir / "ca.pem", expect=None)
        self.assertEqual(said.returncode, 1, said.stdout)


if __name__ == "__main__":
    steel.main()
