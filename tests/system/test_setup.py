# SPDX-License-Identifier: Apache-2.0
"""`steelyard setup`, with answers from a file and on a terminal: what it writes is taken by the
checker, its test alert is judged and delivered, wrong answers are refused with the reason, and what
was there is kept."""

import contextlib
import json
import os
import pty
import select
import socket
import sqlite3
import subprocess
import time
import unittest

import steel

PASSWORD = "a long enough one"
# What an inspected drug store would answer, in the order of the questions.
ANSWERS = [
    ("gateway", "gw-demo"), ("name", "Corner drug store"), ("premises", "shop"), ("code", ""),
    ("zone", "Asia/Shanghai"), ("subject", "drug-wholesaler"), ("rule", "DRUG-COLD-ROOM"),
    ("place", "cr-1"), ("place name", "Cold room 1"), ("listen", None), ("device", "probe-1"),
    ("topic", ""), ("format", "json"), ("value", ""), ("every", "1 min"), ("authority", "none"),
    ("console", "-"), ("test", "no")]


class SetupTest(steel.Case):
    def setUp(self):
        super().setUp()
        self.file, self.data = self.dir / "etc" / "steelyard.yaml", self.dir / "data"
        self.port = steel.free_port()

    def answers(self, **other):
        """One line a question; a list stands for several, None for none."""
        lines = []
        for name, value in ANSWERS:
            value = other.get(name.replace(" ", "_"), value)
            value = "127.0.0.1:%d" % self.port if name == "listen" and value is None else value
            lines += [] if value is None else value if isinstance(value, list) else [value]
        return "".join(line + "\n" for line in lines)

    def setup(self, text, expect=0, language="C.UTF-8"):
        done = subprocess.run(
            [steel.BINARY, "setup", "--config", self.file, "--data", self.data, "--rules",
             steel.SOURCE / "rules" / "packs"], input=text, capture_output=True, text=True,
            timeout=120, env={**os.environ, "LC_ALL": language})
        self.assertEqual(done.returncode, expect, done.stdout[-2000:] + done.stderr[-2000:])
        return done.stdout if expect == 0 else done.stderr

    def inbox(self, *more):
        keys = self.dir / "keys"
        port = steel.free_port()
        self.start(steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % port, "--cert", keys / "authority.pem", "--key",
             keys / "authority.key", "--data", self.dir / "inbox", *more], self.dir / "inbox.log"))
        return keys, port

    def arrived(self):
        """(kind of event, data) of the test alert, at the receiver."""
        path = "file:%s?mode=ro" % (self.dir / "inbox" / "inbox.db")
        with contextlib.closing(sqlite3.connect(path, uri=True)) as db:
            names = [r[1] for r in db.execute("PRAGMA table_info(events)")]
            column = next(n for n in names if n in ("event", "body", "json", "text"))
            events = [json.loads(r[0]) for r in db.execute("SELECT %s FROM events" % column)]
        return [e for e in events if "SETUP-TEST" in json.dumps(e)]

    def test_with_an_authority(self):
        self.keys()
        keys, port = self.inbox("--client-ca", self.dir / "keys" / "ca.pem")
        said = self.setup(self.answers(
            code="91330106MA2B0XKX3H",
            authority=["files", "https://127.0.0.1:%d/events" % port, str(keys / "ca.pem"),
                       str(keys / "gateway.pem"), str(keys / "gateway.key")],
            console=["127.0.0.1:%d" % steel.free_port(), "anna", PASSWORD], test=["yes", "25"]))
        self.assertIn("check character does not fit", said)
        self.assertIn("the authority has it", said)
        self.assertNotIn(PASSWORD, said)
        alerts = json.loads(steel.cli("alerts", "--data", self.data, "--json", "--full"))
        self.assertEqual([a["rule"] for a in alerts], ["SETUP-TEST"])
        self.assertEqual(alerts[0]["state"], "cleared")
        self.assertTrue(self.arrived())
        # nothing of the test stays: one rule file less, and no rule counted the value
        self.assertNotIn("setup-test", self.file.read_text())
        self.assertEqual(sorted(p.name for p in self.file.parent.iterdir()),
                         ["authority-ca.pem", "gateway.key", "gateway.pem", "steelyard.yaml"])
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o640)
        readings = steel.cli("query", "--data", self.data, "--json")
        self.assertIn("maintenance", readings)
        steel.cli("check", "--config", self.file, "--data", self.data)
        users = json.loads(steel.cli("users", "list", "--data", self.data, "--json"))
        self.assertEqual(users, [{"name": "anna", "role": "deployer"}])

    def test_enrolled(self):
        ca, key, tokens = self.dir / "est-ca.pem", self.dir / "est-ca.key", self.dir / "tokens"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", ca, "-days",
                        "30", "-subj", "/CN=Trial CA"], check=True, capture_output=True)
        tokens.write_text("gw-demo a-token-that-counts-once\n")
        both = self.dir / "both.pem"
        both.write_text(ca.read_text() + (self.keys() / "ca.pem").read_text())
        _, port = self.inbox("--client-ca", ca, "--est-ca", ca, "--est-ca-key", key,
                                "--est-tokens", tokens)
        url = "https://127.0.0.1:%d" % port
        said = self.setup(self.answers(
            authority=["enrol", url + "/events", str(both), url + "/.well-known/est",
                       "a-token-that-counts-once"], test=["yes", "25"]))
        self.assertIn("the authority has it", said)
        self.assertNotIn("a-token-that-counts-once", said)
        self.assertTrue(self.arrived())
        self.assertTrue((self.data / "enrolled" / "gateway.pem").exists())
        self.assertFalse((self.data / "setup.token").exists())

    def test_while_the_gateway_runs(self):
        """What is set up anew counts in the gateway that runs, and the test is made with it."""
        self.setup(self.answers())
        self.start(steel.Gateway(self.file, self.data))
        first = self.file.read_text()
        self.setup("no\n" + self.answers(), expect=1)
        self.assertEqual(self.file.read_text(), first)
        said = self.setup("yes\n" + self.answers(place="cr-2", test=["yes", "25"]))
        self.assertIn("the alert is judged", said)
        kept = [p for p in self.file.parent.iterdir() if p.name.startswith("steelyard.yaml.2")]
        self.assertEqual([p.read_text() for p in kept], [first])
        self.assertIn(str(kept[0]), said)
        self.assertIn("cr-2", self.file.read_text())
        alerts = json.loads(steel.cli("alerts", "--data", self.data, "--json"))
        self.assertEqual([a["rule"] for a in alerts], ["SETUP-TEST"])

    @unittest.skipUnless(os.geteuid() == 0, "root alone gives files away")
    def test_as_root_for_a_service(self):
        """What root sets up, and changes later, belongs to the service that runs on the folder."""
        nobody, group = 65534, 65534
        self.dir.chmod(0o755)
        self.data.mkdir(mode=0o700)
        os.chown(self.data, nobody, group)
        self.setup(self.answers(console=["127.0.0.1:%d" % steel.free_port(), "anna", PASSWORD],
                                test=["yes", "25"]))
        steel.cli("devices", "add", "probe-1", "--config", self.file)
        subprocess.run([steel.BINARY, "users", "add", "wang", "--role", "viewer", "--data", self.data],
                       input=PASSWORD + "\n", text=True, check=True, capture_output=True)
        owners = {p: p.stat().st_uid for p in self.data.rglob("*")}
        self.assertEqual({p: u for p, u in owners.items() if u != nobody}, {})
        self.assertGreater(len(owners), 5)
        self.assertEqual((self.file.stat().st_uid, self.file.stat().st_gid), (0, group))

    def test_wrong_answers(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = "127.0.0.1:%d" % taken.getsockname()[1]
            for why, other in (
                    ("letters of a to z", {"gateway": "gw 1"}),
                    ("an answer is needed", {"name": ""}),
                    ("control characters", {"name": "a\x07b"}),
                    ("no such time zone", {"zone": "Mars/Olympus"}),
                    ("'baker' is none of these", {"subject": "baker"}),
                    ("'99' is none of these", {"rule": "99"}),
                    ("the port is taken", {"listen": port}),
                    ("ADDRESS:PORT", {"listen": "1883"}),
                    ("without wildcards", {"topic": "shop/#"}),
                    ("as 60 s or 5 min", {"every": "often"}),
                    ("takes data for missing", {"every": "2 h"}),
                    ("https://HOST", {"authority": ["files", "http://a/"]}),
                    ("No such file", {"authority": ["files", "https://a/e", "/nowhere.pem"]}),
                    ("no PEM", {"authority": ["files", "https://a/e", __file__]}),
                    ("needs TLS", {"console": "0.0.0.0:8080"}),
                    ("10 to 256 bytes", {"console": ["127.0.0.1:0", "anna", "short"]}),
                    ("the answers end before", {"test": None})):
                self.assertIn(why, self.setup(self.answers(**other), expect=2))
                self.assertEqual(self.file.exists(), "test" in other, why)

    def test_on_a_terminal_in_chinese(self):
        """A wrong answer is asked for again; a password is not shown."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [steel.BINARY, "setup", "--config", self.file, "--data", self.data, "--rules",
             steel.SOURCE / "rules" / "packs"], stdin=follower, stdout=follower, stderr=follower,
            env={**os.environ, "LC_ALL": "zh_CN.UTF-8"}, start_new_session=True)
        os.close(follower)
        said = b""

        def answer(question, text):
            nonlocal said
            end, begin = time.monotonic() + 30, len(said)
            while question.encode() not in said[begin:] or not said.endswith(b"> "):
                self.assertTrue(select.select([leader], [], [], end - time.monotonic())[0],
                                "waited for %s in: %s" % (question, said[-800:].decode(errors="replace")))
                said += os.read(leader, 4096)
            os.write(leader, text.encode() + b"\n")

        answer("本网关的 id", "gw 1")
        answer("须为1至64个", "gw-1")
        for question, text in (
                ("经营者名称", "西湖药品冷库"), ("简称", "shop"), ("信用代码", ""), ("时区", ""),
                ("哪一类经营者", "drug-wholesaler"), ("首先监测什么", "面包"), ("编号或名称", "1"),
                ("地点的 id", ""), ("其名称", ""), ("接收 MQTT", "127.0.0.1:%d" % self.port),
                ("设备的 id", ""), ("主题", ""), ("什么格式", "2"), ("值的名称", ""),
                ("多久", ""), ("监管机构", ""), ("页面的地址", "127.0.0.1:%d" % steel.free_port()),
                ("用户名", ""), ("其口令", PASSWORD), ("再次输入", "another one"),
                ("不一致", PASSWORD), ("测试报警", "否")):
            answer(question, text)
        with contextlib.suppress(OSError):
            while part := os.read(leader, 4096):
                said += part
        self.assertEqual(process.wait(30), 0, said[-1500:].decode(errors="replace"))
        self.assertNotIn(PASSWORD.encode(), said)
        self.assertIn("西湖药品冷库", self.file.read_text())
        self.assertIn("drugs.zh.rules", self.file.read_text())
        os.close(leader)


if __name__ == "__main__":
    steel.main()
