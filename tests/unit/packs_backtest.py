# SPDX-License-Identifier: Apache-2.0
"""Packs against real recordings: packs_backtest.py STEELYARD

Each recording is moved by whole days into the time in which the packs are in force, and judged by
`rules backtest`. What must come of it is computed here from the same rows, by other means than the
judge's (the sentences of the reference, reading by reading), and, where the recording's own
instrument has alarmed, compared with its alarms. Without recordings: exit 77 (skipped)."""

import csv
import datetime
import gzip
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("SY_SHARED", ROOT.parent / "shared"))
SERIES = SHARED / "data" / "series"
PACKS = ROOT / "rules" / "packs"
BINARY = sys.argv[1]
MIN, HOUR, DAY = 60, 3600, 86400
LEVELS = ["notice", "warning", "serious", "major"]


def seconds(text):
    text = text.replace("T", " ").replace("Z", "")[:19]
    form = "%Y-%m-%d %H:%M:%S" if len(text) > 16 else "%Y-%m-%d %H:%M"
    t = datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)
    return int(t.timestamp())


def iso(t):
    at = datetime.datetime.fromtimestamp(t, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def rows(name, time, value, moved, **reader):
    """(time in s, value) of one column; empty cells are no readings."""
    path = SERIES / name
    opened = gzip.open(path, "rt") if name.endswith(".gz") else open(path)
    with opened as f:
        got = [(seconds(r[time]) + moved * DAY, float(r[value]))
               for r in csv.DictReader(f, **reader) if r[value] not in ("", "NA")]
    return got


class Hold:
    """How long a signal was known true without being known false, reading by reading."""

    def __init__(self, test, length, missing):
        self.test, self.length, self.missing = test, length, missing
        self.time, self.last, self.onset = 0, None, None

    def feed(self, t, v):
        """True where the hold is reached at this reading; a hold of 0 is the bare condition."""
        true = self.test(v)
        grew = False
        if self.last:
            t0, true0 = self.last
            if t - t0 > max(self.length, DAY):
                self.time, self.onset = 0, None
            elif t - t0 <= self.missing and true and true0:
                if not self.time:
                    self.onset = t0
                self.time += t - t0
                grew = True
        if not true:
            self.time, self.onset = 0, None
        self.last = (t, true)
        if self.length == 0:
            self.onset = t if true else None
            return true
        return true and grew and self.time >= self.length


def alerts(readings, levels, clear, missing):
    """levels: (severity, test, hold), the lowest first; clear: (test, hold); a Sum is a hold."""
    holds = [(name, length if isinstance(length, Sum) else Hold(test, length, missing))
             for name, test, length in levels]
    back = Hold(clear[0], clear[1], missing)
    got, one, armed = [], None, {name: True for name, _ in holds}
    for t, v in readings:
        reached = [(name, h) for name, h in holds if h.feed(t, v)]
        fine = back.feed(t, v)
        for name, h in holds:
            armed[name] = armed[name] or not h.test(v)
        if one and fine and clear[0](v):
            one["cleared"] = t
            one = None
            for _, h in holds:
                h.cleared = t
            armed = {name: not h.test(v) for name, h in holds}
            continue
        for name, h in reached:
            if one and armed[name]:
                one["severity"] = max(one["severity"], name, key=LEVELS.index)
            elif armed[name]:
                one = {"severity": name, "onset": h.onset, "raised": t, "cleared": None}
                got.append(one)
            armed[name] = False
    return got


class Sum:
    """Counted time in any window, not reset by what complies."""

    def __init__(self, test, length, window, missing):
        self.test, self.length, self.window, self.missing = test, length, window, missing
        self.parts, self.last, self.onset, self.cleared = [], None, None, None

    def feed(self, t, v):
        true, grew = self.test(v), False
        if self.last and true and self.last[1] and t - self.last[0] <= self.missing:
            self.parts.append((self.last[0], t))
            grew = True
        self.last = (t, true)
        self.parts = [(max(a, t - self.window), b) for a, b in self.parts if b > t - self.window]
        since = self.cleared or 0
        after = [max(a, since) for a, b in self.parts if b > since]
        self.onset = after[0] if after else None
        return true and grew and sum(b - a for a, b in self.parts) >= self.length


def verdicts(judged, severity):
    """judged: (time, onset, True, False or None for unknown), a condition without a hold."""
    got, one = [], None
    for t, onset, true in judged:
        if one and true is False:
            one["cleared"] = t
            one = None
        elif true and not one:
            one = {"severity": severity, "onset": onset, "raised": t, "cleared": None}
            got.append(one)
    return got


def above(a, b):
    return a - b > 1e-9 * max(abs(a), abs(b))


def rising(readings, window, limit, enough):
    """The rate of the readings in (t - window, t], a day's worth of K per hour against the limit."""
    at = []
    for k, (t, v) in enumerate(readings):
        first = k
        while first > 0 and readings[first - 1][0] > t - window:
            first -= 1
        true = None
        if k - first + 1 >= enough:
            t0, v0 = readings[first]
            true = above((v - v0) / (t - t0) * HOUR, limit)
        at.append((t, t, true))
    return at


def differences(one, other, missing):
    """At each instant at which either has a reading: the latest of each, at most that old."""
    got, last = [], {}
    for t, which, v in sorted([(t, 0, v) for t, v in one] + [(t, 1, v) for t, v in other]):
        last[which] = (t, v)
        if len(last) == 2 and all(t - at <= missing for at, _ in last.values()):
            if got and got[-1][0] == t:
                got.pop()
            got.append((t, last[0][1] - last[1][1]))
    return got


def hourly_means(readings, enough):
    hours = {}
    for t, v in readings:
        hours.setdefault(t // HOUR * HOUR, []).append(v)
    return {h: math.fsum(v) / len(v) for h, v in hours.items() if len(v) >= enough}


def windows(means, length, first, last, limit):
    """Of every window that begins at or after the first reading and closes by the last one."""
    start = first // length * length
    return [(w + length, w, above(means[w], limit(w)) if w in means else None)
            for w in range(start, last - length + 1, length)]


def silences(readings, levels, missing, end):
    """levels: (severity, length): no reading for so long; clear after the first length with data."""
    got, one, back = [], None, 0
    times = [t for t, _ in readings] + [end]
    for t0, t in zip(times, times[1:]):
        if one and t - t0 <= missing:
            back += t - t0
            if back >= levels[0][1]:
                one["cleared"] = t0 + levels[0][1] - (back - (t - t0))
                one = None
        for name, length in levels:
            if t - t0 >= length and (t > t0 + length or t == end):
                back = 0
                if not one:
                    one = {"onset": t0, "raised": t0 + length, "cleared": None}
                    got.append(one)
                one["severity"] = name
    return got


WATER = {"temperature": "Tp", "ph": "pH", "turbidity": "Trueb", "chlorine-dioxide": "Cl",
         "chlorine-dioxide-backup": "Cl_2"}


class Packs(unittest.TestCase):
    def backtest(self, packs, premises, places, series):
        """series: {device: (point name, readings)}; gives {rule: {device: alerts}}."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            rules = [str(PACKS / (p + ".en.rules")) for p in packs]
            tree = {"gateway": {"id": "gw-1", "rules": rules},
                    "mqtt": {"broker": "managed", "listen": ["127.0.0.1:0"]},
                    "premises": [{"id": "p", "time-zone": "UTC", **premises, "places": places}],
                    "devices": [{"id": d, "transport": "mqtt", "topic": "t/" + d,
                                 "format": "senml-json"} for d in series]}
            (folder / "gateway.yaml").write_text(json.dumps(tree))
            lines = sorted((t, d, name, v) for d, (name, got) in series.items() for t, v in got)
            with open(folder / "recording.csv", "w") as f:
                f.write("time,device,point,value,quality\n")
                for t, device, name, value in lines:
                    f.write("%s,%s,%s,%r,good\n" % (iso(t), device, name, value))
            done = subprocess.run(
                [BINARY, "rules", "backtest", "--config", str(folder / "gateway.yaml"),
                 "--readings", str(folder / "recording.csv"), "--json", *rules],
                capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        got = {}
        for a in json.loads(done.stdout):
            device = a["subject"].split("/")[-2]
            one = {"severity": a["severity"], "onset": seconds(a["onset"]),
                   "raised": seconds(a["raised"]),
                   "cleared": seconds(a["cleared"]) if a["cleared"] else None}
            got.setdefault(a["rule"], {}).setdefault(device, []).append(one)
        return got

    def same(self, rule, got, want):
        show = [{k: v if k == "severity" or v is None else iso(v) for k, v in a.items()}
                for a in want]
        seen = [{k: v if k == "severity" or v is None else iso(v) for k, v in a.items()}
                for a in got]
        self.assertEqual(seen, show, rule)
        print("    %s: %d alerts" % (rule, len(want)))

    def test_vaccine_refrigerator(self):
        """The instrument's own alarms: above 8 °C or below 2 °C for an hour."""
        moved = 1461
        got = rows("vaccine_fridgetag2L_2022.csv", "timestamp", "temperature_c", moved)
        place = {"id": "f", "kind": "refrigerator", "goods": ["vaccine"], "points": [
            {"quantity": "temperature", "device": "f", "name": "t", "unit": "degC",
             "every": "300 s"}]}
        found = self.backtest(["vaccines"], {"subject": "vaccination-site", "stage": "storage"},
                              [place], {"f": ("t", got)})
        outside = lambda v: v < 2 or v > 8
        rule = found["VACCINE-REFRIGERATOR"]["f"]
        self.same("VACCINE-REFRIGERATOR", rule,
                  alerts(got, [("notice", outside, 0), ("serious", outside, HOUR)],
                         (lambda v: 2 <= v <= 8, 10 * MIN), 15 * MIN))
        self.same("VACCINE-WARM", found["VACCINE-WARM"]["f"],
                  alerts(got, [("major", lambda v: v > 8, 10 * HOUR)],
                         (lambda v: v <= 8, HOUR), 15 * MIN))
        self.same("VACCINE-COLD", found["VACCINE-COLD"]["f"],
                  alerts(got, [("major", lambda v: v < -0.5, HOUR)],
                         (lambda v: v >= 2, 30 * MIN), 15 * MIN))
        self.same("VACCINE-FROZEN", found["VACCINE-FROZEN"]["f"],
                  alerts(got, [("major", lambda v: v <= -0.5, 0)],
                         (lambda v: v > 2, 30 * MIN), 15 * MIN))
        self.same("VACCINE-SILENT", found["VACCINE-SILENT"]["f"],
                  silences(got, [("warning", 30 * MIN)], 15 * MIN, got[-1][0]))
        self.instrument(rule, moved)

    def instrument(self, alerts_of_rule, moved):
        """Each run beyond a limit is in one alert; that one is serious where the instrument alarmed
        in one of its runs, and no more than a notice where it says "no alarm" of all of them."""
        with open(SERIES / "vaccine_fridgetag2L_2022.events.json") as f:
            events = json.load(f)["events"]
        runs = {}
        for e in events:
            first = seconds(e["first_reading_beyond"]) + moved * DAY
            mine = [k for k, a in enumerate(alerts_of_rule)
                    if a["onset"] <= first and (a["cleared"] is None or a["cleared"] > first)]
            self.assertEqual(len(mine), 1, e)
            runs.setdefault(mine[0], []).append(e["expected"])
        self.assertEqual(sorted(runs), list(range(len(alerts_of_rule))))
        alarmed = quiet = 0
        for k, said in runs.items():
            alarms = sum(s.startswith("device alarm on that minute") for s in said)
            alarmed += alarms
            if alarms:
                self.assertEqual(alerts_of_rule[k]["severity"], "serious", alerts_of_rule[k])
            elif all(s.startswith("no alarm") for s in said):
                quiet += 1
                self.assertEqual(alerts_of_rule[k]["severity"], "notice", alerts_of_rule[k])
        self.assertEqual(alarmed, sum(e["expected"].startswith("device alarm") for e in events))
        print("    its instrument: %d alarms found; %d alerts without one are notices" % (alarmed, quiet))

    def test_freezer(self):
        """One recording in three kinds of places; it knows no defrost state: no exemption."""
        moved = 1461
        got = rows("freezer_celsi_2022.csv", "ISOdateTime", "Temperature", moved)
        point = lambda d: [{"quantity": "temperature", "device": d, "name": "t", "unit": "degC",
                            "every": "60 s"}]
        places = [
            {"id": "a", "kind": "room", "goods": ["frozen-food"], "stage": "storage",
             "points": point("room")}]
        found = self.backtest(["cold-chain"], {"subject": "cold-store-operator"}, places,
                              {"room": ("t", got)})
        self.same("FROZEN-STORE", found["FROZEN-STORE"]["room"],
                  alerts(got, [("serious", lambda v: v > -18, 30 * MIN)],
                         (lambda v: v <= -18, 20 * MIN), 10 * MIN))
        self.same("FROZEN-RISING", found["FROZEN-RISING"]["room"],
                  verdicts(rising(got, 30 * MIN, 12, 23), "notice"))
        places = [{"id": "b", "kind": "freezer", "goods": ["frozen-food"], "stage": "storage",
                   "points": point("freezer")}]
        found = self.backtest(["catering"], {"subject": "caterer"}, places,
                              {"freezer": ("t", got)})
        self.same("CATERING-FREEZER", found.get("CATERING-FREEZER", {}).get("freezer", []),
                  alerts(got, [("warning", lambda v: v > -12, HOUR)],
                         (lambda v: v <= -12, 30 * MIN), 10 * MIN))
        places = [{"id": "c", "kind": "cabinet", "goods": ["frozen-food"], "stage": "retail",
                   "points": point("cabinet")}]
        found = self.backtest(["food-retail"], {"subject": "food-retailer"}, places,
                              {"cabinet": ("t", got)})
        self.same("DISPLAY-FREEZER", found.get("DISPLAY-FREEZER", {}).get("cabinet", []),
                  alerts(got, [("warning", lambda v: v > -15, HOUR)],
                         (lambda v: v <= -15, 30 * MIN), 10 * MIN))

    def test_transport_box(self):
        """A logger of a transport: single runs and the sum of a day; its own sums alarmed too."""
        moved = 1461
        got = rows("pharma_transport_qtag_02.csv", "timestamp", "temperature_c", moved)
        place = {"id": "x", "kind": "box", "goods": ["refrigerated-drug"], "points": [
            {"quantity": "temperature", "device": "x", "name": "t", "unit": "degC",
             "every": "600 s"}]}
        found = self.backtest(["drugs"], {"subject": "carrier", "stage": "transport"}, [place],
                              {"x": ("t", got)})
        outside = lambda v: v < 2 or v > 8
        total = Sum(outside, HOUR, 24 * HOUR, 25 * MIN)
        want = alerts(got, [("warning", outside, 30 * MIN), ("serious", outside, total)],
                      (lambda v: 2 <= v <= 8, 40 * MIN), 25 * MIN)
        self.same("DRUG-BOX", found["DRUG-BOX"]["x"], want)
        with open(SERIES / "manifest.json") as f:
            [mine] = [d for d in map(json.loads, f) if d["file"].endswith("qtag_02.csv")]
        alarms = mine["labels"]["alarms_computed_by_device"]
        for a in alarms:
            at = seconds(a["alarm_at"]) + moved * DAY
            self.assertTrue(any(x["severity"] == "serious" and x["raised"] <= at + HOUR
                                and (x["cleared"] is None or x["cleared"] > at) for x in want), a)
        print("    its instrument: %d alarms found" % len(alarms))

    def test_office_air(self):
        """Carbon dioxide of an office, as if it were a hotel's, and as if it were a shop's."""
        got = []
        with open(SERIES / "occupancy_datatraining.csv") as f:
            for r in list(csv.reader(f))[1:]:  # a number of the row stands before the columns
                got.append((seconds(r[1]) + 4018 * DAY, float(r[5])))
        point = [{"quantity": "co2", "device": "o", "name": "c", "unit": "ppm", "every": "60 s"}]
        for rule, subject, limit in (("CO2-HOTEL", "hotel", 1000), ("CO2-PUBLIC", "caterer", 1500)):
            place = {"id": "o", "kind": "hall", "goods": ["indoor-air"], "points": point}
            found = self.backtest(["air"], {"subject": subject, "stage": "use"}, [place],
                                  {"o": ("c", got)})
            judged = windows(hourly_means(got, 45), HOUR, got[0][0], got[-1][0], lambda w: limit)
            self.same(rule, found.get(rule, {}).get("o", []), verdicts(judged, "notice"))

    def test_city_air(self):
        """PM2.5 of a station in Beijing, in the years of the first limit and of the second."""
        with gzip.open(SERIES / "prsa_gucheng.csv.gz", "rt") as f:
            hours = [("%s-%02d-%02d %02d:00" % (r["year"], int(r["month"]), int(r["day"]),
                                                int(r["hour"])), r["PM2.5"])
                     for r in csv.DictReader(f)]
        place = {"id": "s", "kind": "station", "goods": ["ambient-air"], "points": [
            {"quantity": "pm25", "device": "s", "name": "p", "unit": "ug/m3", "every": "3600 s"}]}
        second = seconds("2031-01-01 00:00")
        for moved in (4748, 5479):
            got = [(seconds(t) + moved * DAY, float(v)) for t, v in hours if v not in ("", "NA")]
            found = self.backtest(["air"], {}, [place], {"s": ("p", got)})
            days = {}
            for h, v in hourly_means(got, 1).items():
                days.setdefault(h // DAY * DAY, []).append(v)
            means = {d: math.fsum(v) / len(v) for d, v in days.items()
                     if len(v) * 100 >= 83 * 24}
            judged = windows(means, DAY, got[0][0], got[-1][0],
                             lambda w: 60 if w < second else 50)
            self.same("PM25-DAY", found["PM25-DAY"]["s"], verdicts(judged, "notice"))

    def test_drinking_water(self):
        moved = 3652
        series = {name: rows("gecco2018_water_open.csv.gz", "Time_utc", column, moved)
                  for name, column in WATER.items()}
        units = {"temperature": {"unit": "degC"}, "ph": {}, "turbidity": {"unit": "NTU"},
                 "chlorine-dioxide": {"unit": "mg/L"}, "chlorine-dioxide-backup": {"unit": "mg/L"}}
        place = {"id": "w", "kind": "station", "goods": ["drinking-water"], "points": [
            {"quantity": q, "device": q, "name": "v", "every": "60 s", **units[q]}
            for q in series]}
        found = self.backtest(["water", "supervision"],
                              {"subject": "water-supplier", "stage": "supply"}, [place],
                              {q: ("v", got) for q, got in series.items()})
        self.same("WATER-PH", found["WATER-PH"]["ph"],
                  alerts(series["ph"], [("warning", lambda v: v < 6.5 or v > 8.5, 30 * MIN)],
                         (lambda v: 6.5 <= v <= 8.5, 20 * MIN), 5 * MIN))
        self.same("WATER-TURBIDITY", found.get("WATER-TURBIDITY", {}).get("turbidity", []),
                  alerts(series["turbidity"], [("warning", lambda v: v > 1, 30 * MIN)],
                         (lambda v: v <= 1, 20 * MIN), 5 * MIN))
        apart = differences(series["chlorine-dioxide"], series["chlorine-dioxide-backup"], 5 * MIN)
        self.same("CHLORINE-DIOXIDE-METERS",
                  found["CHLORINE-DIOXIDE-METERS"]["chlorine-dioxide"],
                  alerts(apart, [("notice", lambda v: above(abs(v), 0.08), 30 * MIN)],
                         (lambda v: not above(abs(v), 0.08), 30 * MIN), 5 * MIN))
        end = max(got[-1][0] for got in series.values())
        self.same("POINT-SILENT", found["POINT-SILENT"]["temperature"],
                  silences(series["temperature"], [("notice", 15 * MIN), ("serious", 2 * HOUR)],
                           3 * MIN, end))


if not SERIES.is_dir():
    print("skipped: no recordings: %s is absent (SY_SHARED)" % SERIES)
    sys.exit(77)
unittest.main(argv=sys.argv[:1], verbosity=1)
