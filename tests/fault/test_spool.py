#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The managed broker's plugin when its disk is full or fails: nothing is acknowledged that is not
kept, one line says so, the broker stays, and all goes on by itself when the disk is well again.

SY_FAULT_EACH=N tries N of the calls, by seed (0: all of them); SY_FAULT_SEED=N.
"""

import collections
import errno
import os
import pathlib
import random
import time

import rig
import shim
from shim import steel

import devices

EACH = int(os.environ.get("SY_FAULT_EACH", "4"))
SEED = int(os.environ.get("SY_FAULT_SEED", "0")) or random.randrange(1, 1 << 30)
ERRORS = [errno.EIO, errno.ENOSPC, errno.EINTR, 0]

RULE = """
rule SPOOL-01 version 1 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 1 h
  alert warning when temperature above 8 °C [policy]
  clear when temperature at most 8 °C
  then tell premises, inspector
  say "Only a test."
end
"""


class Spool(steel.Case):
    def begin(self, durability):
        self.dir = pathlib.Path(os.path.realpath(self.dir))
        self.port, self.key = steel.free_port(), int(time.time() * 1000) - 3600000
        tree = steel.base_config(
            [self.write("spool.rules", RULE)],
            [{"id": "a", "transport": "mqtt", "topic": "spool/a", "format": "senml-json",
              "credential": "password"}],
            [{"id": "p", "kind": "cabinet", "points": [{
                "quantity": "temperature", "device": "a", "name": "temperature",
                "unit": "degC"}]}],
            mqtt={"broker": "managed", "listen": ["127.0.0.1:%d" % self.port]})
        del tree["coap"]
        tree["gateway"]["durability"] = durability
        config, data = self.config(tree), self.dir / "data"
        password = steel.cli("devices", "add", "a", "--config", config, "--data", data).strip()
        self.ctl = shim.Control(self.dir / "ctl")
        self.gateway = rig.Process(
            ["run", "--config", config, "--data", data], self.dir / "gateway.log",
            shim.environment(data / "mqtt" / "spool", control=self.ctl, program="mosquitto"))
        self.gateway.data = data
        self.addCleanup(lambda: self.gateway.running() and self.gateway.kill())
        self.gateway.start()
        self.devices = [devices.MqttDevice(("127.0.0.1", self.port), "a%d" % qos, "a", password,
                                           window=5, qos=qos) for qos in (1, 2)]
        self.addCleanup(lambda: [d.close() for d in self.devices])

    def messages(self, n):
        for _ in range(n):
            self.key += 1
            yield self.key, "spool/a", b'[{"n":"temperature","u":"Cel","v":4.5,"t":%d.%03d}]' % (
                self.key // 1000, self.key % 1000)

    def send(self, n, seconds=30.0):
        return all([d.send_all(list(self.messages(n)), seconds) for d in self.devices])

    def spool(self):
        return self.gateway.status()["mqtt"]["broker"]["spool"]

    def compare(self):
        self.gateway.drained()
        stored = collections.Counter(r["time"] for r in self.gateway.export())
        self.assertEqual(len(stored), sum(len(d.acked) for d in self.devices))
        self.assertEqual({n for n in stored.values()}, {1})

    def test_a_full_disk(self):
        self.begin("balanced")
        broker = self.gateway.broker()
        self.assertTrue(self.send(20))
        self.ctl.room = 0
        self.assertFalse(self.send(20, 1.5))
        acked = [len(d.acked) for d in self.devices]
        self.assertEqual(acked, [20, 20])
        spool = self.spool()
        self.assertEqual(spool["state"], "full")
        self.assertGreater(spool["refused"], 1)
        self.assertEqual(self.gateway.tail(1 << 20).count("event=spool-refuses"), 1)
        self.ctl.rest()
        self.assertTrue(self.send(0))
        # Those that were on their way: a window of five each.
        self.assertEqual([len(d.acked) for d in self.devices], [25, 25])
        self.assertEqual(self.spool()["state"], "acknowledges")
        # The gateway says so when it looks the next time.
        rig.steel.until(lambda: "event=spool-accepts" in self.gateway.tail(1 << 20), "it to be said")
        self.assertEqual(self.gateway.tail(1 << 20).count("event=spool-accepts"), 1)
        self.assertEqual(self.gateway.broker(), broker)
        self.compare()

    def each(self, durability):
        self.begin(durability)
        rng = random.Random(SEED)
        print("seed %d" % SEED)
        self.assertTrue(self.send(5))
        refused = 0
        numbers = list(range(1, 41)) if EACH == 0 else sorted(
            rng.randint(1, 40) for _ in range(EACH))
        for n in numbers:
            error, times = rng.choice(ERRORS), rng.choice([1, 1, 5])
            with self.subTest(n=n, error=error, times=times):
                before = self.spool()["refused"]
                self.ctl.fail_call([c for c in shim.CALLS if c not in ("read", "map")], n, error,
                                   times)
                self.assertTrue(self.send(15), "they are acknowledged in the end")
                self.ctl.rest()
                refused += self.spool()["refused"] > before
                self.compare()
        print("%d faults, %d of them seen by a device" % (len(numbers), refused))

    def test_each_call_balanced(self):
        self.each("balanced")

    def test_each_call_strict(self):
        self.each("strict")


if __name__ == "__main__":
    steel.main()
