# SPDX-License-Identifier: Apache-2.0
"""Real recordings through the real broker and real CoAP, in replay time: what is exported equals
the recording, and what was judged live equals the backtest of the same recording, byte for byte."""

import csv
import datetime
import gzip
import json
import unittest

import steel

RULES = steel.SOURCE / "tests" / "rules"
MINUTE = 60_000


def epoch_ms(text):
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ"):
        try:
            t = datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)
            return round(t.timestamp() * 1000)
        except ValueError:
            continue
    raise ValueError(text)


def iso(ms):
    t = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (ms % 1000)


def fridge():
    """One certified logger, played as two devices: one over MQTT, one over CoAP."""
    rows = []
    with open(steel.SERIES / "vaccine_fridgetag2L_2022.csv") as f:
        for r in csv.DictReader(f):
            t = epoch_ms(r["timestamp"])
            rows.append((t, "fridge-c", "temperature", float(r["temperature_c"])))
            rows.append((t, "fridge-m", "temperature", float(r["temperature_c"])))
    return rows


def freezer():
    rows = []
    with open(steel.SERIES / "freezer_celsi_2022.csv") as f:
        for r in csv.DictReader(f):
            t = epoch_ms(r["ISOdateTime"])
            rows.append((t, "freezer-h", "humidity", float(r["Humidity"])))
            rows.append((t, "freezer-t", "temperature", float(r["Temperature"])))
    return rows


WATER = {"Tp": ("water-m", "tp"), "Cl": ("water-m", "cl"), "pH": ("water-m", "ph"),
         "Redox": ("water-m", "redox"), "Leit": ("water-m", "leit"), "Trueb": ("water-c", "trueb"),
         "Cl_2": ("water-c", "cl2"), "Fm": ("water-c", "fm"), "Fm_2": ("water-c", "fm2")}


def water(limit=None):
    rows = []
    with gzip.open(steel.SERIES / "gecco2018_water_open.csv.gz", "rt") as f:
        for i, r in enumerate(csv.DictReader(f)):
            if limit and i >= limit:
                break
            t = epoch_ms(r["Time_utc"])
            row = [(t, *WATER[k], float(r[k])) for k in WATER if r[k] not in ("", "NA")]
            rows += sorted(row)
    return rows


def point(quantity, device, name, unit, every="60 s"):
    p = {"quantity": quantity, "device": device, "name": name, "every": every}
    return {**p, "unit": unit} if unit else p


SITES = {
    "fridge": {
        "rules": ["fridge.rules"], "future": "2 h", "every": 5 * MINUTE,
        "place": {"id": "vf", "kind": "cabinet", "points": [
            point("temperature", "fridge-m", "temperature", "degC", "300 s"),
            point("temperature", "fridge-c", "temperature", "degC", "300 s")]},
        "mqtt": "fridge-m", "coap": "fridge-c"},
    "freezer": {
        "rules": ["freezer.rules"], "future": "2 h", "every": MINUTE,
        "place": {"id": "fr", "kind": "cabinet", "points": [
            point("temperature", "freezer-t", "temperature", "degC"),
            point("humidity", "freezer-h", "humidity", "%RH")]},
        "mqtt": "freezer-t", "coap": "freezer-h"},
    "water": {
        "rules": ["water.rules"], "future": "6 h", "every": MINUTE,
        "place": {"id": "ws", "kind": "station", "points": [
            point("temperature", "water-m", "tp", "degC"),
            point("chlorine-dioxide", "water-m", "cl", "mg/L"),
            point("ph", "water-m", "ph", None),
            point("redox", "water-m", "redox", "mV"),
            point("conductivity", "water-m", "leit", "µS/cm"),
            point("turbidity", "water-c", "trueb", "NTU"),
            point("chlorine-dioxide", "water-c", "cl2", "mg/L"),
            point("flow", "water-c", "fm", "m3/h"),
            point("flow", "water-c", "fm2", "m3/h")]},
        "mqtt": "water-m", "coap": "water-c"},
}


