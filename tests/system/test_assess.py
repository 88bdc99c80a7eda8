# SPDX-License-Identifier: Apache-2.0
"""steelyard assess on boxes that were made good and bad on purpose: each fault is one finding that
the good box has not, and the documents list every finding that there can be."""

import copy
import json
import os
import re
import subprocess
import unittest

import steel

TABLE = steel.SOURCE / "gateway" / "assess" / "table.h"
DOCS = steel.SOURCE / "docs" / "assess.md"


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Box(steel.Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o700)
        self.certificate("ca", "/CN=Market authority CA")
        self.certificate("box", "/CN=gw-test-1", "ca")
        (self.dir / "ca.key").unlink()
        self.rules = self.write("warm.rules", steel.warm_rule("warm"))
        self.tree = steel.base_config(
            [self.rules], [{"id": "probe", "topic": "probe/#", "format": "senml-json",
                            "transport": "mqtt", "credential": "password"}],
            [{"id": "fridge", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "probe", "name": "t", "unit": "degC",
                 "every": "1 s"}]}],
            console={"listen": "127.0.0.1:0", "tls": self.pair("box")})
        del self.tree["coap"]
        (self.dir / "data").mkdir(mode=0o700)

    def pair(self, name):
        return {"cert": str(self.dir / (name + ".pem")), "key": str(self.dir / (name + ".key"))}

    def certificate(self, name, subject, issuer=None, days=3000, kind=("ec", "ec_paramgen_curve:P-256")):
        key, pem, csr = (self.dir / (name + end) for end in (".key", ".pem", ".csr"))
        openssl("genpkey", "-algorithm", kind[0], "-pkeyopt", kind[1], "-out", key)
        os.chmod(key, 0o600)
        if issuer is None:
            openssl("req", "-x509", "-key", key, "-subj", subject, "-days", days, "-out", pem)
            return
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", csr)
        openssl("x509", "-req", "-in", csr, "-CA", self.dir / (issuer + ".pem"), "-CAkey",
                self.dir / (issuer + ".key"), "-set_serial", "2", "-days", days, "-out", pem)

    def assess(self, *more, tree=None, expect=None):
        config = self.config(tree or self.tree)
        os.chmod(config, 0o600)
        done = steel.cli("assess", "--config", config, "--data", self.dir / "data", "--json", *more,
                         expect=None)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        got = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if got["counts"]["bad"] else 0)
        if expect is not None:
            self.assertEqual(done.returncode, expect, self.faults(got))
        return got

    @staticmethod
    def faults(got):
        return [(f["code"], f["subject"], f["detail"]) for f in got["findings"]
                if f["grade"] in ("weak", "bad")]

    @staticmethod
    def codes(got):
        return {f["code"] for f in got["findings"]}


