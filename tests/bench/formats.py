# SPDX-License-Identifier: Apache-2.0
"""Decoding by format on one core, beside the bare library on the same bytes."""
import glob
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

# Format, its payloads below ../shared/data/payloads.
PAYLOADS = [
    ("senml-json", "senml/*.json"), ("senml-cbor", "senml/*.cbor"), ("json", "zigbee2mqtt/*"),
    ("zigbee2mqtt", "zigbee2mqtt/*"), ("tasmota", "tasmota/*"), ("shelly", "shelly/*"),
    ("neuron", "neuron/*"), ("generic_mqtt", "generic_mqtt/*"), ("qingping", "qingping/*.json"),
    ("opcua", "opcua/*"), ("chirpstack", "chirpstack/*"), ("tts", "tts/*"),
    ("ha_discovery", "ha_discovery/*"), ("lwm2m", "lwm2m/*.json"), ("sparkplugb", "sparkplugb/*"),
    ("lwm2m", "lwm2m/*.tlv.hex"), ("hj212", "hj212/*"), ("milesight", "lorawan_milesight/*"),
    ("dragino", "lorawan_dragino/*"), ("elsys", "elsys/*"), ("qingping", "qingping/*.hex"),
    ("modbus", "modbus/*.hex"), ("scale", "scale/*"), ("coldchain_export", "coldchain_export/*"),
]
CSV = "time,temperature,humidity\n" + "".join(
    "%d,%.1f,%d\n" % (1767225600 + 60 * i, 4 + i % 7 / 10, 60 + i % 5) for i in range(20))


def measure(programs, shared, runs, out):
    base = pathlib.Path(shared, "data", "payloads")
    if not base.exists():
        print("formats: skipped, no %s" % base)
        return
    with tempfile.TemporaryDirectory(prefix="sy-bench-") as folder:
        csv = pathlib.Path(folder, "lines.csv")
        csv.write_text(CSV)
        sets = [(name, sorted(glob.glob(str(base / pattern)))) for name, pattern in PAYLOADS]
        for name, files in sets + [("csv", [str(csv)])]:
            one(programs, name, files, runs, out)


def one(programs, name, files, runs, out):
    rows = [json.loads(subprocess.run([os.path.join(programs, "bench_formats"), name, *files],
                                      check=True, capture_output=True, text=True).stdout)
            for _ in range(runs)]
    rates = [r["rate"] for r in rows]
    library = statistics.median(r["library"] for r in rows) if rows[0]["library"] else None
    median = statistics.median(rates)
    ratio = round(library / median, 2) if library else None
    out.append({"name": "formats " + name, "unit": "messages/s", "median": round(median),
                "min": round(min(rates)), "max": round(max(rates)), "floor": library,
                "ratio": ratio, "rss_kb": 0})
    print("formats %-16s %8d/s of %4d bytes, %5.1f MB/s%s" % (
        name, median, rows[0]["bytes"] // rows[0]["payloads"],
        median * rows[0]["bytes"] / rows[0]["payloads"] / 1e6,
        "   %8d/s by the library alone: %.2f times its time" % (library, ratio) if library else ""))
