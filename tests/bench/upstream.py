# SPDX-License-Identifier: Apache-2.0
"""The way upstream: events a second to a receiver behind an nginx, and how long a reading takes to be
an alert there."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import ssl
import statistics
import subprocess
import tempfile
import time

import devices
import steel
import test_outage

KEEP_BODIES = "location / {\n      client_body_in_file_only on; client_body_buffer_size 8k;"
START = 1767571200000  # 2026-01-05
PLACE = [{"id": "cab", "kind": "cabinet", "points": [
    {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}]


class Receiver:
    """`steelyard inbox`, and before it an nginx that ends mutual TLS and keeps each body as a file."""

    def __init__(self, folder, keys, nginx=True):
        self.dir, self.keys, self.nginx = pathlib.Path(folder), keys, None
        self.dir.mkdir()
        inner, self.port = steel.free_port(), steel.free_port()
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % (inner if nginx else self.port), "--cert",
             keys / "authority.pem", "--key", keys / "authority.key", "--client-ca",
             keys / "ca.pem", "--data", self.dir / "inbox"], self.dir / "inbox.log")
        text = test_outage.NGINX_CONF % {
            "dir": self.dir, "port": self.port, "keys": keys, "ca": keys / "ca.pem",
            "inbox": inner, "user": "user root;" if os.geteuid() == 0 else ""}
        (self.dir / "nginx.conf").write_text(text.replace("location / {", KEEP_BODIES))
        self.with_nginx = nginx

    def start(self):
        self.inbox.start()
        if self.with_nginx:
            self.nginx = subprocess.Popen(
                [test_outage.NGINX, "-p", str(self.dir), "-c", str(self.dir / "nginx.conf"), "-e",
                 str(self.dir / "early.log")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            steel.until(lambda: steel.listening(self.port), "nginx")
        return self

    def bodies(self):
        return [p.read_bytes() for p in sorted((self.dir / "body").iterdir())]

    def stop(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait(20)
        self.inbox.stop()

    def rows(self, query):
        with sqlite3.connect("file:%s?mode=ro" % (self.dir / "inbox" / "inbox.db"), uri=True) as db:
            return db.execute(query).fetchall()


def tree_of(folder, keys, port, source, **more):
    rules = folder / "bench.rules"
    rules.write_text(steel.warm_rule("BENCH-02", missing="6 h"))
    tree = steel.base_config(
        [rules], [dict({"id": "c1", "format": "senml-json"}, **source)], PLACE,
        destinations=[{"name": "county", "kind": "https",
                       "url": "https://localhost:%d/events" % port,
                       "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                               "key": str(keys / "gateway.key")}, "serves": ["inspector"]}])
    del tree["mqtt"], tree["coap"]
    tree.update(more)
    path = folder / "bench.yaml"
    path.write_text(json.dumps(tree))
    return path


def fill(gateway, port, n):
    """n events: alerts that are raised and cleared."""
    device, at, rows = devices.CoapDevice(("127.0.0.1", port)), START, []
    gateway.control("mark %d" % (START - 1))
    for i in range(n):
        rows.append('{"n":"t","u":"Cel","v":%s,"t":%d}' % ("4" if i % 2 else "9", at // 1000))
        at += 60000
        if len(rows) == 16 or i == n - 1:
            assert device.request("r/c1", ("[" + ",".join(rows) + "]").encode())[0] == "2.04"
            rows.clear()
        if i % 1000 == 999:
            gateway.control("mark %d" % at)
    gateway.control("mark %d" % at)
    gateway.drained(600)
    device.close()


def bare_loop(receiver, keys, bodies):
    """The same requests on one connection, and nothing else."""
    context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
    context.load_cert_chain(str(keys / "gateway.pem"), str(keys / "gateway.key"))
    line = http.client.HTTPSConnection("localhost", receiver.port, context=context)
    start = time.monotonic()
    for body in bodies:
        line.request("POST", "/events", body, {
            "Content-Type": "application/cloudevents-batch+json; charset=UTF-8"})
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    seconds = time.monotonic() - start
    line.close()
    return seconds


def one_drain(folder, n):
    keys = folder / "keys"
    steel.cli("keys", "demo", "--out", keys)
    first, second = Receiver(folder / "a", keys), Receiver(folder / "b", keys)
    port = steel.free_port(socket.SOCK_DGRAM)
    gateway = steel.Gateway(
        tree_of(folder, keys, first.port,
                {"transport": "coap", "credential": "none", "from": "127.0.0.0/8"},
                coap={"listen": ["127.0.0.1:%d" % port]}),
        folder / "data", "--clock", "replay", log=folder / "gateway.log")
    gateway.start()
    try:
        begin_kb = gateway.rss_kb()
        fill(gateway, port, n)
        filled_kb = gateway.rss_kb()
        first.start()
        cpu = gateway.cpu()
        start = time.monotonic()
        gateway.process.send_signal(signal.SIGHUP)
        steel.until(lambda: gateway.status()["upstream"][0]["waiting"] == 0, "the drain", 600, 0.01)
        seconds = time.monotonic() - start
        cpu = gateway.cpu() - cpu
        rss = gateway.rss_kb()
    finally:
        gateway.stop()
        first.stop()
    bodies = [b for b in first.bodies() if b]
    second.start()
    try:
        floor = bare_loop(second, keys, bodies)
    finally:
        second.stop()
    took = first.rows("SELECT count(*) FROM events")[0][0]
    assert took >= n, took
    return {"rate": took / seconds, "floor": took / floor, "cpu": cpu * 1e5 / took, "rss": rss,
            "begin": begin_kb, "filled": filled_kb, "events": took, "requests": len(bodies)}


def drain(args, out):
    values = []
    for _ in range(args.runs):
        with tempfile.TemporaryDirectory(prefix="sy-bench-") as folder:
            values.append(one_drain(pathlib.Path(folder), args.events))
    rate = statistics.median(v["rate"] for v in values)
    floor = statistics.median(v["floor"] for v in values)
    last = values[-1]
    out.append({"name": "upstream", "unit": "events/s", "median": rate,
                "min": min(v["rate"] for v in values), "max": max(v["rate"] for v in values),
                "floor": floor, "ratio": rate / floor,
                "cpu_s": statistics.median(v["cpu"] for v in values), "rss_kb": last["rss"]})
    print("upstream %8d events/s (%d to %d)  bare loop %d/s  ratio %.2f  %d events in %d requests, "
          "CPU %.2f s per 100,000; resident %d KiB at the start, %d when filled, %d after" %
          (rate, min(v["rate"] for v in values), max(v["rate"] for v in values), floor,
           rate / floor, last["events"], last["requests"],
           statistics.median(v["cpu"] for v in values), last["begin"], last["filled"],
           last["rss"]))


def sync_times(folder, n=200):
    """ms of a fdatasync after a write of 4 KiB at the end of a file: the least a durable alert costs
    here."""
    out, block = [], bytes(4096)
    fd = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY, 0o600)
    for _ in range(n):
        os.write(fd, block)
        start = time.monotonic()
        os.fdatasync(fd)
        out.append(1000 * (time.monotonic() - start))
    os.close(fd)
    return out


def quantiles(values):
    values = sorted(values)
    return statistics.median(values), values[min(len(values) - 1, int(len(values) * 0.99))]


def publish_all(broker, seconds, each, probes):
    """1,000 readings a second from many devices, each a message; every so often one of the probe's,
    that raises or clears. The times at which these went out."""
    line = devices.MqttDevice(("127.0.0.1", broker.port), "crowd", window=1000)
    probe = devices.MqttDevice(("127.0.0.1", broker.port), "probe")
    line.connect()
    probe.connect()
    start, sent, went = time.monotonic(), 0, []
    while (now := time.monotonic() - start) < seconds:
        while sent < now * each:
            at = time.time()
            line.publish(sent, "b/d%d" % (sent % 100),
                         ('[{"n":"t","u":"Cel","v":5,"t":%.3f}]' % at).encode())
            sent += 1
        if len(went) < now * probes:
            at = time.time()
            value = "9" if len(went) % 2 == 0 else "4"
            probe.publish(len(went), "b/c1",
                          ('[{"n":"t","u":"Cel","v":%s,"t":%.3f}]' % (value, at)).encode())
            went.append(at * 1000)
        line.poll(0.001)
        probe.poll(0)
    steel.until(lambda: (line.poll(0.05), probe.poll(0.05), not line.flight and not probe.flight)[2],
                "acknowledgements")
    line.close()
    probe.close()
    return went, sent / seconds


def latency(args, out):
    with tempfile.TemporaryDirectory(prefix="sy-bench-") as name:
        folder = pathlib.Path(name)
        keys = folder / "keys"
        steel.cli("keys", "demo", "--out", keys)
        receiver = Receiver(folder / "a", keys, nginx=False).start()
        broker = steel.Broker(folder / "broker").start()
        path = tree_of(folder, keys, receiver.port,
                       {"transport": "mqtt", "topic": "b/c1", "credential": "password"},
                       mqtt={"broker": "mqtt://127.0.0.1:%d" % broker.port})
        tree = json.loads(path.read_text())
        for i in range(100):
            tree["devices"].append({"id": "d%d" % i, "format": "senml-json", "transport": "mqtt",
                                    "topic": "b/d%d" % i, "credential": "password"})
            tree["premises"][0]["places"].append(
                {"id": "p%d" % i, "kind": "cabinet", "points": [
                    {"quantity": "temperature", "device": "d%d" % i, "name": "t",
                     "unit": "degC"}]})
        path.write_text(json.dumps(tree))
        gateway = steel.Gateway(path, folder / "data", log=folder / "gateway.log")
        try:
            gateway.start()
            steel.until(lambda: gateway.status()["mqtt"]["connected"], "the broker")
            before = sync_times(folder)
            went, rate = publish_all(broker, args.seconds, 1000, 8)
            gateway.drained()
            wanted = ("SELECT received FROM events WHERE alert IS NOT NULL AND type IN "
                      "('steelyard.alert.raised', 'steelyard.alert.cleared') ORDER BY seq")
            steel.until(lambda: len(receiver.rows(wanted)) >= len(went), "the alerts", 30)
            came = [row[0] for row in receiver.rows(wanted)]
            syncs = before + sync_times(folder)
        finally:
            gateway.stop()
            broker.stop()
            receiver.stop()
    assert len(came) == len(went), (len(came), len(went))
    middle, most = quantiles([c - w for c, w in zip(came, went)])
    sync, sync_most = quantiles(syncs)
    out.append({"name": "latency", "unit": "ms", "median": middle, "min": None, "max": most,
                "floor": sync, "ratio": middle / sync, "cpu_s": None, "rss_kb": None})
    print("latency  %.1f ms from publish to the inbox, 99th percentile %.1f ms, %d alerts at %d "
          "readings/s; fdatasync here %.2f ms, 99th percentile %.2f ms" %
          (middle, most, len(came), rate, sync, sync_most))
