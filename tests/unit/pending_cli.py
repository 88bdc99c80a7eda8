#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`devices pending` takes names and units of a device's JSON from what it announces for Home
Assistant; the announcement itself is no device.

usage: pending_cli.py STEELYARD
"""
import json
import pathlib
import subprocess
import sys
import tempfile

STEELYARD = sys.argv[1]

CONFIG = """
gateway: {id: box, data: %s}
mqtt: {listen: ["127.0.0.1:0"]}
devices: []
premises:
  - {id: shop, name: Shop, places: [{id: room, kind: room, points: []}]}
"""


def source(topic, *messages):
    return {"transport": "mqtt", "source": topic, "client": "", "peer": "127.0.0.1",
            "count": len(messages), "first": 1, "last": 2,
            "messages": [{"at": 1, "payload": json.dumps(m).encode().hex()} for m in messages]}


def announced(topic, member, unit, device_class):
    return {"state_topic": topic, "unique_id": "u_" + member, "device": {"identifiers": ["d"]},
            "unit_of_measurement": unit, "device_class": device_class,
            "value_template": "{{ value_json.%s }}" % member}


def pending(folder, sources):
    (folder / "pending.json").write_text(json.dumps({"sources": sources}))
    done = subprocess.run([STEELYARD, "devices", "pending", "--json", "--config",
                           folder / "box.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {s["source"]: s for s in json.loads(done.stdout)}


def main():
    with tempfile.TemporaryDirectory(prefix="sy-pending-") as name:
        folder = pathlib.Path(name)
        (folder / "box.yaml").write_text(CONFIG % folder)
        state = source("site/probe", {"x1": 4.5, "x2": 900, "x3": 1})
        of = "homeassistant/sensor/probe/%s/config"
        said = [source(of % "x1", announced("site/probe", "x1", "°C", "temperature")),
                source(of % "x2", announced("site/probe", "x2", "ppm", "carbon_dioxide")),
                source(of % "x3", announced("site/other", "x3", "%", "humidity"))]
        alone = pending(folder, [state])["site/probe"]
        assert alone["points"] == [], alone
        got = pending(folder, [state, *said])
        points = got["site/probe"]["points"]
        assert len(points) == 2, got["site/probe"]
        assert "quantity: temperature" in points[0] and "unit: degC" in points[0], points
        assert "quantity: co2" in points[1] and "unit: ppm" in points[1], points
        assert got["site/probe"]["unclear"] == ["x3"], got["site/probe"]
        assert "announcement" in got[of % "x1"]["why"], got[of % "x1"]
        assert "format" not in got[of % "x1"] or got[of % "x1"]["format"] is None
    print("fine")


main()
