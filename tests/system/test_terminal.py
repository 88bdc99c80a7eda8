# SPDX-License-Identifier: Apache-2.0
"""status, alerts, devices list and query on a terminal: a pseudo-terminal of many widths, with and
without colours, watched and ended by q and ^C; piped they are as ever."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata
import unittest

import devices
import steel

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PICTURE = re.compile(r"\x1b\[H(.*?)\x1b\[J", re.S)
INK = re.compile(r"\x1b\[[0-9;]*m")


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Terminal:
    """A command whose input, output and controlling terminal is a pseudo-terminal."""

    def __init__(self, *args, columns=80, rows=24, env=None):
        self.master, slave = pty.openpty()
        self.size(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.slave = slave

        def own():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(
            [steel.BINARY, *map(str, args)], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=own,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **(env or {})})
        self.said = ""

    def size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.05):
        if select.select([self.master], [], [], seconds)[0]:
            self.said += os.read(self.master, 65536).decode(errors="replace")

    def until(self, found, what):
        end = time.monotonic() + 20
        while not found(self.said):
            if time.monotonic() > end:
                raise AssertionError("waited in vain for %s: %r" % (what, self.said[-2000:]))
            self.read()

    def end(self):
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)
        code = self.process.poll()
        self.after = termios.tcgetattr(self.slave)
        os.close(self.master)
        os.close(self.slave)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Screens(steel.Case):
    def setUp(self):
        super().setUp()
        rules = self.write("warm.rules", steel.warm_rule("warm"))
        self.tree = steel.base_config(
            [rules], [{"id": "probe", "transport": "coap", "format": "senml-json",
                       "credential": "none", "from": "127.0.0.0/8"},
                      {"id": "second", "transport": "mqtt", "topic": "market/冷柜/#",
                       "format": "senml-json", "credential": "password"}],
            [{"id": "fridge", "kind": "cabinet", "name": "冷柜", "points": [
                {"quantity": "temperature", "device": "probe", "name": "t", "unit": "degC",
                 "every": "1 s"}]}])
        self.gateway = self.start(steel.Gateway(self.config(self.tree), self.dir / "data"))
        self.coap = devices.CoapDevice(("127.0.0.1", self.gateway.status()["coap"]["ports"][0]))
        now = time.time()
        for i in range(40):
            answer = self.coap.request("r/probe", json.dumps([
                {"n": "t", "u": "Cel", "v": 3 + i / 4, "t": now + i / 10}]).encode())
            self.assertTrue(answer and answer[0].startswith("2."), answer)
        self.gateway.drained()
        steel.until(lambda: json.loads(self.gateway.alerts()), "an alert")
        data = ["--data", self.dir / "data"]
        self.commands = {
            "status": ["status", *data], "alerts": ["alerts", *data],
            "query": ["query", *data],
            "buckets": ["query", *data, "--series", "probe/t", "--bucket", "500 ms"],
            "devices": ["devices", "list", "--config", self.gateway.config, *data]}

    def open(self, *args, **more):
        t = Terminal(*args, **more)
        self.addCleanup(t.close)
        return t

    def once(self, name, **more):
        t = self.open(*self.commands[name], **more)
        self.assertEqual(t.end(), 0, t.said)
        return t.said

    def test_fits(self):
        words = {"status": "received", "alerts": "active", "query": "probe/t", "buckets": "readings",
                 "devices": "probe"}
        for columns in (40, 80, 132):
            for name, word in words.items():
                said = self.once(name, columns=columns)
                lines = ESCAPES.sub("", said).split("\r\n")
                self.assertIn(word, "\n".join(lines))
                for line in lines:
                    self.assertLessEqual(width(line), columns, (name, line))
        self.assertIn("market/冷柜/#", self.once("devices", columns=132))
        self.assertIn("password missing", self.once("devices", columns=132))

    def test_course(self):
        for name in ("status", "query", "buckets"):
            said = self.once(name, columns=120)
            self.assertRegex(said, "[▁▂▃▄▅▆▇█]", name)
        last = [l for l in self.once("query", columns=120).split("\r\n") if "▁" in l]
        self.assertRegex(last[0], "▁.*█")  # it rises

    def test_colours(self):
        for name in self.commands:
            self.assertRegex(self.once(name), INK, name)
            for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
                self.assertNotRegex(self.once(name, env=env), "\x1b", (name, env))
            self.assertRegex(self.once(name, env={"NO_COLOR": ""}), INK)  # empty counts for nothing
            self.assertNotRegex(steel.cli(*self.commands[name]), "\x1b|…")

    def test_piped(self):
        said = steel.cli(*self.commands["query"])
        self.assertEqual(len(said.splitlines()), 40)
        self.assertRegex(said, r"^\S+Z  probe/t {26}3 degC  \S+\n")
        self.assertRegex(steel.cli(*self.commands["alerts"]),
                         r"^\S+Z  warning  active     warm         \S+\n    Only a test\.\n")
        self.assertRegex(steel.cli(*self.commands["status"]), r"(?m)^stored {15}40$")
        self.assertRegex(steel.cli(*self.commands["devices"]),
                         r"(?m)^probe {20}coap   senml-json   1 points  none needed ")

    def test_watch(self):
        words = {"status": "readings a second", "alerts": "warm", "query": "probe/t",
                 "devices": "credential"}
        for (name, word), key in zip(words.items(), "qq\x03q"):
            t = self.open(*self.commands[name], "--watch", columns=100, rows=30)
            t.until(lambda said: said.count("\x1b[H") >= 2 and word in said, "two pictures")
            seen = len(t.said)
            t.size(50, 12)
            t.until(lambda said: PICTURE.search(said[seen:]), "a smaller one")
            lines = ESCAPES.sub("", PICTURE.findall(t.said[seen:])[-1]).replace("\r", "").split("\n")
            self.assertLess(len(lines), 13)
            for line in lines:
                self.assertLessEqual(width(line), 50, (name, line))
            os.write(t.master, key.encode())
            self.assertEqual(t.end(), 0)
            self.assertTrue(t.said.endswith("\x1b[?25h\x1b[?1049l"), t.said[-50:])
            self.assertEqual(t.after, t.before)

    def test_watch_shows_what_comes(self):
        t = self.open(*self.commands["query"], "--watch", columns=100, rows=40)
        t.until(lambda said: "probe/t" in said, "a picture")
        self.assertNotIn("77.25", t.said)
        self.coap.request("r/probe", json.dumps([{"n": "t", "u": "Cel", "v": 77.25,
                                                  "t": time.time()}]).encode())
        t.until(lambda said: "77.25" in said, "the new reading")
        t.process.terminate()
        self.assertEqual(t.end(), 0)
        self.assertEqual(t.after, t.before)

    def test_watch_needs_a_terminal(self):
        for command in self.commands.values():
            done = steel.cli(*command, "--watch", expect=None)
            self.assertEqual(done.returncode, 2)
            self.assertIn("terminal", done.stderr)
            done = steel.cli(*command, "--watch", "--json", expect=None)
            self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
