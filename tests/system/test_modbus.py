# SPDX-License-Identifier: Apache-2.0
"""Modbus: real slaves over TCP and on a serial line (a pty) are asked by the real binary. Values of
every type and order arrive; a dead slave does not slow the others of its line; a slave and the
gateway itself go away and come back; what a slave refuses is counted and named."""

import json
import subprocess
import time

import steel

SLAVE = str(steel.BUILD / "tests" / "modbus_slave")

ROWS = [  # name, place, type and more, what arrives
    ("u16", "holding", 0, "u16", {}, 65535),
    ("i16", "holding", 1, "i16", {"scale": 0.1}, -18.4),
    ("u32", "holding", 2, "u32", {}, 74565),
    ("i32", "holding", 4, "i32", {"order": "CDAB"}, -70000),
    ("u64", "holding", 6, "u64", {}, 2 ** 40 + 1),
    ("f-abcd", "holding", 10, "f32", {}, -18.5),
    ("f-cdab", "holding", 12, "f32", {"order": "CDAB"}, 21.25),
    ("f-badc", "holding", 14, "f32", {"order": "BADC"}, 3.5),
    ("f-dcba", "holding", 16, "f32", {"order": "DCBA", "offset": 1}, 1.125),
    ("f64", "holding", 18, "f64", {}, 4.875),
    ("bcd", "holding", 22, "bcd", {"scale": 0.01}, 12.34),
    ("bits", "holding", 23, "bits", {"bit": 2, "width": 4}, 9),
    ("swapped", "holding", 25, "i16", {"order": "BADC"}, -184),
    ("i64", "holding", 26, "i64", {"order": "DCBA"}, -5),
    ("unit", "input", 1, "u16", {}, 1),
]