class Good(Box):
    def test_nothing_is_bad(self):
        got = self.assess(expect=0)
        self.assertEqual(got["counts"]["bad"], 0)
        self.assertFalse(got["running"])
        self.assertIn("certificate-good", self.codes(got))
        self.assertIn("device-unready", self.codes(got))
        weak = got["counts"]["weak"]
        self.assertEqual(got["grade"], "C" if weak > 2 else "B" if weak else "A")
        for f in got["findings"]:
            for key in ("text", "etsi_heading", "gbt_heading"):
                self.assertTrue(f[key]["en"] and re.search("[\u4e00-\u9fff]", f[key]["zh"]), f)

    def test_running(self):
        self.tree["mqtt"]["listen"] = ["127.0.0.1:0"]
        self.tree["mqtt"]["tls"] = self.pair("box")
        self.tree["console"]["listen"] = "0.0.0.0:0"
        config = self.config(self.tree)
        gateway = self.start(steel.Gateway(config, self.dir / "data"))
        status = gateway.status()
        got = self.assess(expect=0)
        by = {(f["code"], f["subject"]): f["detail"] for f in got["findings"]}
        self.assertTrue(got["running"])
        self.assertEqual(by["listen-tls", "tcp 0.0.0.0:%d" % status["console"]["port"]], "console")
        at = "tcp 127.0.0.1:%d" % status["mqtt"]["broker"]["ports"][0]
        self.assertEqual(by["listen-local", at], "mqtt")
        self.assertRegex(by["tls-version", at], r"^TLSv1\.[23] \S+$")
        self.assertEqual(by["set", ""], status["configuration"]["set"])
        self.assertEqual(os.geteuid() == 0, ("runs-as-root" in self.codes(got)))
        self.assertIn("system-calls", self.codes(got))
        self.assertNotIn("listen-unknown", self.codes(got))

    def test_forms(self):
        config = self.config(self.tree)
        args = ["assess", "--config", config, "--data", self.dir / "data"]
        text = steel.cli(*args)
        self.assertRegex(text, r"^gateway gw-test-1, \S+\. Grade [ABC]: 0 bad")
        self.assertIn("5.5  Communicate securely", text)
        self.assertIn("安全计算环境", steel.cli(*args, env={"LC_ALL": "zh_CN.UTF-8"}))
        page = self.dir / "page.html"
        steel.cli(*args, "--html", "--language", "zh", "--out", page)
        html = page.read_text()
        self.assertEqual(page.stat().st_mode & 0o777, 0o600)
        self.assertIn('lang="zh-CN"', html)
        self.assertNotRegex(html, r"(?i)<script|\son\w+=|https?://")
        self.assertEqual(html.count("<table>"), html.count("</table>"))
        steel.cli("assess", expect=2)
        steel.cli(*args, "--json", "--html", expect=2)
        steel.cli("assess", "--config", self.dir / "none.yaml", expect=2)
        self.assertIn("用法", steel.cli("assess", "--help", env={"LC_ALL": "zh_CN.UTF-8"}))

    def test_documents(self):
        table = re.findall(r'X\(\w+, "([a-z0-9-]+)", (PASS|NOTE|WEAK|BAD), (\d+),', TABLE.read_text())
        self.assertGreater(len(table), 70)
        shown = re.findall(r"^\| 5\.(\d+) \| `([a-z0-9-]+)` \| (\w+) \|", DOCS.read_text(), re.M)
        self.assertEqual(sorted((c, g.lower(), e) for c, g, e in table),
                         sorted((c, g, e) for e, c, g in shown))


