#!/usr/bin/env python3
"""Every payload of the shared data decodes to the readings that its manifest names; one that has
none by its nature (a join, a setting) decodes all the same.

usage: payloads.py STEELYARD [FOLDER]
SY_SHARED names the shared folder. Exit 77 (skipped) where the data is absent.
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile

import payloads_lora

NO_TIME = "senml/rfc8428_ex1.json"
# Folders that nothing decodes: named at the end, so that nobody takes them for checked.
NOT_DECODED = set()
NO_PAYLOAD = {"modbus/register_maps.csv"}


def leaves(tree, path=()):
    """The values of a decoded LwM2M TLV tree, by their paths."""
    for node in tree:
        at = path + (str(node["id"]),)
        if "children" in node:
            yield from leaves(node["children"], at)
        else:
            both = [v for v in (node["as_text"], node["as_int"]) if v is not None]
            yield {"name": "/".join(at), "any": both}


def days(entry):
    """What the logger's own report says of each day, and how many rows its table has."""
    expected = entry["expected"]
    for day in expected.get("days", []):
        for name, key in (("day.min", "min"), ("day.max", "max"), ("day.average", "avg")):
            yield {"name": name, "value": float(day[key])}
        for alarm in day["alarms"]:
            name = f"day.alarm.{alarm['alarm']}"
            yield {"name": name + ".minutes", "value": alarm["accumulated_min"]}
            if alarm["alarm_time"]:
                at = datetime.datetime.fromisoformat(f"{day['date']}T{alarm['alarm_time']}+00:00")
                yield {"name": name, "value": True, "time": at.timestamp()}


def wanted(entry):
    """The readings that a payload decodes to; where the manifest has none in that shape, from what
    it expects in the source's own."""
    folder, expected = entry["file"].split("/")[0], entry.get("expected")
    if folder == "lorawan_milesight":
        return payloads_lora.readings(entry)
    if entry.get("readings"):
        return entry["readings"]
    if folder == "lwm2m":
        if expected and "type" in expected[0]:
            return list(leaves(expected))
        return [{"name": r["name"], "value": r["value"], "time": r.get("t") or None}
                for r in expected]
    if folder == "ha_discovery":
        return [{"name": name, "value": value} for name, value in expected.items()]
    if folder == "coldchain_export":
        return list(days(entry))
    if folder == "qingping":
        return [{"name": name, "value": row[name]} for row in expected["readings"]
                for name in ("temperature", "humidity")]
    if isinstance(expected, list) and folder == "shelly":
        return [{"name": r["name"], "value": r["value"]} for r in expected
                if not r["name"].startswith("wifi.")]
    return []


def decode(steelyard, folder, path):
    done = subprocess.run([steelyard, "decode", "--format", folder, path], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        return None, done.stderr.strip()
    return [json.loads(line) for line in done.stdout.splitlines()], ""


def same(file, want, got):
    if want["name"] != got["name"]:
        return False
    if "any" in want:
        return got["value"] in want["any"]
    a, b = want.get("value"), got["value"]
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or a is None:
        if a != b:
            return False
    elif not isinstance(b, (int, float)) or abs(a - b) > 1e-9 * max(1, abs(a)):
        return False
    for key in ("time", "device"):
        # A pack without a time is resolved with the time of its reception.
        if want.get(key) is not None and want[key] != got.get(key) and file != NO_TIME:
            return False
    return True


def payload(base, file, room):
    """The path of the payload. The name of a LoRaWAN payload begins with the device's model."""
    if file not in payloads_lora.WHOLE:
        return os.path.join(base, file)
    path = os.path.join(room, os.path.basename(file))
    with open(path, "w", encoding="ascii") as whole:
        whole.write(payloads_lora.WHOLE[file])
    return path


def check(steelyard, base, entry):
    folder = entry["file"].split("/")[0]
    with tempfile.TemporaryDirectory() as room:
        rows, why = decode(steelyard, folder, payload(base, entry["file"], room))
    if rows is None:
        return f"{entry['file']}: {why}"
    left = list(rows)
    for want in wanted(entry):
        hit = next((row for row in left if same(entry["file"], want, row)), None)
        if hit is None:
            near = [r for r in rows if r["name"] == want["name"]][:3]
            return f"{entry['file']}: no {want}; there are {near or [r['name'] for r in rows][:12]}"
        left.remove(hit)
    return None


def main():
    steelyard = sys.argv[1]
    only = sys.argv[2] if len(sys.argv) > 2 else None
    shared = os.environ.get("SY_SHARED", "../shared")
    base = os.path.join(shared, "data", "payloads")
    manifest = os.path.join(base, "manifest.json")
    if not os.path.exists(manifest):
        print(f"skipped: no {manifest}")
        return 77
    checked, wrong, passed_over = 0, [], {}
    with open(manifest, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            folder = entry["file"].split("/")[0]
            if entry["file"] in NO_PAYLOAD or (only and folder != only):
                continue
            if folder in NOT_DECODED and not only:
                passed_over[folder] = passed_over.get(folder, 0) + 1
                continue
            checked += 1
            problem = check(steelyard, base, entry)
            if problem:
                wrong.append(problem)
    for problem in wrong:
        print(problem)
    for folder, n in sorted(passed_over.items()):
        print(f"{folder}: {n} payloads, no decoder")
    print(f"{checked} payloads, {len(wrong)} wrong" +
          ("" if wrong or passed_over or only else ": every payload of the manifest decodes"))
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
