# SPDX-License-Identifier: Apache-2.0
"""Who comes in, and who does not: passwords, client certificates and pre-shared keys with real
clients (mosquitto_pub and _sub, coap-client); each refusal is named in `status`."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import steel
import test_hj212

CONFIG = """# The box of a test; comments stay.
gateway: {id: gw-devices, commit: 100 ms}
mqtt:
  listen: ["127.0.0.1:%(mqtt)d"]
  tls: {ca: ca.pem, cert: localhost.pem, key: localhost.key}
  certificates: {listen: ["127.0.0.1:%(certs)d"], crl: crl.pem}
coap:
  listen: ["127.0.0.1:%(coap)d"]
  dtls: {listen: ["127.0.0.1:%(dtls)d"], psk: psk.txt}
hj212: {listen: ["127.0.0.1:%(hj212)d"]}

premises:
  - id: prem          # the only one
    time-zone: UTC
    places:
      - id: cab
        kind: cabinet
        points:
          - {quantity: temperature, device: pass-1, name: t, unit: degC}
          - {quantity: temperature, device: cert-1, name: t, unit: degC}
          - {quantity: temperature, device: psk-1, name: t, unit: degC}

devices:
  - {id: pass-1, transport: mqtt, topic: s/pass-1, format: senml-json}   # by password
  - {id: cert-1, transport: mqtt, topic: s/cert-1, format: senml-json, credential: certificate}
  - {id: psk-1, transport: coap, format: senml-json}
  - {id: stack, transport: hj212, mn: "88888880000001", from: 127.0.0.0/8}
