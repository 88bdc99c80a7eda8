#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Acknowledged by the managed broker means kept: what a device got a PUBACK or PUBREC for is stored,
once, whichever of broker and gateway is killed, stopped or both, at any instant.

SY_ACK_KILLS=N kills in the random run, SY_ACK_SEED=N.
"""

import collections
import contextlib
import datetime
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import devices
import steel

KILLS = int(os.environ.get("SY_ACK_KILLS", "15"))
SEED = int(os.environ.get("SY_ACK_SEED", "0")) or random.randrange(1, 1 << 30)
NAMES = ["a1", "b1", "a2", "b2"]  # the last character: the quality of service

RULES = """
rule ACK-01 version 1 "Warm for two seconds"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 1 h
  alert warning when temperature above 8 °C [policy] for 2 s
  clear when temperature at most 8 °C for 1 s
  then tell premises, inspector
  say "Only a test."
end
"""


def epoch_ms(text):
    t = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return round(t.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


class Sender(threading.Thread):
    """A device that publishes readings until it is told to stop, each with a millisecond of its
    own, and so at most a thousand a second."""

    def __init__(self, client, topic):
        super().__init__(daemon=True)
        self.client, self.topic, self.last = client, topic, 0
        self.sent, self.enough = set(), threading.Event()
        self.given_up = time.monotonic() + 240

    def message(self):
        self.last = int(time.time() * 1000)
        self.sent.add(self.last)
        return self.last, self.topic, b'[{"n":"temperature","u":"Cel","v":4.5,"t":%d.%03d}]' % (
            self.last // 1000, self.last % 1000)

    def run(self):
        c = self.client
        while (c.flight or not self.enough.is_set()) and time.monotonic() < self.given_up:
            try:
                if not c.sock:
                    c.connect()
                if (not self.enough.is_set() and len(c.flight) < c.window and
                        int(time.time() * 1000) > self.last):
                    c.publish(*self.message())
                c.poll(0.001)
            except (OSError, devices.Refused):
                c.close()
                steel.select.select([], [], [], 0.03)


class Acknowledged(steel.Case):
    def begin(self, names=None, durability=None):
        names = names or NAMES
        self.port = steel.free_port()
        rules = self.write("ack.rules", RULES)
        tree = steel.base_config(
            [rules], [{"id": n, "transport": "mqtt", "topic": "ack/" + n, "format": "senml-json",
                       "credential": "password"} for n in names],
            [{"id": "pl-" + n, "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": n, "name": "temperature",
                 "unit": "degC"}]} for n in names],
            mqtt={"broker": "managed", "listen": ["127.0.0.1:%d" % self.port]})
        del tree["coap"]
        if durability:
            tree["gateway"]["durability"] = durability
        config = self.config(tree)
        data = self.dir / "data"
        self.passwords = {n: steel.cli("devices", "add", n, "--config", config, "--data",
                                       data).strip() for n in names}
        self.gateway = self.start(steel.Gateway(config, data))
        return self.gateway

    def client(self, name, **more):
        return devices.MqttDevice(("127.0.0.1", self.port), name, name, self.passwords[name],
                                  qos=int(name[-1]), **more)

    def broker_pid(self):
        return self.gateway.status()["mqtt"]["broker"]["pid"]

    def compare(self, acked, sent):
        """Device to keys: all acknowledged stored, once, and nothing that was never sent."""
        stored = collections.defaultdict(collections.Counter)
        for r in self.gateway.export():
            stored[r["device"]][epoch_ms(r["time"])] += 1
        for name, keys in acked.items():
            missing = [k for k in keys if k not in stored[name]]
            self.assertEqual(missing, [], "%s: acknowledged and not stored" % name)
            self.assertEqual([k for k, n in stored[name].items() if n > 1], [],
                             "%s: stored twice" % name)
            self.assertEqual([k for k in stored[name] if k not in sent[name]], [],
                             "%s: never sent" % name)
        return sum(map(len, acked.values()))

    def some(self, name, first, n=150):
        """Publish n readings and have them all acknowledged, by one connection; their keys."""
        client = self.client(name)
        keys = [first + i for i in range(n)]
        self.assertTrue(client.send_all(
            [(k, "ack/" + name, b'[{"n":"temperature","u":"Cel","v":4.5,"t":%d.%03d}]' % (
                k // 1000, k % 1000)) for k in keys], 30))
        client.close()
        self.assertEqual(client.acked, set(keys))
        return set(keys)

    def stopped(self):
        """The gateway stands still; the broker acknowledges all the same."""
        gateway = self.begin()
        broker = self.broker_pid()
        gateway.process.send_signal(signal.SIGSTOP)
        now = int(time.time() * 1000)
        acked = {n: self.some(n, now) for n in NAMES}
        os.kill(broker, signal.SIGKILL)
        return acked

    def test_both_are_killed_before_the_gateway_has_any(self):
        acked = self.stopped()
        self.gateway.kill()
        self.gateway.start()
        status = self.gateway.drained()
        self.assertEqual(self.compare(acked, acked), 600)
        self.assertEqual(status["received"], 600)

    def test_the_broker_is_killed_before_the_gateway_has_any(self):
        acked = self.stopped()
        self.gateway.process.send_signal(signal.SIGCONT)
        steel.until(lambda: self.gateway.status()["mqtt"]["broker"]["restarts"] == 1,
                    "the broker to be started again")
        status = self.gateway.drained()
        self.assertEqual(self.compare(acked, acked), 600)
        self.assertEqual(status["received"], 600)
        self.assertEqual(status["duplicates"], 0)

    def test_killed_at_random_under_load(self):
        rng = random.Random(SEED)
        print("seed %d" % SEED)
        gateway = self.begin(durability=rng.choice(["balanced", "strict"]))
        senders = {n: Sender(self.client(n, window=10), "ack/" + n) for n in NAMES}
        for s in senders.values():
            s.start()
        for _ in range(KILLS):
            pause = time.monotonic() + rng.uniform(0.05, 0.8)
            steel.until(lambda: time.monotonic() >= pause, "the next kill", 5, 0.005)
            what = rng.choice(["broker", "gateway", "both"])
            broker = self.broker_pid()
            if broker and what != "gateway":
                os.kill(broker, signal.SIGKILL)
            if what != "broker":
                gateway.kill()
                gateway.start()
        for s in senders.values():
            s.enough.set()
        for n, s in senders.items():
            s.join(250)
            s.client.close()
            self.assertFalse(s.client.flight, "%s: not acknowledged" % n)
        self.gateway.drained()
        n = self.compare({n: s.client.acked for n, s in senders.items()},
                         {n: s.sent for n, s in senders.items()})
        self.assertGreater(n, 100)
        print("acknowledged and stored: %d" % n)

    def test_a_broker_that_keeps_ending_is_told(self):
        gateway = self.begin(["c1"])
        self.assertFalse(gateway.status()["mqtt"]["broker"]["failing"])
        for i in range(3):
            os.kill(self.broker_pid(), signal.SIGKILL)
            steel.until(lambda: gateway.status()["mqtt"]["broker"]["restarts"] == i + 1 and
                        self.broker_pid() and steel.listening(self.port), "the broker")
        self.assertTrue(gateway.status()["mqtt"]["broker"]["failing"])

        def told():
            with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % (
                    self.dir / "data" / "store.db"), uri=True)) as store:
                return store.execute("SELECT body FROM event WHERE kind = 'broker-failing'"
                                     ).fetchall()
        body = json.loads(steel.until(told, "the event")[0][0])
        self.assertEqual(body["type"], "steelyard.broker.failing")
        self.assertEqual(body["data"]["restarts"], 3)
        self.assertEqual(len(told()), 1)

    def test_a_version_5_device_hears_of_success(self):
        self.begin(["c1"])
        for qos in "1", "2":
            out = subprocess.run(
                ["mosquitto_pub", "-d", "-V", "5", "-h", "127.0.0.1", "-p", str(self.port), "-u",
                 "c1", "-P", self.passwords["c1"], "-q", qos, "-t", "ack/c1", "-m", "x"],
                capture_output=True, text=True, timeout=30, check=True).stdout
            self.assertIn("(Mid: 1, RC:0)", out)

    def test_a_forged_property_is_no_matter(self):
        self.begin(["c1"])
        for number in "1", "18446744073709551615":
            subprocess.run(
                ["mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(self.port), "-u", "c1",
                 "-P", self.passwords["c1"], "-q", "1", "-t", "ack/c1", "-D", "publish",
                 "user-property", "sy-seq", number, "-m",
                 '[{"n":"temperature","u":"Cel","v":4,"t":%s.5}]' % (1700000000 + len(number))],
                timeout=30, check=True)
        self.assertEqual(self.gateway.drained()["received"], 2)


if __name__ == "__main__":
    steel.main()
