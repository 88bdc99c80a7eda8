# SPDX-License-Identifier: Apache-2.0
"""kill -9 while 20,000 messages come in over MQTT QoS 1 and CoAP CON: what was acknowledged is
stored, nothing is stored twice, and the same holds for alerts and delivered events, although the
receiver is killed as well."""

import collections
import datetime
import json
import os
import pathlib
import random
import sqlite3
import threading
import time

import devices
import steel

MESSAGES = int(os.environ.get("SY_CRASH_MESSAGES", "20000"))
KILLS = int(os.environ.get("SY_CRASH_KILLS", "20"))
SEED = int(os.environ.get("SY_CRASH_SEED", "0")) or random.randrange(1, 1 << 30)

RULES = """
rule CRASH-01 version 1 "Warm for two seconds"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 60 s
  alert warning when temperature above 8 °C [policy] for 2 s
  clear when temperature at most 8 °C for 1 s
  then tell premises, inspector
  say "Only a test."
end
"""


class Sender(threading.Thread):
    """One device: makes `total` messages, paced over `seconds`, until all are acknowledged."""

    def __init__(self, name, client, total, seconds, timed, rng):
        super().__init__(name=name, daemon=True)
        self.device, self.client, self.total, self.timed = name, client, total, timed
        self.seconds, self.rng = seconds, rng
        self.sent = {}  # key -> value
        self.finished = False

    def messages(self):
        start, last = time.monotonic(), 0
        for i in range(self.total):
            due = start + self.seconds * i / self.total
            while time.monotonic() < due:
                yield None
            now = max(int(time.time() * 1000), last + 1)
            last = now
            value = (9.5 if (now // 7000) % 2 else 4.5) if self.timed else float(i)
            key = now if self.timed else i
            self.sent[key] = value
            if self.timed:
                text = '[{"n":"temperature","u":"Cel","v":%r,"t":%d.%03d}]' % (
                    value, now // 1000, now % 1000)
            else:
                text = "%d" % i
            yield key, text.encode()

    def run(self):
        todo, more = self.messages(), True
        c = self.client
        end = time.monotonic() + self.seconds + 180
        while (more or c.flight) and time.monotonic() < end:
            try:
                if isinstance(c, devices.MqttDevice) and not c.sock:
                    c.connect()
                while more and len(c.flight) < c.window:
                    item = next(todo, False)
                    if item is False:
                        more = False
                    if not item:
                        break
                    if isinstance(c, devices.MqttDevice):
                        c.publish(item[0], "crash/" + self.device, item[1])
                    else:
                        c.post(item[0], "r/" + self.device, item[1])
                c.poll(0.01)
            except (OSError, devices.Refused):
                c.close() if isinstance(c, devices.MqttDevice) else None
                steel.select.select([], [], [], 0.05)
        self.finished = not more and not c.flight


class Crash(steel.Case):
    def run_crash(self, managed):
        rng = random.Random(SEED)
        print("seed %d" % SEED)
        keys = self.keys()
        inbox_port = steel.free_port()
        mqtt_names = ["m%d" % i for i in range(4)]
        coap_names = ["c%d" % i for i in range(4)]
        # Without a time of its own a message is told apart by its transport alone. Through a
        # broker that dies with the gateway a device sends such a message again as a new one.
        plain = ["p-coap"] + ([] if managed else ["p-mqtt"])
        broker = None if managed else self.start_broker()
        coap_port = steel.free_port(steel.socket.SOCK_DGRAM)
        mqtt_port = steel.free_port() if managed else broker.port
        timed = mqtt_names + coap_names
        device_list = [{"id": n, "transport": "mqtt", "topic": "crash/" + n,
                        "format": "number" if n in plain else "senml-json",
                        "credential": "password"} for n in mqtt_names + plain if n[:2] != "p-"
                       or n == "p-mqtt"]
        device_list += [{"id": n, "transport": "coap", "format": "number" if n in plain else
                         "senml-json", "credential": "none", "from": "127.0.0.0/8"}
                        for n in coap_names + ["p-coap"]]
        places = [{"id": "pl-" + n, "kind": "cabinet", "points": [
            {"quantity": "temperature", "device": n, "name": "temperature", "unit": "degC"}]}
            for n in timed]
        places.append({"id": "pl-plain", "kind": "room", "points": [
            {"quantity": "humidity", "device": n, "name": "humidity", "unit": "%RH"}
            for n in plain]})
        rules = self.write("crash.rules", RULES)
        tree = steel.base_config([rules], device_list, places, coap={
            "listen": ["127.0.0.1:%d" % coap_port]}, destinations=[
                {"name": "inbox", "kind": "https",
                 "url": "https://127.0.0.1:%d/events" % inbox_port,
                 "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                         "key": str(keys / "gateway.key")},
                 "serves": ["premises", "inspector"], "severity": "notice"}])
        tree["mqtt"] = {"broker": "managed", "listen": ["127.0.0.1:%d" % mqtt_port]} if managed \
            else {"broker": "mqtt://127.0.0.1:%d" % mqtt_port}
        config = self.config(tree)
        data = self.dir / "data"
        passwords = {}
        if managed:
            for n in mqtt_names:
                passwords[n] = steel.cli("devices", "add", n, "--config", config, "--data",
                                         data).strip()
        inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % inbox_port, "--cert", keys / "authority.pem",
             "--key", keys / "authority.key", "--client-ca", keys / "ca.pem", "--data",
             self.dir / "inbox"], self.dir / "inbox.log")
        self.start(inbox)
        gateway = self.start(steel.Gateway(config, data))
        seconds = KILLS * 1.3 + 5
        everyone = timed + plain
        share = -(-MESSAGES // len(everyone))
        senders = []
        for n in everyone:
            if n in coap_names or n == "p-coap":
                client = devices.CoapDevice(("127.0.0.1", coap_port))
            else:
                client = devices.MqttDevice(("127.0.0.1", mqtt_port), n,
                                            n if managed else None, passwords.get(n))
            senders.append(Sender(n, client, share, seconds, n in timed, rng))
        for s in senders:
            s.start()
        for k in range(KILLS):
            pause = time.monotonic() + rng.uniform(0.05, 1.2)
            steel.until(lambda: time.monotonic() >= pause, "the next kill", 5, 0.005)
            gateway.kill()
            if k % 5 == 2:
                inbox.kill()
                inbox.start()
            gateway.start()
        for s in senders:
            s.join(seconds + 200)
            s.client.close()
            self.assertTrue(s.finished, "%s: %d not acknowledged" % (s.device, len(s.client.flight)))
        gateway.drained(120)
        self.compare(gateway, senders)
        self.compare_events(gateway, config, tree, inbox)

    def start_broker(self):
        broker = steel.Broker(self.dir / "broker").start()
        self.addCleanup(broker.stop)
        return broker

    def compare(self, gateway, senders):
        stored = collections.defaultdict(collections.Counter)
        for r in gateway.export():
            t = steel_time(r["time"])
            stored[r["device"]][t if r["point"] == "temperature" else int(float(r["value"]))] += 1
        for s in senders:
            got = stored[s.device]
            missing = [k for k in s.client.acked if k not in got]
            self.assertEqual(missing, [], "%s: acknowledged and not stored" % s.device)
            twice = [k for k, n in got.items() if n > 1]
            self.assertEqual(twice, [], "%s: stored twice" % s.device)
            self.assertEqual([k for k in got if k not in s.sent], [], "%s: never sent" % s.device)
        print("acknowledged %d, stored %d" % (sum(len(s.client.acked) for s in senders),
                                              sum(sum(c.values()) for c in stored.values())))

    def compare_events(self, gateway, config, tree, inbox):
        live = gateway.alerts()
        again = steel.cli("rules", "backtest", *tree["gateway"]["rules"], "--config", config,
                          "--data", gateway.data, "--json")
        self.assertEqual(live, again)
        ids = [a["id"] for a in json.loads(live)]
        self.assertGreater(len(ids), KILLS // 2)
        self.assertEqual(len(ids), len(set(ids)))
        store = sqlite3.connect("file:%s?mode=ro" % (pathlib.Path(gateway.data) / "store.db"),
                                uri=True)
        queued = sorted(row[0] for row in store.execute("SELECT id FROM event"))
        self.assertEqual(len(queued), len(set(queued)))

        def delivered():
            status = gateway.status()
            return status["events_delivered"] >= status["events_queued"]
        steel.until(delivered, "all events at the inbox", 120)
        inbox.stop()
        box = sqlite3.connect("file:%s?mode=ro" % (self.dir / "inbox" / "inbox.db"), uri=True)
        got = sorted(row[0] for row in box.execute("SELECT id FROM events"))
        self.assertEqual(got, queued)
        kinds = dict(store.execute("SELECT kind, COUNT(*) FROM event GROUP BY kind"))
        store.close()
        box.close()
        print("alerts %d, events %d: %s" % (len(ids), len(queued), kinds))

    def test_external_broker(self):
        self.run_crash(managed=False)

    def test_managed_broker(self):
        self.run_crash(managed=True)


def steel_time(text):
    t = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return round(t.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


if __name__ == "__main__":
    steel.main()