"""


def pack(value, **more):
    return json.dumps([{"n": "t", "u": "Cel", "v": value, "t": round(time.time(), 3), **more}])


class Authority:
    """A certificate authority made with the openssl command."""

    def __init__(self, folder):
        self.dir = folder
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority", "-days", "9")
        (folder / "index.txt").write_text("")
        (folder / "ca.conf").write_text(
            "[ca]\ndefault_ca = a\n[a]\ndatabase = index.txt\ndefault_md = sha256\n"
            "default_crl_days = 9\nprivate_key = ca.key\ncertificate = ca.pem\nserial = serial\n"
            "new_certs_dir = .\nrand_serial = yes\npolicy = p\nunique_subject = no\n"
            "[p]\ncommonName = supplied\n")
        self.crl()

    def run(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.dir, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def make(self, name, cn, *dates):
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + cn)
        self.run("ca", "-batch", "-config", "ca.conf", "-in", name + ".csr", "-out", name + ".pem",
                 "-notext", *(dates or ("-days", "5")))

    def revoke(self, name):
        self.run("ca", "-config", "ca.conf", "-revoke", name + ".pem")
        self.crl()

    def crl(self):
        self.run("ca", "-config", "ca.conf", "-gencrl", "-out", "crl.new")
        os.rename(self.dir / "crl.new", self.dir / "crl.pem")


class Devices(steel.Case):
    def setUp(self):
        super().setUp()
        self.ports = {"mqtt": steel.free_port(), "certs": steel.free_port(), "hj212": steel.free_port(),
                      "coap": steel.free_port(steel.socket.SOCK_DGRAM),
                      "dtls": steel.free_port(steel.socket.SOCK_DGRAM)}
        self.authority = Authority(self.dir)
        self.authority.make("localhost", "localhost")
        self.authority.make("cert-1", "cert-1")
        self.write("psk.txt", "psk-1:%s\npsk-2:%s\n" % ("0b" * 16, "62" * 16))
        self.yaml = self.write("steelyard.yaml", CONFIG % self.ports)
        self.data = self.dir / "data"
        self.password = self.command("add", "pass-1").splitlines()[0]
        self.gateway = self.start(steel.Gateway(self.yaml, self.data))

    def command(self, *args, expect=0):
        return steel.cli("devices", *args, "--config", self.yaml, "--data", self.data,
                         expect=expect)

    def pub(self, topic, payload, *more, certificate=None, tls=True, port=None):
        """mosquitto_pub, QoS 1; True where the broker acknowledged."""
        args = ["mosquitto_pub", "-h", "localhost", "-p",
                str(port or self.ports["certs" if certificate else "mqtt"]), "-q", "1", "-t", topic,
                "-m", payload, "--cafile", str(self.dir / "ca.pem")]
        if certificate:
            args += ["--cert", str(self.dir / (certificate + ".pem")),
                     "--key", str(self.dir / (certificate + ".key"))]
        done = subprocess.run([*args, *map(str, more)], capture_output=True, text=True, timeout=20)
        return done.returncode == 0

    def coap(self, path, payload, *more, identity=None, key=None):
        uri = "coap%s://127.0.0.1:%d/%s" % ("s" if key else "", self.ports["dtls" if key else "coap"],
                                            path)
        credential = ["-u", identity, "-k", key] if key else []
        done = subprocess.run(["coap-client-openssl", "-m", "post", "-t", "110", "-B", "3", "-e",
                               payload, *credential, *more, uri], capture_output=True, text=True,
                              timeout=20)
        return done.stdout + done.stderr

    def refused(self, device, reason):
        """The entry of the table, once it is there."""
        def look():
            table = self.gateway.status()["refused"]["list"]
            return [e for e in table if (e["device"], e["reason"]) == (device, reason)]
        return steel.until(look, "%s refused for %s: %s" % (
            device, reason, self.gateway.status()["refused"]), 10)[0]

    def values(self, series):
        self.gateway.drained()
        return [float(r["value"]) for r in self.gateway.export()
                if r["device"] + "/" + r["point"] == series]

    def test_certificates_passwords_and_keys(self):
        for i, version in enumerate(("mqttv311", "mqttv5")):
            self.assertTrue(self.pub("s/cert-1", pack(1 + i), "-V", version, certificate="cert-1"))
            self.assertTrue(self.pub("s/pass-1", pack(3 + i), "-V", version, "-u", "pass-1",
                                     "-P", self.password))
        self.coap("r/psk-1", pack(5), identity="psk-1", key="\x0b" * 16)
        steel.until(lambda: self.values("psk-1/t") == [5.0], "the reading by DTLS", 10)
        self.assertEqual(self.values("cert-1/t"), [1.0, 2.0])
        self.assertEqual(self.values("pass-1/t"), [3.0, 4.0])

        # A last will is a message of its topic.
        with open(self.dir / "sub.log", "wb") as log:
            sub = subprocess.Popen(
                ["stdbuf", "-oL", "mosquitto_sub", "-d", "-h", "localhost", "-p", str(self.ports["certs"]), "--cafile",
                 str(self.dir / "ca.pem"), "--cert", str(self.dir / "cert-1.pem"), "--key",
                 str(self.dir / "cert-1.key"), "-t", "s/none", "--will-topic", "s/cert-1",
                 "--will-qos", "1", "--will-payload", pack(6)], stdout=log, stderr=log)
        self.addCleanup(lambda: sub.poll() is None and sub.kill())
        steel.until(lambda: b"SUBACK" in (self.dir / "sub.log").read_bytes(), "the subscription", 10)
        sub.send_signal(signal.SIGKILL)
        sub.wait()
        steel.until(lambda: self.values("cert-1/t") == [1.0, 2.0, 6.0], "the last will", 10)

        self.wrong_ones()
        table = steel.cli("status", "--data", self.data)
        self.assertRegex(table, r"cert-1 +mqtt +expired-certificate +1 ")

    def wrong_ones(self):
        before = self.gateway.drained()
        # A handshake with the wrong key takes its time until it counts as failed.
        wrong_key = threading.Thread(target=self.coap, args=("r/psk-1", pack(9)),
                                     kwargs={"identity": "psk-1", "key": "wrong"})
        wrong_key.start()
        self.addCleanup(wrong_key.join)
        # A topic of another: cut off, so that nothing is acknowledged.
        self.assertFalse(self.pub("s/cert-1", pack(9), "-u", "pass-1", "-P", self.password))
        self.assertEqual(self.refused("pass-1", "stolen-topic")["count"], 1)
        self.assertFalse(self.pub("s/pass-1", pack(9), certificate="cert-1"))
        self.refused("cert-1", "stolen-topic")
        self.assertFalse(self.pub("s/pass-1", pack(9), "-u", "pass-1", "-P", "wrong"))
        entry = self.refused("pass-1", "wrong-password")
        self.assertEqual((entry["transport"], entry["peer"], entry["count"]),
                         ("mqtt", "127.0.0.1", 1))
        self.assertFalse(self.pub("s/pass-1", pack(9), "-u", "nobody", "-P", "wrong"))
        self.refused("nobody", "unknown-device")
        # Certificates: of the past, of another authority, of nobody, of a device with a password,
        # of another name than the user's, revoked.
        self.authority.make("old", "cert-1", "-startdate", "20200101000000Z", "-enddate",
                            "20210101000000Z")
        self.assertFalse(self.pub("s/cert-1", pack(9), certificate="old"))
        self.assertEqual(self.refused("cert-1", "expired-certificate")["peer"], "127.0.0.1")
        other = self.dir / "other"
        other.mkdir()
        Authority(other).make("cert-1", "cert-1")
        self.assertFalse(self.pub("s/cert-1", pack(9), certificate="other/cert-1"))
        self.refused("cert-1", "unknown-authority")
        self.authority.make("nobody", "nobody")
        self.assertFalse(self.pub("s/cert-1", pack(9), certificate="nobody"))
        self.authority.make("pass-1", "pass-1")
        self.assertFalse(self.pub("s/pass-1", pack(9), certificate="pass-1"))
        self.refused("pass-1", "not-by-certificate")
        self.assertFalse(self.pub("s/pass-1", pack(9), "-u", "pass-1", "-P", self.password,
                                  certificate="cert-1"))
        self.refused("cert-1", "speaks-for-another")
        self.authority.make("lost", "cert-1")
        self.assertTrue(self.pub("s/cert-1", pack(7), certificate="lost"))
        self.authority.revoke("lost")
        self.assertFalse(self.pub("s/cert-1", pack(9), certificate="lost"))
        self.refused("cert-1", "revoked-certificate")
        self.assertTrue(self.pub("s/cert-1", pack(8), certificate="cert-1"))
        self.assertFalse(self.pub("s/cert-1", pack(9), "-u", "cert-1", "-P", "", tls=True))
        self.refused("cert-1", "wrong-password")
        # CoAP: the wrong key, a path of another, nobody's path.
        self.assertEqual(self.refused("psk-1", "wrong-psk")["transport"], "coap")
        self.assertIn("4.03", self.coap("r/psk-1", pack(9), identity="psk-2", key="b" * 16))
        self.refused("psk-1", "speaks-for-another")
        self.assertIn("4.04", self.coap("r/nobody", pack(9)))
        self.assertEqual(self.refused("nobody", "unknown-device")["transport"], "coap")
        after = self.gateway.drained()
        self.assertEqual(after["stored"] - before["stored"], 2)
        self.assertGreaterEqual(after["rejected"] - before["rejected"], 10)

    def test_adoption_rotation_and_revocation(self):
        self.adopt_by_mqtt()
        self.adopt_by_coap()
        self.see_hj212()
        self.rotate_and_revoke()

    def adopt_by_mqtt(self):
        new = ("-u", "@onboard", "-P")
        self.assertFalse(self.pub("s/new", pack(1), *new, "guess"))
        once = self.command("open", "--for", "5 min").splitlines()[0]
        steel.until(lambda: self.pub("s/new/probe", pack(20), *new, once), "the open window", 5)
        # Not as a device that is known.
        self.assertFalse(self.pub("s/pass-1", pack(9), *new, once))
        self.pub("s/new/probe", json.dumps([{"n": "t", "u": "Cel", "v": 21},
                                            {"n": "rh", "u": "%RH", "v": 40},
                                            {"n": "what", "v": 3}]), *new, once)
        steel.until(lambda: self.gateway.status()["pending"] == 1, "the unknown device", 5)
        seen = steel.until(lambda: [s for s in json.loads(self.command("pending", "--json"))
                                    if s["count"] == 2], "both messages", 5)[0]
        self.assertEqual((seen["transport"], seen["source"], seen["format"]),
                         ("mqtt", "s/new/probe", "senml-json"))
        self.assertEqual(seen["points"], [
            "{quantity: temperature, device: probe, name: t, unit: degC}",
            '{quantity: humidity, device: probe, name: rh, unit: "%RH"}'])
        self.assertEqual(seen["unclear"], ["what"])
        self.assertIn("rh = 40 %RH", self.command("pending"))
        before = self.yaml.read_text()
        args = ("adopt", "s/new/probe", "--id", "new-1", "--place", "prem/cab")
        self.command(*args, "--dry-run")
        self.command("adopt", "s/new/probe", "--id", "new-1", "--place", "prem/nowhere", expect=2)
        self.assertEqual(self.yaml.read_text(), before)
        said = self.command(*args)
        self.assertIn("+  - {id: new-1, transport: mqtt, topic: s/new/probe, format: senml-json}",
                      said)
        self.assertIn("not stored as readings", said)
        password = next(l for l in said.splitlines() if len(l) == 32 and l.isalnum())
        after = self.yaml.read_text()
        self.assertEqual([l for l in after.splitlines() if "new-1" not in l], before.splitlines())
        self.assertEqual(self.gateway.status()["pending"], 0)
        # From now on it is a device: by its own name, and by no other.
        self.assertFalse(self.pub("s/new/probe", pack(9), *new, once))
        with self.watch("new-1") as seen:
            self.assertTrue(self.pub("s/new/probe", pack(22.5), "-u", "new-1", "-P", password))
            self.assertIn("22.5", seen("22.5"))
        self.assertEqual(self.values("new-1/t"), [22.5])
        self.command("close")
        steel.until(lambda: not self.pub("s/x", pack(1), *new, once), "the closed window", 5)

    @contextlib.contextmanager
    def watch(self, device):
        """`devices watch`: a function that waits for a line with this text."""
        process = subprocess.Popen(
            [steel.BINARY, "devices", "watch", device, "--config", self.yaml, "--data", self.data],
            stdout=subprocess.PIPE, text=True)
        try:
            steel.until(lambda: self.gateway.status()["watchers"] == 1, "the watcher", 5)
            yield lambda text: next(line for line in process.stdout if text in line)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)
        self.assertEqual(process.returncode, 0)

    def adopt_by_coap(self):
        self.assertIn("4.04", self.coap("r/shed", pack(3)))
        steel.until(lambda: self.gateway.status()["pending"] == 1, "the unknown device", 5)
        said = self.command("adopt", "shed", "--id", "shed", "--place", "prem/cab")
        key = next(l for l in said.splitlines() if len(l) == 32 and l.isalnum())
        self.coap("r/shed", pack(4), identity="shed", key=key)
        steel.until(lambda: self.values("shed/t") == [4.0], "its first reading", 10)

    def see_hj212(self):
        with socket.create_connection(("127.0.0.1", self.ports["hj212"]), 5) as sender:
            sender.sendall(test_hj212.frame(
                "QN=20261124150000000;ST=22;CN=2011;PW=123456;MN=88888880000009;Flag=5;CP=&&"
                "DataTime=20261124150000;a01001-Rtd=21.5,a01001-Flag=N&&"))
            seen = steel.until(lambda: json.loads(self.command("pending", "--json")),
                               "the unknown sender", 5)[0]
        self.assertEqual((seen["source"], seen["format"]), ("88888880000009", "hj212"))
        self.assertEqual(seen["device"], '{id: "88888880000009", transport: hj212, '
                         'mn: "88888880000009", from: "127.0.0.1/32"}')
        self.assertIn("+  - {id: stack-2, transport: hj212", self.command(
            "adopt", seen["source"], "--id", "stack-2", "--place", "prem/cab", "--dry-run"))
        self.refused("88888880000009", "unknown-device")

    def rotate_and_revoke(self):
        def sends(password, value):
            return self.pub("s/pass-1", pack(value), "-u", "pass-1", "-P", password)
        new = self.command("rotate", "pass-1", "--grace", "1 h").splitlines()[0]
        steel.until(lambda: b"pass-1:" in (self.data / "mqtt/passwords").read_bytes(), "the file")
        self.assertTrue(sends(self.password, 1))
        steel.until(lambda: sends(new, 2), "the new password", 5)
        steel.until(lambda: not sends(self.password, 9), "the end of the old password", 5)
        steel.until(lambda: sends(new, 3), "the new password alone", 5)
        # With a short grace it ends by itself.
        newer = self.command("rotate", "pass-1", "--grace", "1 s").splitlines()[0]
        steel.until(lambda: not sends(new, 9), "the end of the grace", 5)
        steel.until(lambda: sends(newer, 4), "the newest password", 5)
        # Revoked: what is connected is cut off, and nothing lets it in again.
        with open(self.dir / "held.log", "wb") as log:
            held = subprocess.Popen(
                ["stdbuf", "-oL", "mosquitto_sub", "-d", "-h", "localhost", "-p",
                 str(self.ports["mqtt"]), "--cafile", str(self.dir / "ca.pem"), "-u", "pass-1",
                 "-P", newer, "-t", "s/none"], stdout=log, stderr=log)
        self.addCleanup(lambda: held.poll() is None and held.kill())
        steel.until(lambda: b"SUBACK" in (self.dir / "held.log").read_bytes(), "the login", 10)
        self.assertIsNone(held.poll())
        for name in ("pass-1", "cert-1", "psk-1"):
            self.command("revoke", name)
        steel.until(lambda: held.poll() is not None, "it to be cut off", 10)
        self.assertIn(b"CONNACK (5)", (self.dir / "held.log").read_bytes())
        self.assertFalse(sends(newer, 8))
        self.refused("pass-1", "revoked-device")
        self.assertFalse(self.pub("s/cert-1", pack(9), certificate="cert-1"))
        self.refused("cert-1", "revoked-device")
        with contextlib.closing(sqlite3.connect(
                "file:%s?mode=ro" % (self.data / "store.db"), uri=True)) as db:
            leaves = b"".join(bytes(row[0]) for row in db.execute("SELECT bytes FROM leaf"))
        self.assertIn(b'"what":"device-revoke","on":"cert-1"', leaves)
        self.gateway.stop()
        self.gateway.start()
        self.assertFalse(self.pub("s/cert-1", pack(9), certificate="cert-1"))
        self.refused("cert-1", "revoked-device")
        said = json.loads(self.command("list", "--json"))
        self.assertEqual({d["id"]: d["credential"] for d in said}["psk-1"], "revoked")
        self.command("add", "cert-1")
        self.assertTrue(self.pub("s/cert-1", pack(6), certificate="cert-1"))
        self.assertEqual(self.values("cert-1/t"), [6.0])
        self.assertNotIn(8.0, self.values("pass-1/t"))


if __name__ == "__main__":
    for program in ("mosquitto_pub", "mosquitto_sub", "coap-client-openssl", "openssl"):
        if not shutil.which(program):
            raise SystemExit("no %s: install what packaging/packages.list names" % program)
    steel.main()
