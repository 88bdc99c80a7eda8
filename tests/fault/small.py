# SPDX-License-Identifier: Apache-2.0
"""A small box for single faults: one CoAP device without a time of its own, one rule, no broker."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import sys
import time

import rig
import shim
from shim import steel

import devices

RULE = """
rule SMALL-01 version 1 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each cabinet: temperature
  missing after %s
  alert warning when temperature above 8 °C [policy]
  clear when temperature at most 8 °C
  then tell premises, inspector
  say "Only a test."
end
"""


class Case(steel.Case):
    """gateway (started by start()), control of its faults, and how often each value was sent."""

    DESTINATION = False
    DURABILITY = "balanced"
    RETENTION = {}
    MISSING = "60 min"

    def setUp(self):
        super().setUp()
        self.dir = pathlib.Path(os.path.realpath(self.dir))
        self.port = steel.free_port(steel.socket.SOCK_DGRAM)
        self.inbox_port = steel.free_port()
        self.rules = self.write("small.rules", RULE % self.MISSING)
        more = {}
        if self.DESTINATION:
            keys = self.keys()
            more["destinations"] = [{
                "name": "inbox", "kind": "https",
                "url": "https://127.0.0.1:%d/events" % self.inbox_port,
                "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                        "key": str(keys / "gateway.key")},
                "serves": ["premises", "inspector"], "severity": "notice"}]
        self.tree = steel.base_config(
            [self.rules],
            [{"id": "c1", "transport": "coap", "format": "number", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % self.port]}, **more)
        self.tree["gateway"]["durability"] = self.DURABILITY
        if self.RETENTION:
            self.tree["gateway"]["retention"] = self.RETENTION
        del self.tree["mqtt"]
        self.config_path = self.config(self.tree)
        self.data = self.dir / "box" / "data"
        self.data.mkdir(parents=True)
        self.ctl = shim.Control(self.dir / "ctl")
        self.gateway = self.make()
        self.coap = devices.CoapDevice(("127.0.0.1", self.port))
        self.addCleanup(self.coap.close)
        self.acked, self.sent, self.next = [], [], 0

    def make(self):
        g = rig.Process(["run", "--config", self.config_path, "--data", self.data],
                        self.dir / "gateway.log",
                        shim.environment(self.data, control=self.ctl))
        g.data = self.data
        self.addCleanup(lambda: g.running() and g.kill())
        return g

    def value(self, warm):
        """A value that no other message has, above or below the limit."""
        self.next += 1
        return round((10 if warm else 4) + self.next / 1000, 3)

    def send(self, warm=False, deadline=5.0):
        """True: acknowledged."""
        before = time.time()
        steel.until(lambda: time.time() > before + 0.002 or time.time() < before, "the next "
                    "millisecond", 1, 0.001)  # two values of one time would be a conflict
        value = self.value(warm)
        self.sent.append(value)
        self.coap.flight.clear()
        answer = self.coap.request("r/c1", b"%.3f" % value, deadline=deadline)
        self.coap.flight.clear()
        fine = answer is not None and answer[0].startswith("2.")
        if fine:
            self.acked.append(value)
        return fine

    def until_sent(self, what, warm=False, seconds=30):
        steel.until(lambda: self.send(warm, 1.0), what, seconds)

    def stored(self):
        return [round(float(r["value"]), 3) for r in self.gateway.export()]

    def compare(self):
        """Everything acknowledged is stored, once; nothing else but what was sent."""
        self.gateway.drained()
        got = self.stored()
        self.assertEqual([v for v in self.acked if v not in got], [], "acknowledged, not stored")
        self.assertEqual(len(set(got)), len(got), "stored twice")
        self.assertEqual([v for v in got if v not in self.sent], [], "never sent")

    def backtest(self):
        return steel.cli("rules", "backtest", self.rules, "--config", self.config_path, "--data",
                         self.data, "--json")

    def same_alerts(self):
        self.assertEqual(rig.final(json.loads(self.gateway.alerts())),
                         rig.final(json.loads(self.backtest())))

    def judged(self):
        """What was finally judged; what bears a date of 1970 may have expired by its age."""
        return [a for a in rig.final(json.loads(self.gateway.alerts())) if a["raised"] > "2000"]

    def same_when_rebuilt(self):
        """C3: the store made again from the log is the same. Ends the gateway."""
        self.gateway.drained()
        before = self.gateway.export(), self.judged()
        self.assertEqual(self.gateway.stop(), 0)
        for path in self.data.glob("store.db*"):
            path.unlink()
        self.gateway.start()
        self.gateway.drained()
        self.assertEqual(self.gateway.export(), before[0])
        self.assertEqual(self.judged(), before[1])
        self.gateway.stop()

    @contextlib.contextmanager
    def apart(self, **what):
        """A subtest that leaves no process, and nothing acknowledged, to the next one."""
        acked, sent = list(self.acked), list(self.sent)
        with self.subTest(**what):
            try:
                yield
            except BaseException:
                print(self.log()[-6000:], file=sys.stderr)
                raise
            finally:
                if self.gateway.running():
                    self.gateway.kill()
                self.acked, self.sent = acked, sent
                self.ctl.rest()

    def log(self):
        return self.gateway.tail(1 << 20)

    def use_up_descriptors(self, left=0):
        """The gateway may open `left` more; undone by give_descriptors."""
        pid = self.gateway.process.pid
        used = max(int(p.name) for p in pathlib.Path("/proc/%d/fd" % pid).iterdir()
                   if int(p.name) < 800) + 1
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + left, hard))

    def give_descriptors(self):
        pid = self.gateway.process.pid
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(1024, hard), hard))


def copy(folder, to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to, symlinks=True,
                    ignore=lambda d, names: [n for n in names if n == "control.sock"])