class Bad(Box):
    """Each fault alone, against the good box."""

    def expect(self, code, tree=None, grade=None, subject=None):
        good = self.codes(self.good)
        self.assertNotIn(code, good)
        got = self.assess(tree=tree)
        found = [f for f in got["findings"] if f["code"] == code]
        self.assertTrue(found, (code, self.faults(got)))
        if grade:
            self.assertEqual(found[0]["grade"], grade)
        if subject:
            self.assertEqual(found[0]["subject"], str(subject))

    def setUp(self):
        super().setUp()
        self.good = self.assess(expect=0)

    def changed(self, **more):
        tree = copy.deepcopy(self.tree)
        tree.update(more)
        return tree

    def with_console(self, name):
        return self.changed(console={"listen": "127.0.0.1:0", "tls": self.pair(name)})

    def device(self, **keys):
        tree = self.changed()
        tree["devices"] = [{**keys, "id": "probe"}]
        return tree

    def test_certificates(self):
        self.certificate("ca", "/CN=Another CA")
        self.certificate("short", "/CN=x", "ca", days=5)
        self.expect("certificate-ends-soon", self.with_console("short"), "weak")
        self.certificate("weak", "/CN=x", "ca", kind=("RSA", "rsa_keygen_bits:1024"))
        self.expect("key-weak", self.with_console("weak"), "bad", self.dir / "weak.pem")
        self.certificate("ended", "/CN=x", "ca", days=0)
        steel.until(lambda: "certificate-ended" in self.codes(
            self.assess(tree=self.with_console("ended"))), "the certificate to end", 10)
        openssl("req", "-new", "-key", self.dir / "box.key", "-subj", "/CN=x", "-out",
                self.dir / "sha1.csr")
        openssl("x509", "-req", "-sha1", "-in", self.dir / "sha1.csr", "-CA", self.dir / "ca.pem",
                "-CAkey", self.dir / "ca.key", "-set_serial", "3", "-days", "90", "-out",
                self.dir / "sha1.pem")
        (self.dir / "sha1.key").write_bytes((self.dir / "box.key").read_bytes())
        os.chmod(self.dir / "sha1.key", 0o600)
        self.expect("certificate-digest", self.with_console("sha1"), "bad")
        (self.dir / "mixed.pem").write_bytes((self.dir / "box.pem").read_bytes())
        (self.dir / "mixed.key").write_bytes((self.dir / "short.key").read_bytes())
        os.chmod(self.dir / "mixed.key", 0o600)
        self.expect("certificate-other-key", self.with_console("mixed"), "bad")
        (self.dir / "mixed.pem").write_text("no certificate")
        self.expect("certificate-broken", self.with_console("mixed"), "bad")

    def test_demo_key(self):
        keys = self.keys()
        got = self.assess(tree=self.changed(console={"listen": "127.0.0.1:0", "tls": {
            "cert": str(keys / "authority.pem"), "key": str(self.dir / "box.key")}}))
        self.assertEqual((got["counts"]["bad"], got["grade"]), (2, "D"))  # and the key is another
        self.expect("demo-key", self.changed(console={"listen": "127.0.0.1:0", "tls": {
            "cert": str(keys / "authority.pem"), "key": str(keys / "authority.key")}}), "bad")

    def test_permissions(self):
        for path, mode, code in ((self.dir / "box.key", 0o644, "key-open"),
                                 (self.dir / "box.key", 0o640, "key-group"),
                                 (self.rules, 0o666, "file-writable"),
                                 (self.dir / "data", 0o755, "folder-open")):
            before = path.stat().st_mode & 0o777
            os.chmod(path, mode)
            self.expect(code, subject=path)
            os.chmod(path, before)
        if os.geteuid() == 0:
            os.chown(self.rules, 12345, -1)
            self.expect("file-owner", grade="weak", subject=self.rules)

    def test_devices(self):
        coap = {"listen": ["0.0.0.0:0"]}
        probe = {"transport": "coap", "format": "senml-json", "credential": "none",
                 "from": "192.168.7.0/24"}
        tree = self.device(**probe)
        tree["coap"] = coap
        self.expect("device-address", tree, "weak", "probe")
        self.expect("listen-plain", tree, "weak")
        tree["coap"] = {"listen": ["127.0.0.1:0"]}
        self.expect("device-local", tree, "note")
        hj = {"transport": "hj212", "mn": "010000A8900016F000169DC0", "from": "10.0.0.0/8"}
        tree = self.device(**hj, password="123456")
        tree["hj212"] = {"listen": ["0.0.0.0:0"]}
        self.expect("hj212-default", tree, "bad", "probe")
        tree = self.device(**hj)
        tree["hj212"] = {"listen": ["0.0.0.0:0"]}
        self.expect("device-address", tree, "weak")
        keys = self.write("keys.psk", "probe:0011223344\n")
        os.chmod(keys, 0o600)
        tree = self.device(transport="coap", format="senml-json", credential="psk")
        tree["coap"] = {"dtls": {"listen": ["127.0.0.1:0"], "psk": str(keys)}}
        self.expect("psk-short", tree, "bad", "probe")

    def test_others(self):
        token = self.write("token", "short\n")
        os.chmod(token, 0o600)
        self.expect("token-short", self.changed(console={
            "listen": "127.0.0.1:0", "metrics-token": str(token)}), "bad", token)
        self.expect("broker-plain", self.changed(mqtt={"broker": "mqtt://192.0.2.1:1883"}), "weak")
        self.expect("broker-anonymous", self.changed(mqtt={"broker": "mqtt://192.0.2.1:1883"}), "weak")
        (self.dir / "data" / "users").write_text("rubbish\n")
        self.expect("accounts-broken", grade="bad")
        (self.dir / "data" / "users").unlink()
        hook = {"name": "hook", "kind": "webhook", "url": "http://192.168.7.1/x",
                "serves": ["inspector"]}
        tree = self.changed(destinations=[hook])
        self.expect("destination-plain", tree, "weak", "hook")
        self.expect("destination-unsigned", tree, "note", "hook")
        tree = self.changed(destinations=[{**hook, "egress": {"redact": []}}])
        self.expect("egress-people", tree, "note", "hook")

    def test_password_in_the_configuration(self):
        config = self.config(self.changed(
            mqtt={"broker": "mqtt://127.0.0.1:1883", "user": "a", "password": "b"}))
        for mode, there in ((0o644, True), (0o640, False)):
            os.chmod(config, mode)
            done = steel.cli("assess", "--config", config, "--data", self.dir / "data", "--json",
                             expect=None)
            self.assertEqual("configuration-open" in self.codes(json.loads(done.stdout)), there)


if __name__ == "__main__":
    unittest.main()
