# SPDX-License-Identifier: Apache-2.0
"""steelyard export as a person runs it: both forms say the same, packs of SenML are what a gateway
takes, and a large store costs no more memory than a small one; query --bucket counts right.
usage: export_cli.py STEELYARD STORE_FILL"""
import csv
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BINARY, FILL = sys.argv[1], sys.argv[2]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*\Z")


def run(*args, expect=0):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=300)
    assert done.returncode == expect, (args, done.returncode, done.stderr)
    return done


def fill(folder, *args):
    folder.mkdir()
    run(FILL, folder, *args)
    return folder


def from_csv(text):
    out = []
    for r in csv.DictReader(text.splitlines()):
        t = datetime.datetime.strptime(r["time"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
        out.append((r["device"] + "/" + r["point"], round(t * 1000), float(r["value"]),
                    r["quality"]))
    return out


def from_packs(text):
    """RFC 8428 section 4.6 by hand: the quality, which decode passes over, is in it."""
    out = []
    for line in text.splitlines():
        assert len(line) < 1 << 16, len(line)
        base, name = 0, ""
        for r in json.loads(line):
            base, name = r.get("bt", base), r.get("bn", name)
            assert NAME.match(name), name
            out.append((name, round((base + r.get("t", 0)) * 1000), r["v"],
                        r.get("steelyard_quality", "good")))
    return out


def same_readings(tmp, data):
    plain = from_csv(run(BINARY, "export", "--data", data).stdout)
    assert len(plain) == 30000 and len({r[3] for r in plain}) == 2
    assert plain == sorted(plain, key=lambda r: (r[1], r[0]))
    packs = run(BINARY, "export", "--data", data, "--format", "senml")
    assert packs.stderr == "", packs.stderr
    assert packs.stdout.count("\n") >= 30000 // 2048
    assert sorted(from_packs(packs.stdout)) == sorted(plain)
    path = tmp / "packs"
    path.write_text(packs.stdout)
    lines = run(BINARY, "decode", "--lines", path).stdout.splitlines()
    decoded = [json.loads(line) for line in lines]
    assert sorted((r["name"], round(r["time"] * 1000), r["value"]) for r in decoded) == \
        sorted(r[:3] for r in plain)
    one = run(BINARY, "export", "--data", data, "--series", "d0003/temperature", "--format", "senml",
              "--from", "2025-01-01T10:00:00Z", "--to", "2025-01-02T10:00:00Z").stdout
    begin = 1735725600000
    assert from_packs(one) == [r for r in plain if r[0] == "d0003/temperature" and
                               begin <= r[1] <= begin + 86400000]
    assert one.count("bn") == one.count("\n")


def stretches(data):
    """query --bucket against the readings themselves, chunks that are cut by the range among them."""
    plain = from_csv(run(BINARY, "export", "--data", data, "--series", "d0005/temperature").stdout)
    for width, text, begin, end in ((21600000, "6 h", None, None), (86400000, "1 d", None, None),
                                    (864000000, "10 d", 1735725600000, 1736726400123),
                                    (7 * 60000, "7 min", 1735725600000, 1735812000000)):
        want = {}
        for _, t, value, quality in plain:
            if quality == "good" and (begin is None or begin <= t <= end):
                want.setdefault(t // width, []).append(value)
        limits = [] if begin is None else ["--from", begin, "--to", end]
        args = [BINARY, "query", "--data", data, "--series", "d0005/temperature", "--bucket", text,
                *limits]
        got = json.loads(run(*args, "--json").stdout)
        assert len(got) == len(want) and len(want) > 1
        for row, (i, values) in zip(got, sorted(want.items())):
            t = datetime.datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
            assert (round(t * 1000), row["count"], row["min"], row["max"]) == \
                (i * width, len(values), min(values), max(values)), row
            assert abs(row["mean"] - sum(values) / len(values)) < 1e-9, row
        assert run(*args).stdout.count("\n") == len(want)
    run(BINARY, "query", "--data", data, "--bucket", "1 h", expect=2)
    run(BINARY, "query", "--data", data, "--bucket", "nonsense", expect=2)
    run(BINARY, "query", "--data", data, "--series", "d0005/temperature", "--bucket", "0.001 s",
        expect=1)


def left_out(tmp):
    """A value that is none, a time that SenML takes as relative, a name that it does not allow."""
    data = fill(tmp / "odd", "odd")
    plain = run(BINARY, "export", "--data", data).stdout
    assert plain.count("\n") == 6, plain
    packs = run(BINARY, "export", "--data", data, "--format", "senml")
    assert "2 readings left out" in packs.stderr, packs.stderr
    assert from_packs(packs.stdout) == [
        ("x_a:20b", 1735689600001, -0.25, "good"),
        ("x_a:20b", 1735689601230, 0.1, "uncertain+late"),
        ("x:e6:b8:a9/t", 1735689600250, 4.5, "good")]


def memory(tmp):
    def peak(n, *format):
        data = tmp / ("m%d" % n)
        if not data.exists():
            fill(data, n, 50)
        with open(os.devnull, "w") as null:
            p = subprocess.Popen([BINARY, "export", "--data", str(data), *format], stdout=null)
        _, status, usage = os.wait4(p.pid, 0)
        assert status == 0
        return usage.ru_maxrss
    for format in ((), ("--format", "senml")):
        small, large = peak(50000, *format), peak(400000, *format)
        assert large < small + 6000, (format, small, large)


def refusals(tmp):
    path = tmp / "bad"
    path.write_text('[{"n":"a","v":1}]\n\n[{"n":"a"}]\n[{"n":"b","v":2}]')
    done = run(BINARY, "decode", "--lines", path, expect=1)
    assert "bad:3: senml-json: record 1 has no value" in done.stderr, done.stderr
    assert done.stdout.count("\n") == 2
    path.write_text("[" + " " * (1 << 20))
    assert "a line of 1 MiB" in run(BINARY, "decode", "--lines", path, expect=1).stderr
    assert "No such file" in run(BINARY, "decode", "--lines", tmp / "none", expect=1).stderr
    run(BINARY, "export", "--data", tmp / "none", expect=1)
    run(BINARY, "export", "--data", tmp / "m50000", "--format", "xml", expect=2)
    with open("/dev/full", "w") as full:
        for form in ("csv", "senml"):
            done = subprocess.run([BINARY, "export", "--data", str(tmp / "m50000"), "--format",
                                   form], stdout=full, stderr=subprocess.PIPE, text=True)
            assert done.returncode == 1 and "not complete" in done.stderr, done


with tempfile.TemporaryDirectory(prefix="sy-export-") as name:
    root = pathlib.Path(name)
    filled = fill(root / "data", 30000, 7, 300)
    same_readings(root, filled)
    stretches(filled)
    left_out(root)
    memory(root)
    refusals(root)
