# SPDX-License-Identifier: Apache-2.0
"""A Sparkplug B edge node made with the real sparkplug-client (npm): births, aliases, a lost message
and the request for births, deaths; across a kill -9 of the gateway; with the managed broker."""

import json
import pathlib
import select
import subprocess


import devices
import node_modules
import steel

HERE = pathlib.Path(__file__).parent / "sparkplug"
RULES = """
rule SP-01 version 1 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after 1 h
  alert warning when temperature above 80 °C [policy]
  then tell premises
  say "Only a test."
end
"""


class Node:
    def __init__(self, folder, port, user, password, group, node):
        self.process = subprocess.Popen(
            ["node", str(HERE / "node.js"), str(port), user, password, group, node],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin",
                 "SY_SPARKPLUG_CLIENT": str(folder / "node_modules" / "sparkplug-client")})
        self.words, self.buf = [], ""

    def poll(self, seconds=0.05):
        if select.select([self.process.stdout], [], [], seconds)[0]:
            self.words.append(self.process.stdout.readline().strip())

    def expect(self, word, seconds=20.0):
        steel.until(lambda: self.poll() or word in self.words, "%s: %s" % (word, self.words),
                    seconds, 0)
        self.words.remove(word)

    def do(self, what, *metrics, **more):
        self.process.stdin.write(json.dumps({"do": what, "metrics": metrics, **more}) + "\n")
        self.expect("done")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def metric(name=None, value=0.0, alias=None, kind="Float", **more):
    out = {"value": value, "type": kind, **more}
    if name is not None:
        out["name"] = name
    if alias is not None:
        out["alias"] = alias
    return out


class Sparkplug(steel.Case):
    def setUp(self):
        super().setUp()
        folder = node_modules.installed(HERE, "sparkplug-client")
        if not folder:
            self.skipTest("sparkplug-client cannot be had by npm here")
        self.port = steel.free_port()
        device_list = [{"id": "line", "transport": "mqtt", "node": "plant/line 3"},
                       {"id": "other", "transport": "mqtt", "topic": "t/other", "format": "number"}]
        points = [{"quantity": "temperature", "device": "line", "name": n, "unit": "degC"}
                  for n in ("Oven", "pump/Oil")]
        places = [{"id": "pl", "kind": "cabinet", "points": points}]
        tree = steel.base_config([self.write("sp.rules", RULES)], device_list, places,
                                 mqtt={"listen": ["127.0.0.1:%d" % self.port]})
        del tree["coap"]
        config, self.data = self.config(tree), self.dir / "data"
        self.passwords = {n: steel.cli("devices", "add", n, "--config", config, "--data",
                                       self.data).strip() for n in ("line", "other")}
        self.gateway = self.start(steel.Gateway(config, self.data))
        self.node = Node(folder, self.port, "line", self.passwords["line"], "plant", "line 3")
        self.addCleanup(self.node.stop)

    def rows(self, series):
        self.gateway.drained()
        return [(float(r["value"]), r["quality"].replace("+clock-unsynchronised", ""))
                for r in self.gateway.export() if r["device"] + "/" + r["point"] == series]

    def until_rows(self, series, want):
        steel.until(lambda: self.rows(series) == want, "%s to be %s: %s" % (
            series, want, self.rows(series)), 20)

    def births(self, oven, oil):
        self.node.do("birth", metric("Oven", oven, 1), metric("Node Control/Rebirth", False,
                                                              kind="Boolean"))
        self.node.do("dbirth", metric("Oil", oil, 2), device="pump")

    def test_all(self):
        node = self.node
        node.expect("connected")
        # Data before a birth: the names are not known, so the node is asked.
        node.do("data", metric(None, 1.0, 1))
        node.expect("rebirth")
        self.births(20.5, 60.0)
        node.do("data", metric(None, 21.5, 1))
        node.do("ddata", metric(None, 61.0, 2), device="pump")
        oven, oil = [(20.5, "good"), (21.5, "good")], [(60.0, "good"), (61.0, "good")]
        self.until_rows("line/Oven", oven)
        self.until_rows("line/pump/Oil", oil)
        self.assertEqual(self.gateway.status()["sequence_gaps"], 0)
        # After a kill -9 the log is read again, and nothing is asked of the node by that.
        asked = self.gateway.status()["rebirths"]
        self.gateway.kill()
        self.gateway.start()
        node.expect("connected")
        self.births(22.5, 62.0)
        node.do("data", metric(None, 23.5, 1))
        oven += [(22.5, "good"), (23.5, "good")]
        steel.until(lambda: self.rows("line/Oven")[-2:] == oven[-2:], "the oven after the restart",
                    20)
        self.assertEqual(self.gateway.status()["rebirths"], asked, "asked again by the replay")
        self.assertNotIn("rebirth", node.words)
        # A message is lost: counted, and the node is asked, though not sooner than 5 s after the
        # last time.
        gaps = 0

        def asked_again():
            nonlocal gaps
            gaps += 1
            node.do("skip")
            node.do("data", metric(None, 24.5, 1))
            node.poll(0.5)
            return "rebirth" in node.words

        steel.until(asked_again, "a request after a lost message", 20, 0)
        node.expect("rebirth")
        self.assertEqual(self.gateway.drained()["sequence_gaps"], gaps)
        self.births(25.5, 63.0)
        # A device dies, then the node without a word.
        node.do("ddeath", device="pump")
        stale = "uncertain+device-fault"
        steel.until(lambda: self.rows("line/pump/Oil")[-1] == (63.0, stale), "the pump's end", 20)
        self.assertEqual(self.rows("line/Oven")[-1], (25.5, "good"))
        node.do("die")
        steel.until(lambda: self.rows("line/Oven")[-1] == (25.5, stale), "the node's end", 20)
        node.expect("connected")
        self.births(26.5, 64.0)
        steel.until(lambda: self.rows("line/Oven")[-1] == (26.5, "good"), "its birth", 20)
        steel.until(lambda: self.rows("line/pump/Oil")[-1] == (64.0, "good"), "its pump's", 20)
        self.others_do_not_speak_for_it()

    def others_do_not_speak_for_it(self):
        """Neither does another device write its topics, nor does it write its own commands."""
        before = self.rows("line/Oven")
        for user, topic in (("other", "spBv1.0/plant/NDATA/line 3"),
                            ("line", "spBv1.0/plant/NCMD/line 3"),
                            ("line", "spBv1.0/plant/NDATA/line 4")):
            d = devices.MqttDevice(("127.0.0.1", self.port), "x-" + user, user,
                                   self.passwords[user])
            d.connect()
            self.addCleanup(d.close)
            d.publish(1, topic, b"\x08\x01")
            steel.until(lambda d=d: not d.poll(0.05), "the end of the connection", 10, 0)
        self.assertEqual(self.rows("line/Oven"), before)


if __name__ == "__main__":
    steel.main()