class Slave:
    """The slave program; ends by its own process id."""

    def __init__(self, *args):
        self.args, self.process = args, None

    def start(self):
        self.process = subprocess.Popen([SLAVE, *map(str, self.args)], stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            raise AssertionError("the slave is not ready")
        return self

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None


class Modbus(steel.Case):
    def setUp(self):
        super().setUp()
        self.port = steel.free_port()
        self.tcp = Slave("tcp", self.port, 1).start()
        self.addCleanup(self.tcp.stop)
        self.tty = self.dir / "tty"
        self.rtu = Slave("pty", self.tty, 3, 4).start()
        self.addCleanup(self.rtu.stop)
        self.gateway = steel.Gateway(self.configure(), self.dir / "data")

    def configure(self):
        plc = [{"name": n, "table": t, "address": a, "type": k, **more}
               for n, t, a, k, more, _ in ROWS]
        plc += [{"name": "sentinel", "table": "holding", "address": 24, "type": "i16",
                 "errors": ["0x7fff", "0x8000"]},
                {"name": "door", "address": "00001"},
                {"name": "hatch", "address": 10004, "states": {"open": 1, "closed": 0}},
                # Registers that the slave does not have: refused together, then by themselves.
                {"name": "absent", "table": "holding", "address": 45}]
        self.write("maps/plc.yaml", json.dumps({"gap": 20, "registers": plc}))
        small = [{"name": "unit", "address": 30002}, {"name": "asked", "address": 30001}]
        lines = {"tcp": "127.0.0.1:%d" % self.port, "rtu": "%s,115200,8N1" % self.tty}

        def device(name, line, unit, registers, **more):
            return {"id": name, "transport": "modbus", "address": lines[line], "unit": unit,
                    "poll": "100 ms", "timeout": "100 ms", "registers": registers, **more}

        devices = [device("plc", "tcp", 1, "maps/plc.yaml"),
                   device("rtu3", "rtu", 3, small), device("rtu4", "rtu", 4, small),
                   device("dead", "rtu", 5, small)]

        def point(device_name, name):
            return {"quantity": "temperature", "device": device_name, "name": name, "unit": "degC"}

        points = [point("plc", row[0]) for row in ROWS] + [point("plc", "sentinel")]
        points += [point(d, n) for d in ("rtu3", "rtu4") for n in ("unit", "asked")]
        points += [point("dead", "unit"),
                   {"quantity": "door", "device": "plc", "name": "door",
                    "states": {"open": True, "closed": False}},
                   {"quantity": "hatch", "device": "plc", "name": "hatch"}]
        tree = steel.base_config([], devices, [{"id": "cab", "kind": "cabinet", "points": points}],
                                 gateway={"commit": "50 ms"})
        del tree["mqtt"], tree["coap"]
        return self.config(tree)

    def figures(self):
        lines = self.gateway.status()["modbus"]["lines"]
        return {d["id"]: d for line in lines for d in line["devices"]}

    def answers(self, device, more, seconds=10.0):
        """Wait for so many further answers; how long it took."""
        began, had = time.monotonic(), self.figures()[device]["answers"]
        steel.until(lambda: self.figures()[device]["answers"] >= had + more,
                    "%d answers of %s" % (more, device), seconds)
        return time.monotonic() - began

    def last(self):
        """The newest reading of each series."""
        self.gateway.drained()
        rows = {}
        for row in self.gateway.export():
            row["quality"] = row["quality"].replace("+clock-unsynchronised", "")
            rows[row["device"], row["point"]] = row
        return rows

    def check_values(self):
        rows = self.last()
        for name, _, _, _, _, want in ROWS:
            row = rows["plc", name]
            self.assertEqual(float(row["value"]), want, name)
            self.assertEqual(row["quality"], "good+unauthenticated", name)
        self.assertEqual(rows["plc", "door"]["value"], "open")
        self.assertEqual(rows["plc", "hatch"]["value"], "open")
        self.assertEqual(rows["plc", "sentinel"]["quality"],
                         "bad+device-fault+unauthenticated")
        self.assertNotIn(("plc", "absent"), rows)
        for unit in (3, 4):
            self.assertEqual(float(rows["rtu%d" % unit, "unit"]["value"]), unit)
        self.assertNotIn(("dead", "unit"), rows)
        return rows

    def check_exception(self):
        plc = self.figures()["plc"]
        self.assertGreater(plc["exceptions"], 1)
        self.assertEqual(plc["timeouts"] + plc["garbled"], 0)
        self.assertIn("exception 2 (illegal data address)", plc["last_error"])
        shown = steel.cli("status", "--data", self.gateway.data)
        self.assertRegex(shown, r"(?m)^plc +127.0.0.1:%d +1 +\d+ +0 +\d+  exception 2" % self.port)
        self.assertIn("count 1", plc["last_error"])  # it was split down to the one register
        log = self.gateway.tail(100000)
        self.assertEqual(log.count("event=modbus-exception"), 1)
        self.assertEqual(log.count("event=modbus-apart"), 1, log)

    def check_dead(self):
        """Ten turns of 100 ms each take about a second, with a dead one on the line as well."""
        took = self.answers("rtu3", 10)
        figures = self.figures()
        self.assertLess(took, 2.5)
        dead, alive = figures["dead"], figures["rtu3"]
        self.assertGreater(dead["timeouts"], 0)
        self.assertEqual(dead["answers"], 0)
        self.assertEqual(dead["last_error"], "no answer")
        self.assertLess(dead["turns"], alive["turns"] / 2)
        self.assertEqual(alive["timeouts"] + alive["garbled"], 0)
        log = [l for l in self.gateway.tail(100000).splitlines() if "modbus-device-silent" in l]
        self.assertEqual(["device=dead" in l for l in log], [True], log)

    def check_slave_restarts(self):
        self.tcp.stop()
        steel.until(lambda: self.figures()["plc"]["broken"] > 0, "the line to be down")
        had = self.figures()["plc"]["answers"]
        self.answers("rtu3", 2)  # another line goes on
        self.assertEqual(self.figures()["plc"]["answers"], had)
        self.tcp.start()
        self.answers("plc", 2)

    def check_gateway_killed(self, rows):
        kept = {key: float(row["value"]) for key, row in rows.items() if key[1] == "asked"}
        before = len(self.gateway.export())
        self.gateway.kill()
        self.start(self.gateway)
        self.answers("plc", 2)
        self.answers("rtu4", 2)
        again = self.check_values()
        self.assertGreater(len(self.gateway.export()), before)
        for key, value in kept.items():
            self.assertGreater(float(again[key]["value"]), value)

    def check_reload(self):
        tree = json.loads(self.gateway.config.read_text())
        for device in tree["devices"]:
            if device["id"] == "dead":
                device["unit"] = 4
        self.gateway.config.write_text(json.dumps(tree))
        self.gateway.control("reload")
        self.answers("dead", 1)
        steel.until(lambda: ("dead", "unit") in self.last(), "a reading of the repaired device")
        answers = self.figures()["rtu3"]["answers"]
        tree["devices"] = [d for d in tree["devices"] if d["id"] != "plc"]
        place = tree["premises"][0]["places"][0]
        place["points"] = [p for p in place["points"] if p["device"] != "plc"]
        self.gateway.config.write_text(json.dumps(tree))
        self.gateway.control("reload")  # the line over TCP ends, the other keeps its figures
        self.assertEqual(len(self.gateway.status()["modbus"]["lines"]), 1)
        self.assertGreaterEqual(self.figures()["rtu3"]["answers"], answers)

    def test_polling(self):
        self.start(self.gateway)
        for device in ("plc", "rtu3", "rtu4"):
            self.answers(device, 3)
        rows = self.check_values()
        self.check_exception()
        self.check_dead()
        self.check_slave_restarts()
        self.check_gateway_killed(rows)
        self.check_reload()
        self.assertEqual(self.gateway.stop(), 0)


if __name__ == "__main__":
    steel.main()