@unittest.skipUnless(steel.SERIES.is_dir(), "no recordings: %s is absent" % steel.SERIES)
class Recordings(steel.Case):
    def play(self, name, rows, *replay_options):
        site = SITES[name]
        devices = [
            {"id": site["mqtt"], "transport": "mqtt", "topic": "rec/" + site["mqtt"],
             "format": "senml-json", "credential": "password"},
            {"id": site["coap"], "transport": "coap", "format": "senml-cbor",
             "credential": "none", "from": "127.0.0.0/8"}]
        tree = steel.base_config([RULES / r for r in site["rules"]], devices, [site["place"]],
                                 gateway={"future": site["future"]})
        config = self.config(tree)
        recording = self.dir / "recording.csv"
        with open(recording, "w") as f:
            f.write("time,device,point,value,quality\n")
            for t, device, point_name, value in rows:
                f.write("%s,%s,%s,%s,good\n" % (iso(t), device, point_name, repr(value)))
        data = self.dir / "data"
        gateway = self.start(steel.Gateway(config, data, "--clock", "replay"))
        steel.cli("replay", recording, "--config", config, "--data", data, *replay_options)
        first, last = rows[0][0], rows[-1][0]
        end = last + 120 * MINUTE
        gateway.control("mark %d" % end)
        status = gateway.drained(300)
        self.assertEqual(status["stored"], len(rows))
        self.assertEqual(status["duplicates"], 0)
        self.assertEqual(status["rejected"], 0)
        self.check_export(gateway, rows, site["coap"])
        live = gateway.alerts("--to", iso(end))
        backtest = steel.cli("rules", "backtest", *tree["gateway"]["rules"], "--config", config,
                             "--readings", recording, "--to", iso(end), "--json")
        self.assertEqual(live, backtest)
        stored = steel.cli("rules", "backtest", *tree["gateway"]["rules"], "--config", config,
                           "--data", data, "--from", iso(first), "--to", iso(end), "--json")
        self.assertEqual(live, stored)
        return json.loads(live), gateway

    def check_export(self, gateway, rows, coap_device):
        got = sorted((epoch_ms(r["time"]), r["device"], r["point"], float(r["value"]), r["quality"])
                     for r in gateway.export())
        want = sorted((t, d, p, v, "good+unauthenticated" if d == coap_device else "good")
                      for t, d, p, v in rows)
        self.assertEqual(len(got), len(want))
        for a, b in zip(got, want):
            self.assertEqual(a, b)
        packs = self.write("packs", steel.cli("export", "--data", gateway.data, "--format", "senml"))
        lines = steel.cli("decode", "--lines", packs).splitlines()
        decoded = [json.loads(line) for line in lines]
        self.assertEqual(sorted((round(r["time"] * 1000), r["name"], r["value"]) for r in decoded),
                         sorted((t, d + "/" + p, v) for t, d, p, v in rows))
        for r in decoded:
            if r["name"].endswith("/temperature"):
                self.assertEqual(r["unit"], "Cel")

    def check_fridge(self, alerts):
        with open(steel.SERIES / "vaccine_fridgetag2L_2022.events.json") as f:
            events = json.load(f)["events"]
        for device in ("fridge-m", "fridge-c"):
            raised = sorted(epoch_ms(a["raised"]) for a in alerts
                            if a["subject"].endswith("/%s/temperature" % device))
            alarms = [epoch_ms(e["device_alarm_time"]) for e in events if e["device_alarm_time"]]
            self.assertEqual(len(alarms), 10)
            for alarm in alarms:
                near = [r for r in raised if 0 <= r - alarm <= 5 * MINUTE]
                self.assertEqual(len(near), 1, "device alarm at %s" % iso(alarm))
            for e in events:
                if not e["expected"].startswith("no alarm"):
                    continue
                start, end = epoch_ms(e["first_reading_beyond"]), epoch_ms(e["last_reading_beyond"])
                self.assertEqual([iso(r) for r in raised if start <= r <= end], [],
                                 "an alert in the run from %s" % e["first_reading_beyond"])

    def test_fridge(self):
        alerts, _ = self.play("fridge", fridge())
        self.check_fridge(alerts)

    def test_fridge_shuffled(self):
        alerts, _ = self.play("fridge", fridge(), "--shuffle", "7")
        self.check_fridge(alerts)

    def test_freezer(self):
        alerts, _ = self.play("freezer", freezer())
        self.assertGreaterEqual(len(alerts), 20)
        self.assertTrue(any(a["rule"] == "FREEZER-SILENT" for a in alerts))

    def test_water(self):
        alerts, _ = self.play("water", water(None if steel.os.environ.get("SY_LONG") else 20000))
        self.assertGreaterEqual(len(alerts), 20)
        self.assertTrue(any(a["rule"] == "WATER-SILENT" for a in alerts))


if __name__ == "__main__":
    steel.main()
