# SPDX-License-Identifier: Apache-2.0
"""Every numeric column of the shared recordings as a series: bytes a reading in a chunk, by gzip -9
of its lines, and as plain SQLite rows."""
import csv
import datetime
import gzip
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile

FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M",
           "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%m/%d/%Y %H:%M:%S")


def time_of(text):
    text = text.strip().strip('"').replace("+00:00", "")
    for layout in FORMATS:
        try:
            t = datetime.datetime.strptime(text, layout).replace(tzinfo=datetime.timezone.utc)
            return int(t.timestamp() * 1000)
        except ValueError:
            pass
    return None


def columns(path):
    """(name, [(ms, value)]) of each column that is numbers."""
    with (gzip.open(path, "rt", errors="replace") if path.suffix == ".gz" else
          open(path, errors="replace")) as f:
        head = f.readline()
        delimiter = ";" if head.count(";") > head.count(",") else ","
        names = [c.strip().strip('"') for c in head.strip().split(delimiter)]
        rows = list(csv.reader(f, delimiter=delimiter))
    at = next((i for i, c in enumerate(names) if "time" in c.lower() or "date" in c.lower()), 0)
    times = [time_of(r[at]) if len(r) > at else None for r in rows]
    if sum(t is not None for t in times) < len(rows) // 2:
        times = [i * 60000 for i in range(len(rows))]  # no time of its own: once a minute
    for i, name in enumerate(names):
        out = []
        for t, r in zip(times, rows):
            try:
                if i != at and t is not None and i < len(r):
                    out.append((t, float(r[i])))
            except ValueError:
                pass
        if len(out) >= 100:
            yield name, out


def sqlite_bytes(rows):
    with tempfile.TemporaryDirectory(prefix="sy-bench-") as folder:
        path = os.path.join(folder, "rows.db")
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE reading(series INTEGER, t INTEGER, value REAL, quality INTEGER,"
                   " PRIMARY KEY(series,t,value)) WITHOUT ROWID")
        db.executemany("INSERT OR IGNORE INTO reading VALUES(1,?,?,0)", rows)
        db.commit()
        db.close()
        return os.path.getsize(path)


def measure(program, shared):
    text, others = [], []
    for path in sorted(pathlib.Path(shared, "data", "series").glob("*.csv*")):
        for name, rows in columns(path):
            lines = "".join("%d,%r\n" % row for row in rows)
            text.append("# %s %s\n%s" % (path.name.split(".")[0], name.replace('"', ""), lines))
            others.append((len(gzip.compress(lines.encode(), 9)), sqlite_bytes(rows)))
    done = subprocess.run([program], input="".join(text), capture_output=True, text=True,
                          check=True)
    table = [json.loads(line) for line in done.stdout.splitlines()]
    for row, (zipped, plain) in zip(table, others):
        row["gzip"], row["sqlite"] = zipped, plain
    return table


def summary(table):
    n = sum(r["readings"] for r in table)
    return {"series": len(table), "readings": n,
            "bytes_a_reading": sum(r["bytes"] for r in table) / n,
            "under_2": sum(r["bytes"] < 2 * r["readings"] for r in table),
            "gzip": sum(r["gzip"] for r in table) / n,
            "sqlite": sum(r["sqlite"] for r in table) / n,
            "encode": n / sum(r["encode_s"] for r in table),
            "decode": n / sum(r["decode_s"] for r in table)}
