# SPDX-License-Identifier: Apache-2.0
"""A box under load for the fault tests: the real gateway with its broker, real devices over MQTT and
CoAP that note when a message was acknowledged, a real inbox over mutual TLS; and what must hold of a
data folder afterwards."""

import collections
import datetime
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import shim
from shim import steel

import devices  # noqa: E402  (tests/system is in the path by now)

RULES = """
rule FAULT-01 version 1 "Warm for a while"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 1 h
  alert warning when temperature above 8 °C [policy] for 300 ms
  clear when temperature at most 8 °C for 200 ms
  then tell premises, inspector
  say "Only a test."
end
"""


class Times(dict):
    """Stands for the set of acknowledged messages, with the moment of each."""

    def add(self, key):
        self.setdefault(key, time.monotonic_ns())


class Sender(threading.Thread):
    """One device, paced at `rate` messages a second until told to stop; each carries its own time,
    or (plain) a number that no other message has."""

    def __init__(self, name, client, rate, flip_ms, plain=False, size=0, first=0):
        super().__init__(name=name, daemon=True)
        self.device, self.client, self.rate, self.flip_ms = name, client, rate, flip_ms
        self.plain, self.size, self.count = plain, size, first
        client.acked = Times()
        self.sent, self.enough, self.finished = {}, threading.Event(), False
        self.gave_up = threading.Event()

    def message(self, last):
        if self.plain:
            self.count += 1
            self.sent[self.count] = float(self.count)
            return self.count, b"%d" % self.count
        now = max(int(time.time() * 1000), last + 1)
        value = 9.5 if (now // self.flip_ms) % 2 else 4.5
        self.sent[now] = value
        text = '[{"n":"temperature","u":"Cel","v":%r,"t":%d.%03d}%s]' % (
            value, now // 1000, now % 1000, " " * self.size)
        return now, text.encode()

    def give(self, item):
        if isinstance(self.client, devices.MqttDevice):
            self.client.publish(item[0], "fault/" + self.device, item[1])
        else:
            self.client.post(item[0], "r/" + self.device, item[1])

    def run(self):
        c, last, due = self.client, 0, time.monotonic()
        mqtt = isinstance(c, devices.MqttDevice)
        while not self.gave_up.is_set() and (c.flight or not self.enough.is_set()):
            try:
                if mqtt and not c.sock:
                    c.connect()
                while not self.enough.is_set() and len(c.flight) < c.window and \
                        time.monotonic() >= due:
                    item = self.message(last)
                    last, due = item[0] if not self.plain else last, due + 1 / self.rate
                    self.give(item)
                c.poll(0.01)
            except (OSError, devices.Refused):
                if mqtt:
                    c.close()
                steel.select.select([], [], [], 0.05)
        self.finished = not c.flight


class Site:
    """A configuration, keys, ports; `folder` holds all. The data lie in box/data."""

    MQTT = ["m0", "m1", "m2"]
    COAP = ["c0", "c1", "c2", "c3"]
    PLAIN = "p0"
    BIG = "m2"

    def __init__(self, folder, durability="balanced", **gateway):
        self.dir = pathlib.Path(os.path.realpath(folder))
        self.dir.mkdir(parents=True, exist_ok=True)
        self.keys = self.dir / "keys"
        steel.cli("keys", "demo", "--out", self.keys)
        self.inbox_port, self.mqtt_port = steel.free_port(), steel.free_port()
        self.coap_port = steel.free_port(steel.socket.SOCK_DGRAM)
        self.durability = durability
        self.rules = self.dir / "fault.rules"
        self.rules.write_text(RULES)
        names = self.MQTT + self.COAP + [self.PLAIN]
        rows = [{"id": n, "transport": "mqtt", "topic": "fault/" + n, "format": "senml-json",
                 "credential": "password"} if n in self.MQTT else
                {"id": n, "transport": "coap", "credential": "none", "from": "127.0.0.0/8",
                 "format": "number" if n == self.PLAIN else "senml-json"} for n in names]
        places = [{"id": "pl-" + n, "kind": "room" if n == self.PLAIN else "cabinet", "points": [
            {"quantity": "humidity" if n == self.PLAIN else "temperature", "device": n,
             "name": "humidity" if n == self.PLAIN else "temperature",
             "unit": "%RH" if n == self.PLAIN else "degC"}]} for n in names]
        tree = steel.base_config([self.rules], rows, places, coap={
            "listen": ["127.0.0.1:%d" % self.coap_port]}, destinations=[
                {"name": "inbox", "kind": "https",
                 "url": "https://127.0.0.1:%d/events" % self.inbox_port,
                 "tls": {"ca": str(self.keys / "ca.pem"), "cert": str(self.keys / "gateway.pem"),
                         "key": str(self.keys / "gateway.key")},
                 "serves": ["premises", "inspector"], "severity": "notice"}])
        tree["mqtt"] = {"broker": "managed", "listen": ["127.0.0.1:%d" % self.mqtt_port]}
        tree["gateway"].update({"durability": durability}, **gateway)
        self.config = self.dir / "steelyard.yaml"
        self.config.write_text(json.dumps(tree, indent=1, ensure_ascii=False))
        self.data = self.dir / "box" / "data"
        self.passwords = {}

    def enroll(self, data=None):
        """The devices' passwords, made in the data folder."""
        for n in self.MQTT:
            self.passwords[n] = steel.cli("devices", "add", n, "--config", self.config, "--data",
                                          data or self.data).strip()

    def gateway(self, data=None, env=None):
        data = pathlib.Path(data or self.data)
        g = Process(["run", "--config", self.config, "--data", data], self.dir /
                    (data.parent.name + "-" + data.name + ".log"), env)
        g.data = data
        return g

    def inbox(self, name="inbox"):
        return Process(["inbox", "--listen", "127.0.0.1:%d" % self.inbox_port, "--cert",
                        self.keys / "authority.pem", "--key", self.keys / "authority.key",
                        "--client-ca", self.keys / "ca.pem", "--data", self.dir / name],
                       self.dir / (name + ".log"))

    def senders(self, rng, rate=40, big=False, first=0):
        """One a device; not started."""
        flip = rng.choice([700, 1500, 3000, 100000])
        out = []
        for n in self.MQTT + self.COAP + [self.PLAIN]:
            if n in self.MQTT:
                client = devices.MqttDevice(("127.0.0.1", self.mqtt_port), n, n,
                                            self.passwords[n])
            else:
                client = devices.CoapDevice(("127.0.0.1", self.coap_port))
            out.append(Sender(n, client, rate, flip, n == self.PLAIN,
                              50000 if big and n == self.BIG else 0, first))
        return out


class Process(steel.Gateway):
    """A child with an environment of its own."""

    def __init__(self, args, log, env=None):
        steel.Child.__init__(self, args, log)
        self.env = env

    def start(self, seconds=60.0):
        old = {k: os.environ.get(k) for k in self.env or {}}
        os.environ.update(self.env or {})
        try:
            return super().start(seconds)
        finally:
            for k, v in old.items():
                if v is None:
                    del os.environ[k]
                else:
                    os.environ[k] = v

    def running(self):
        return self.process is not None and self.process.poll() is None

    def broker(self):
        """Process id of the managed broker, or None."""
        pid = self.process.pid
        for task in pathlib.Path("/proc/%d/task" % pid).glob("*/children"):
            try:
                for child in task.read_text().split():
                    if pathlib.Path("/proc/%s/comm" % child).read_text().strip() == "mosquitto":
                        return int(child)
            except OSError:
                continue
        return None


def rows_of(text):
    """(device, key) -> how often, of an export."""
    got = collections.Counter()
    for line in text.splitlines()[1:]:
        t, device, point, value, _ = line.split(",", 4)
        if point == "temperature":
            at = datetime.datetime.strptime(t, "%Y-%m-%dT%H:%M:%S.%fZ")
            key = round(at.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
        else:
            key = int(float(value))
        got[device, key] += 1
    return got


class Failure(AssertionError):
    pass


def expect(fine, text, *args):
    if not fine:
        raise Failure(text % args if args else text)


def few(keys):
    keys = sorted(keys)
    return "%d: %s%s" % (len(keys), keys[:5], " …" if len(keys) > 5 else "")


def settle(gateway, must, seconds=15):
    """Until everything acknowledged has come through: what the broker acknowledged may still be in
    its spool. Where that never happens the comparison says what is missing."""
    wanted = set(must)
    gateway.drained(60)
    end = time.monotonic() + seconds
    while wanted - set(rows_of(steel.cli("export", "--data", gateway.data, "--format", "csv"))) \
            and time.monotonic() < end:
        steel.select.select([], [], [], 0.1)
        gateway.drained(60)


def check_readings(site, data, must, sent):
    """What is stored: all of `must`, nothing but `sent`, nothing twice. The rows."""
    got = rows_of(steel.cli("export", "--data", data, "--format", "csv"))
    lost = [k for k in must if k not in got]
    expect(not lost, "acknowledged and not stored, %s", few(lost))
    twice = [k for k, n in got.items() if n > 1]
    expect(not twice, "stored twice, %s", few(twice))
    foreign = [k for k in got if k not in sent]
    expect(not foreign, "never sent, %s", few(foreign))
    return got


def check_alerts(site, data):
    """Alerts as they were finally judged live are those of a backtest of the readings that are
    stored. (What readings out of order made the judge withdraw is no judgement any more.)"""
    live = json.loads(steel.cli("alerts", "--data", data, "--json"))
    again = json.loads(steel.cli("rules", "backtest", site.rules, "--config", site.config, "--data",
                                 data, "--json"))
    a, b = final(live), final(again)
    if a != b:
        only = [x for x in a if x not in b][:2], [x for x in b if x not in a][:2]
        expect(False, "alerts differ: %d live, %d in the backtest; only live %s; only backtest %s",
               len(a), len(b), *only)
    return live


def final(alerts):
    return [a for a in alerts if a["state"] != "withdrawn"]


def events_in_box(data):
    with sqlite3.connect("file:%s?mode=ro" % (pathlib.Path(data) / "store.db"), uri=True) as db:
        return {row[0]: bytes(row[1]) for row in db.execute("SELECT id, body FROM event")}


def events_at_inbox(folder, before_ms=None):
    """id -> body of what had come in before that moment."""
    path = pathlib.Path(folder) / "inbox.db"
    if not path.exists():
        return {}
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    try:
        return {row[0]: row[1].encode() for row in db.execute(
            "SELECT id, body FROM events WHERE received < ?",
            (before_ms if before_ms is not None else 1 << 62,))}
    finally:
        db.close()


def heads_at_inbox(folder, before_ms=None):
    """(size, root as hex) of each head of the ledger that had come in before that moment, whether it
    came by itself or in the proof of an event; and what the inbox found wrong with any."""
    path = pathlib.Path(folder) / "inbox.db"
    if not path.exists():
        return [], []
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    try:
        heads = [(size, root if isinstance(root, str) else root.hex()) for size, root in db.execute(
            "SELECT size, root FROM heads WHERE received < ?",
            (before_ms if before_ms is not None else 1 << 62,))]
        return heads, list(db.execute("SELECT * FROM flags"))
    finally:
        db.close()


def same_event(a, b):
    return a == b or json.loads(a) == json.loads(b)


def broker_keeps():
    """Whether the managed broker runs with our plugin, which makes its acknowledgement a promise."""
    return (steel.BUILD / "steelyard-mosquitto.so").exists()
