# SPDX-License-Identifier: Apache-2.0
"""What it costs to spool before the acknowledgement: a flood at QoS 1 into a mosquitto without our
plugin and without a subscriber, into the managed broker while the gateway stands still, and while it
takes what comes. Rates are of acknowledged messages; CPU is the broker's own."""
import json
import os
import pathlib
import shutil
import signal
import statistics
import tempfile

import steel


def cpu(pid):
    used = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def flood(spawn, port, n, pid, *who):
    before = cpu(pid)
    run = spawn("flood_mqtt", port, n, 100, 1000, 1700000000000, *who)
    seconds = json.loads(run.stdout.readline())["seconds"]
    run.wait()
    return {"rate": n / seconds, "cpu": (cpu(pid) - before) * 1e5 / n}


def gateway_of(folder, rule, strict):
    (folder / "bench.rules").write_text(rule)
    path = folder / "bench.yaml"
    tree = steel.base_config(
        [folder / "bench.rules"],
        [{"id": "all", "transport": "mqtt", "topic": "bench/#", "format": "senml-json",
          "credential": "password"}],
        [{"id": "p", "kind": "cabinet", "points": [
            {"quantity": "temperature", "device": "all", "name": "temperature", "unit": "degC"}]}])
    del tree["coap"]
    if strict:
        tree["gateway"]["durability"] = "strict"
    path.write_text(json.dumps(tree))
    password = steel.cli("devices", "add", "all", "--config", path, "--data",
                         folder / "data").strip()
    return steel.Gateway(path, folder / "data").start(), password


def one(spawn, n, rule):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sy-bench-"))
    rows = {}
    try:
        broker = steel.Broker(folder / "broker").start()
        rows["plain"] = flood(spawn, broker.port, n, broker.process.pid)
        broker.stop()
        for name, strict in ("taken", False), ("left", False), ("strict", True):
            (folder / name).mkdir()
            gateway, password = gateway_of(folder / name, rule, strict)
            try:
                b = gateway.status()["mqtt"]["broker"]
                if name == "left":
                    gateway.process.send_signal(signal.SIGSTOP)
                rows[name] = flood(spawn, b["ports"][0], n // 20 if strict else n, b["pid"],
                                   "all", password)
                if name == "left":
                    gateway.process.send_signal(signal.SIGCONT)
            finally:
                gateway.stop(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def measure(spawn, args, rule, out):
    runs = [one(spawn, args.messages, rule) for _ in range(args.runs)]
    floor = statistics.median(r["plain"]["rate"] for r in runs)
    for name, what in (("plain", "mosquitto alone"), ("left", "spooled, the gateway stands still"),
                       ("taken", "spooled, the gateway takes it"),
                       ("strict", "strict: a sync each")):
        rates = [r[name]["rate"] for r in runs]
        used = statistics.median(r[name]["cpu"] for r in runs)
        out.append({"name": "broker-" + name, "unit": "messages/s",
                    "median": round(statistics.median(rates)), "min": round(min(rates)),
                    "max": round(max(rates)), "floor": round(floor),
                    "ratio": round(statistics.median(rates) / floor, 3), "cpu_s": round(used, 3),
                    "rss_kb": 0})
        print("broker %7.0f/s (%.0f to %.0f)  ratio %.2f  broker's CPU %.2f s per 100,000  %s" % (
            statistics.median(rates), min(rates), max(rates), out[-1]["ratio"], used, what))
