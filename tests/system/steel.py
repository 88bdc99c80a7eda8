# SPDX-License-Identifier: Apache-2.0
"""The real binary, a real broker and a real TLS receiver for the system tests.

Everything lives in one temporary folder and on loopback ports that the kernel gives; what is
started is stopped by its own process id. Waiting is always for a condition, with a deadline.
"""

import contextlib
import csv
import io
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("SY_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("SY_BUILD_DIR", SOURCE / "build" / "debug"))
BINARY = str(BUILD / "steelyard")
SHARED = pathlib.Path(os.environ.get("SY_SHARED", SOURCE.parent / "shared"))
SERIES = SHARED / "data" / "series"


def warm_rule(rule, missing="60 s"):
    """A rule about cabinets: warmer than 8 °C is an alert, 8 °C and less clears it."""
    return """
rule %s version 1 "Warm"
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
""" % (rule, missing)


def until(condition, what, seconds=30.0, every=0.02):
    """The first true value of condition(); fails with `what` when the time is up."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %.0f s in vain for %s" % (seconds, what))
        select.select([], [], [], every)


def cli(*args, expect=0, text=True, env=None):
    """Run a subcommand; its standard output."""
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=text, timeout=300,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
    if expect is not None and done.returncode != expect:
        raise AssertionError("steelyard %s: exit %d\n%s\n%s" %
                             (" ".join(map(str, args)), done.returncode, done.stdout[-2000:],
                              done.stderr[-2000:]))
    return done.stdout if expect is not None else done


class Child:
    """A process with a ready descriptor and a log file."""

    def __init__(self, args, log):
        self.args, self.log_path = args, log
        self.process, self.ready = None, None

    def start(self, seconds=30.0):
        reader, writer = os.pipe()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, *map(str, self.args), "--ready-fd", str(writer)], pass_fds=[writer],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        os.close(writer)
        line, end = b"", time.monotonic() + seconds
        try:
            while b"\n" not in line:
                left = end - time.monotonic()
                if left <= 0 or not select.select([reader], [], [], left)[0]:
                    raise AssertionError("not ready in time: " + self.tail())
                part = os.read(reader, 4096)
                if not part:
                    raise AssertionError("ended before it was ready: " + self.tail())
                line += part
        finally:
            os.close(reader)
        self.ready = line.decode().strip()
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=30.0):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("did not end on SIGTERM: " + self.tail()) from None
        return self.process.returncode if self.process else None

    def tail(self, size=3000):
        with open(self.log_path, "rb") as log:
            return log.read()[-size:].decode(errors="replace")

    def rss_kb(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(next(l for l in status if l.startswith("VmRSS")).split()[1])

    def cpu(self):
        fields = pathlib.Path("/proc/%d/stat" % self.process.pid).read_text().rsplit(")", 1)[1]
        used = fields.split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


class Gateway(Child):
    def __init__(self, config, data, *more, log=None):
        super().__init__(["run", "--config", config, "--data", data, *more],
                         log or pathlib.Path(data).with_suffix(".log"))
        self.config, self.data = config, data

    def connected(self, s):
        try:
            s.connect(str(pathlib.Path(self.data) / "control.sock"))
        except BlockingIOError:  # with a time limit, connect does not wait for a full backlog
            return False
        return True

    def control(self, line, seconds=60.0):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(seconds)
            until(lambda: self.connected(s), "room at the control socket", seconds)
            s.sendall(line.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = s.recv(65536)
                if not part:
                    raise AssertionError("control socket closed: " + self.tail())
                answer += part
        return json.loads(answer)

    def status(self):
        return self.control("status")

    def spool_taken(self):
        """All that the managed broker's plugin has spooled is in the journal."""
        broker = (self.status().get("mqtt") or {}).get("broker")
        return not broker or broker["spool"]["taken"] >= broker["spool"]["appended"]

    def drained(self, seconds=60.0):
        """Wait until everything in the spool and the journal is judged and stored; the status."""
        until(self.spool_taken, "the spool to be read", seconds)
        seq = self.status()["journal_seq"]
        self.control("wait %d" % seq, seconds)
        return self.status()

    def alerts(self, *more):
        return cli("alerts", "--data", self.data, "--json", *more)

    def export(self, *more):
        return list(csv.DictReader(io.StringIO(
            cli("export", "--data", self.data, "--format", "csv", *more))))


class Broker:
    """A mosquitto of the test's own, without credentials, that outlives the gateway."""

    def __init__(self, folder):
        self.folder, self.process, self.port = pathlib.Path(folder), None, free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "m.conf").write_text(
            "listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            "persistence false\n%s" % (self.port, "user root\n" if os.geteuid() == 0 else ""))

    def start(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with open(self.folder / "m.log", "ab") as log:
            self.process = subprocess.Popen([program, "-c", str(self.folder / "m.conf")],
                                            stdout=log, stderr=log)
        until(lambda: listening(self.port), "the broker")
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False


class Case(unittest.TestCase):
    """A temporary folder, removed unless the test failed (then its path is printed)."""

    maxDiff = 4000

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sy-system-"))
        self.addCleanup(self._tidy)

    def _tidy(self):
        failed = any(error for _, error in getattr(self._outcome, "errors", []) or []) or \
            bool(getattr(getattr(self._outcome, "result", None), "failures", None)) or \
            bool(getattr(getattr(self._outcome, "result", None), "errors", None))
        if failed:
            print("kept for inspection: %s" % self.dir, file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, child):
        child.start()
        self.addCleanup(child.stop)
        return child

    def keys(self):
        cli("keys", "demo", "--out", self.dir / "keys")
        return self.dir / "keys"

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def config(self, tree, name="steelyard.yaml"):
        """JSON is YAML: the configuration as a tree of Python values."""
        return self.write(name, json.dumps(tree, indent=1, ensure_ascii=False))


def base_config(rules, devices, places, **more):
    """A configuration with one premises; mqtt managed and coap on free ports."""
    tree = {
        "gateway": {"id": "gw-test-1", "data": "data", "rules": [str(r) for r in rules]},
        "mqtt": {"broker": "managed", "listen": ["127.0.0.1:0"]},
        "coap": {"listen": ["127.0.0.1:0"]},
        "premises": [{"id": "prem", "name": "Test premises", "subject": "drug-wholesaler",
                      "stage": "storage", "time-zone": "UTC", "places": places}],
        "devices": devices,
    }
    for section, values in more.items():
        if isinstance(values, dict):
            tree.setdefault(section, {}).update(values)
        else:
            tree[section] = values
    return tree


def main():
    if not os.path.exists(BINARY):
        sys.exit("no %s: build first" % BINARY)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
