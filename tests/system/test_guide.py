# SPDX-License-Identifier: Apache-2.0
"""The guides of deployer, inspector and regulator, in English and Chinese, followed in a folder: every
command of the pages as it stands there, with other paths and ports, until the alerts are at an
authority's receiver, the evidence is verified and a rule is signed. What a package and a service manager do is done by the test; tests/package/clean.py has the real ones."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys

import steel

sys.path.insert(0, str(steel.SOURCE / "tests"))
import guide  # noqa: E402

DOCS = steel.SOURCE / "docs"
SHELL = r"""
sudo() { "$@"; }
apt() { :; }
systemctl() {
  case "$*" in
    "start steelyard")
      mkfifo ready
      steelyard run --config etc/steelyard.yaml --data data --ready-fd 3 3>ready >gateway.log 2>&1 &
      echo $! >gateway.pid
      read -r line <ready; test -n "$line" ;;
    "reload steelyard") kill -HUP "$(cat gateway.pid)" ;;
  esac
}
"""


class GuideTest(steel.Case):
    def authority(self):
        """A receiver that certifies boxes by a token; its port."""
        ca, key = self.dir / "authority-ca.pem", self.dir / "ca.key"
        server, csr, ext = self.dir / "server.pem", self.dir / "server.csr", self.dir / "ext"

        def openssl(*args):
            subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *new, "-keyout", key, "-out", ca, "-days", 30, "-subj",
                "/CN=County CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", "-new", *new, "-keyout", self.dir / "server.key", "-out", csr, "-subj",
                "/CN=inbox.example")
        ext.write_text("subjectAltName=DNS:inbox.example,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-in", csr, "-CA", ca, "-CAkey", key, "-days", 20, "-CAcreateserial",
                "-extfile", ext, "-out", server)
        (self.dir / "tokens").write_text("gw-0042 TOKEN-OF-THIS-BOX\n")
        port = steel.free_port()
        self.start(steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % port, "--cert", server, "--key",
             self.dir / "server.key", "--client-ca", ca, "--est-ca", ca, "--est-ca-key", key,
             "--est-tokens", self.dir / "tokens", "--data", self.dir / "inbox"],
            self.dir / "inbox.log"))
        return port

    def stop_gateway(self):
        path = self.dir / "gateway.pid"
        if path.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.read_text()), signal.SIGTERM)
            steel.until(lambda: not (self.dir / "data" / "control.sock").exists(), "the end")

    def rules_at_the_receiver(self):
        path = "file:%s?mode=ro" % (self.dir / "inbox" / "inbox.db")
        with contextlib.closing(sqlite3.connect(path, uri=True)) as db:
            text = "".join(str(row) for row in db.execute("SELECT * FROM events"))
        return {rule for rule in ("SETUP-TEST", "VACCINE-FROZEN") if rule in text}

    def run_page(self, page, language, **more):
        text = guide.script(DOCS / page)
        for old, new in self.other.items():
            text = text.replace(old, new)
        done = subprocess.run(
            ["bash", "-c", SHELL + text], cwd=self.dir, capture_output=True, text=True, timeout=200,
            env={**os.environ, "PATH": "%s:%s" % (self.dir / "bin", os.environ["PATH"]),
                 "LC_ALL": language, **more})
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        return done.stdout

    def follow(self, end, language, stands):
        inbox, mqtt, console = self.authority(), steel.free_port(), steel.free_port()
        self.other = {
            "steelyard setup": "steelyard setup --config etc/steelyard.yaml --data data --rules "
                               "%s/rules/packs" % steel.SOURCE,
            "/etc/steelyard/": "etc/", "/var/lib/steelyard": "data", "/root/": "",
            "inbox.example:8443": "127.0.0.1:%d" % inbox, "0.0.0.0:1883": "127.0.0.1:%d" % mqtt,
            "-p 1883": "-p %d" % mqtt, "127.0.0.1:8080": "127.0.0.1:%d" % console}
        (self.dir / "bin").mkdir()
        (self.dir / "bin" / "steelyard").symlink_to(steel.BINARY)
        self.addCleanup(self.stop_gateway)
        said = self.run_page("guide-deployer" + end, language)
        self.assertIn("probe-1/temperature", said)
        data = self.dir / "data"
        steel.until(lambda: "VACCINE-FROZEN" in steel.cli("alerts", "--data", data), "the alert")
        steel.until(lambda: len(self.rules_at_the_receiver()) == 2, "the alerts at the authority")
        alert = next(a for a in json.loads(steel.cli("alerts", "--data", data, "--json", "--full"))
                     if a["rule"] == "VACCINE-FROZEN")
        said = self.run_page("guide-inspector" + end, language, ALERT=alert["id"])
        self.assertIn(stands, said)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.dir / "regulator.key",
                        "-out", self.dir / "regulator.pem", "-subj", "/OU=regulator/CN=Wang Fang"],
                       check=True, capture_output=True)
        said = self.run_page("guide-regulator" + end, language)
        self.assertIn("16 caught" if language.startswith("C.") else "80.0", said)
        self.assertTrue((self.dir / "county-1.jws").stat().st_size > 1000)

    def test_english(self):
        self.follow(".md", "C.UTF-8", "all that was checked stands")

    def test_chinese(self):
        self.follow(".zh.md", "zh_CN.UTF-8", "成立")

    def test_both_say_the_same(self):
        for name in ("deployer", "inspector", "regulator"):
            pages = [DOCS / ("guide-%s%s.md" % (name, end)) for end in ("", ".zh")]
            commands = [guide.commands(page) for page in pages]
            self.assertEqual(*commands)
            self.assertTrue(commands[0])


if __name__ == "__main__":
    steel.main()
