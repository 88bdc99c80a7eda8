#!/usr/bin/env python3
"""Every payload of the shared data decodes to the readings that its manifest names.

usage: payloads.py STEELYARD [FOLDER]
SY_SHARED names the shared folder. Exit 77 (skipped) where the data is absent.
"""
import json
import os
import subprocess
import sys

# Formats without a decoder yet would be listed here by folder; what is listed is reported.
NO_TIME = "senml/rfc8428_ex1.json"
NOT_DECODED = {"lorawan_dragino", "lorawan_milesight"}


def decode(steelyard, folder, path):
    done = subprocess.run([steelyard, "decode", "--format", folder, path], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        return None, done.stderr.strip()
    return [json.loads(line) for line in done.stdout.splitlines()], ""


def same(file, want, got):
    if want["name"] != got["name"]:
        return False
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


def check(steelyard, base, entry):
    folder = entry["file"].split("/")[0]
    rows, why = decode(steelyard, folder, os.path.join(base, entry["file"]))
    if rows is None:
        return f"{entry['file']}: {why}"
    left = list(rows)
    for want in entry["readings"]:
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
            if not entry.get("readings") or (only and folder != only):
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
    print(f"{checked} payloads, {len(wrong)} wrong")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
