# SPDX-License-Identifier: Apache-2.0
"""A tuned number takes effect when it is reloaded: counted time goes on under the new length, a
tuning beyond its bounds changes nothing, and a restart comes back to what was accepted."""

import json
import os
import signal

import devices
import steel

RULE = """
rule TUNE-01 version 1 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2026-01-01
  watch each cabinet: temperature
  missing after 3 min
  set hold = 30 min [tunable 5 min to 60 min]
  alert warning when temperature above 8 °C [policy] for hold
  then tell premises
  say "Only a test."
end
"""
TUNING = 'tune TUNE-01: hold = %s at cab reason "Goods that spoil fast."\n'
T0 = 1772323200000  # 2026-03-01 00:00 UTC
SENML_JSON = 110


class Tune(steel.Case):
    def setUp(self):
        super().setUp()
        self.rules = self.write("tune.rules", RULE)
        port = steel.free_port(steel.socket.SOCK_DGRAM)
        self.path = self.config(steel.base_config(
            [self.rules],
            [{"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC",
                 "every": "60 s"}]}],
            coap={"listen": ["127.0.0.1:%d" % port]}))
        self.gateway = steel.Gateway(self.path, self.dir / "data", "--clock", "replay")
        self.coap = devices.CoapDevice(("127.0.0.1", port))
        self.addCleanup(self.coap.close)

    def minute(self, m, value):
        t = T0 + m * 60000
        body = json.dumps([{"n": "t", "u": "Cel", "v": value, "t": t / 1000}]).encode()
        code, text = self.coap.request("r/c1", body, content_format=SENML_JSON)
        self.assertEqual(code, "2.04", text)
        self.gateway.control("mark %d" % t)
        self.gateway.drained()

    def tune(self, length, event):
        self.rules.write_text(RULE + TUNING % length)
        before = self.gateway.tail(1000000).count(event)
        os.kill(self.gateway.process.pid, signal.SIGHUP)
        steel.until(lambda: self.gateway.tail(1000000).count(event) > before, event)

    def alerts(self):
        return [(a["onset"], a["raised"], a["state"]) for a in json.loads(self.gateway.alerts())]

    def test_tuned_while_it_counts(self):
        self.start(self.gateway)
        for m in range(9):
            self.minute(m, 9)
        self.assertEqual(self.alerts(), [])
        self.tune("6 min", "configuration-reloaded")
        self.minute(9, 9)
        raised = [("2026-03-01T00:00:00.000Z", "2026-03-01T00:09:00.000Z", "active")]
        self.assertEqual(self.alerts(), raised)
        self.tune("4 min", "tune.rules")  # beyond its bounds: refused
        self.minute(10, 4)
        self.gateway.stop()
        self.gateway.start()
        self.assertTrue(self.gateway.status()["configuration"]["fell_back"])
        for m in range(11, 30):
            self.minute(m, 4 if m < 20 else 9)
        self.assertEqual([(r, s) for _, r, s in self.alerts()],
                         [("2026-03-01T00:09:00.000Z", "cleared"),
                          ("2026-03-01T00:26:00.000Z", "active")])


if __name__ == "__main__":
    steel.main()
