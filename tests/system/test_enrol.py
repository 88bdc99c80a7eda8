#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Enrolment: keys made on the box, certified by EST or by files, renewed by the running gateway,
also long after the certificate has ended, and never half."""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import ssl
import stat
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import steel
from steel import cli, until

ID = "gw-e"


def openssl(*args, data=None, expect=0):
    done = subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, timeout=60)
    if expect is not None and done.returncode != expect:
        raise AssertionError("openssl %s: %s" % (args, done.stderr.decode()[-2000:]))
    return done.stdout


class Place(unittest.TestCase):
    """A CA of openssl, an inbox that certifies, and a data folder."""

    lifetime = "90 d"

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sy-enrol-"))
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.ca, self.ca_key = self.dir / "ca.pem", self.dir / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.ca_key, "-out", self.ca, "-days", "30", "-subj", "/CN=County CA",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.certify("server", "/CN=localhost",
                     "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        self.data, self.tokens = self.dir / "data", self.dir / "tokens"
        self.tokens.write_text("%s secret-one\nother-box secret-two\n" % ID)
        (self.dir / "token").write_text("secret-one\n")
        self.inbox = None

    def certify(self, name, subject, extensions, csr=None, days=20):
        ext = self.dir / "ext"
        ext.write_text(extensions)
        if not csr:
            csr = self.dir / (name + ".csr")
            openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", self.dir / (name + ".key"), "-out", csr, "-subj", subject)
        openssl("x509", "-req", "-in", csr, "-CA", self.ca, "-CAkey", self.ca_key, "-days", days,
                "-CAcreateserial", "-extfile", ext, "-out", self.dir / (name + ".pem"))
        return self.dir / (name + ".pem")

    def start_inbox(self, *more, port=0, lifetime=None):
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % port, "--cert", self.dir / "server.pem", "--key",
             self.dir / "server.key", "--client-ca", self.ca, "--data", self.dir / "inbox",
             "--page", "127.0.0.1:0", "--est-ca", self.ca, "--est-ca-key", self.ca_key,
             "--est-tokens", self.tokens, "--est-lifetime", lifetime or self.lifetime, *more],
            self.dir / "inbox.log").start()
        self.addCleanup(self.inbox.stop)
        ports = dict(p.split("=") for p in self.inbox.ready.split()[1:])
        self.port, self.page = int(ports["events"]), int(ports["page"])
        self.url = "https://127.0.0.1:%d/.well-known/est" % self.port

    def enrol(self, *args, expect=0):
        done = cli("enrol", "--data", self.data, "--gateway", ID, *args, expect=None)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def first(self, *more, expect=0):
        return self.enrol("--url", self.url, "--ca", self.ca, "--token-file", self.dir / "token",
                          *more, expect=expect)

    def pair(self):
        """gateway.pem is whole: its key is its certificate's, and the CA's."""
        path = self.data / "enrolled" / "gateway.pem"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        both = path.read_bytes()
        of_key = openssl("pkey", "-pubout", data=both)
        of_cert = openssl("x509", "-noout", "-pubkey", data=both)
        self.assertEqual(of_key, of_cert)
        openssl("verify", "-no_check_time", "-CAfile", self.ca, data=both)
        return of_key

    def curl(self, path, *args):
        done = subprocess.run(
            ["curl", "-sS", "--cacert", self.ca, "-o", self.dir / "answer", "-w", "%{http_code}",
             *map(str, args), self.url + path], capture_output=True, timeout=30)
        return done.stdout.decode()


class Office(http.server.ThreadingHTTPServer):
    """An authority where people decide: it takes each request and answers 202."""

    allow_reuse_address = True

    def __init__(self, cert, key, cacerts):
        self.cacerts, self.asked = base64.encodebytes(cacerts), []
        super().__init__(("127.0.0.1", 0), OfficeHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class OfficeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, self.server.cacerts, Content_Type="application/pkcs7-mime",
                    Content_Transfer_Encoding="base64")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, base64.b64decode(body)))
        self.answer(202, b"", Retry_After="3600")

    def log_message(self, *_):
        pass


class Enrol(Place):
    def test_by_token_then_by_certificate(self):
        self.start_inbox()
        text = self.first()
        self.assertIn("the ledger's key is certified", text)
        key = self.pair()
        ledger = self.data / "ledger" / "cert.pem"
        openssl("verify", "-CAfile", self.ca, ledger)
        self.assertEqual(openssl("pkey", "-in", self.data / "ledger" / "key.pem", "-pubout"),
                         openssl("x509", "-in", ledger, "-noout", "-pubkey"))
        self.assertIn(b"CN=" + ID.encode(), openssl("x509", "-in", ledger, "-noout", "-subject",
                                                    "-nameopt", "RFC2253"))
        self.enrol("--renew")
        self.assertNotEqual(self.pair(), key)
        self.assertEqual(openssl("pkey", "-in", self.data / "enrolled" / "old.pem", "-pubout"), key)
        self.assertFalse((self.data / "enrolled" / "next.key").exists())
        # the token was for one key
        shutil.rmtree(self.data)
        self.assertIn("401", self.first(expect=1))
        self.assertFalse((self.data / "enrolled" / "gateway.pem").exists())

    def test_by_fingerprint(self):
        self.start_inbox()
        der = ssl.PEM_cert_to_DER_cert(self.ca.read_text())
        good = hashlib.sha256(der).hexdigest()
        args = ["--url", self.url, "--token-file", self.dir / "token"]
        self.assertIn("fingerprint", self.enrol(*args, "--fingerprint", "00" * 32, expect=1))
        self.assertNotIn(b"secret", (self.dir / "inbox.log").read_bytes())
        self.assertIn("64 hex", self.enrol(*args, "--fingerprint", "12", expect=2))
        self.assertIn("--ca FILE", self.enrol(*args, expect=2))
        self.enrol(*args, "--fingerprint", good)
        self.pair()

    def test_not_decided_yet(self):
        """202 (RFC 7030, 4.2.3): a person must decide; asked again, it is the same key."""
        openssl("crl2pkcs7", "-nocrl", "-certfile", self.ca, "-outform", "DER", "-out",
                self.dir / "ca.p7")
        office = Office(self.dir / "server.pem", self.dir / "server.key",
                        (self.dir / "ca.p7").read_bytes())
        self.url = "https://127.0.0.1:%d/.well-known/est" % office.server_port
        self.assertIn("not decided yet", self.first(expect=1))
        self.assertIn("not decided yet", self.first(expect=1))
        office.shutdown()
        office.server_close()
        self.assertEqual([path.rsplit("/", 1)[1] for path, _ in office.asked],
                         ["simpleenroll", "simpleenroll"])
        wanted = {openssl("req", "-inform", "DER", "-noout", "-pubkey", data=csr)
                  for _, csr in office.asked}
        self.assertEqual(len(wanted), 1)
        self.assertFalse((self.data / "enrolled" / "gateway.pem").exists())
        self.start_inbox(port=office.server_port)
        self.first()
        self.assertEqual({self.pair()}, wanted)

    def test_refused(self):
        self.start_inbox()
        (self.dir / "token").write_text("secret-two")  # of another box
        self.assertIn("401", self.first(expect=1))
        (self.dir / "token").write_text("other-box:secret-two")
        self.assertIn("401", self.first(expect=1))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.dir / "x.key", "-out", self.dir / "x.pem", "-subj", "/CN=County CA")
        (self.dir / "token").write_text("secret-one")
        said = self.enrol("--url", self.url, "--ca", self.dir / "x.pem", "--token-file",
                          self.dir / "token", expect=1)
        self.assertIn("is refused", said)
        self.assertFalse((self.data / "enrolled" / "gateway.pem").exists())

    def test_by_hand(self):
        """The server as curl and openssl see it: an EST client that is none of ours."""
        self.start_inbox()
        self.assertEqual(self.curl("/cacerts"), "200")
        der = base64.b64decode((self.dir / "answer").read_bytes())
        certs = openssl("pkcs7", "-inform", "DER", "-print_certs", data=der)
        self.assertIn(b"CN=County CA", certs.replace(b" = ", b"="))
        key, csr = self.dir / "h.key", self.dir / "h.csr"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", csr, "-subj", "/CN=" + ID)
        body = self.dir / "h.b64"

        def wrap(path):
            body.write_bytes(base64.encodebytes(
                openssl("req", "-in", path, "-outform", "DER")))
        wrap(csr)
        post = ["--data-binary", "@%s" % body, "-H", "Content-Type: application/pkcs10"]
        self.assertEqual(self.curl("/simpleenroll", *post), "401")
        self.assertEqual(self.curl("/simpleenroll", *post, "-u", ID + ":wrong-one"), "401")
        self.assertEqual(self.curl("/simplereenroll", *post, "-u", ID + ":secret-one"), "403")
        for _ in range(2):  # an answer that got lost: the same key may ask again
            self.assertEqual(self.curl("/simpleenroll", *post, "-u", ID + ":secret-one"), "200")
        got = openssl("pkcs7", "-inform", "DER", "-print_certs",
                      data=base64.b64decode((self.dir / "answer").read_bytes()))
        cert = self.dir / "h.pem"
        got = got.replace(b" = ", b"=")
        mine = got[got.index(b"subject=CN=" + ID.encode()):]  # a set has no order
        cert.write_bytes(mine[mine.index(b"-----BEGIN"):])
        openssl("verify", "-CAfile", self.ca, "-purpose", "sslclient", cert)
        shown = ["--cert", cert, "--key", key]
        self.assertEqual(self.curl("/simplereenroll", *post, *shown), "200")
        # another name, a weak key, another's request, rubbish
        openssl("req", "-new", "-key", key, "-out", csr, "-subj", "/CN=other-box")
        wrap(csr)
        self.assertEqual(self.curl("/simplereenroll", *post, *shown), "403")
        openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", self.dir / "w.key",
                "-out", csr, "-subj", "/CN=" + ID)
        wrap(csr)
        self.assertEqual(self.curl("/simplereenroll", *post, *shown), "400")
        body.write_bytes(b"AAAA")
        self.assertEqual(self.curl("/simpleenroll", *post, *shown), "400")
        body.write_bytes(b"A" * 20000)
        self.assertEqual(self.curl("/simpleenroll", *post, *shown), "413")

    def test_without_a_network(self):
        out = self.dir / "gw.csr"
        self.enrol("--out", out)
        openssl("req", "-in", out, "-verify", "-noout")
        key = openssl("req", "-in", out, "-noout", "-pubkey")
        use = "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n"
        tls = self.certify("gw", "", use, csr=out)
        ledger = self.certify("gwl", "", use, csr=pathlib.Path(str(out) + ".ledger"))
        other = self.certify("stranger", "/CN=" + ID, use)
        self.assertIn("give --ca", self.enrol("--install", tls, expect=2))
        self.assertIn("for the key", self.enrol("--install", other, "--ca", self.ca, expect=1))
        # for another gateway; of another CA
        wrong = cli("enrol", "--data", self.data, "--gateway", "gw-x", "--install", tls, "--ca",
                    self.ca, expect=None)
        self.assertEqual(wrong.returncode, 1, wrong.stderr)
        self.certify("server2", "/CN=x", "basicConstraints=CA:false\n")
        self.assertIn("authority", self.enrol("--install", tls, "--ca", self.dir / "server2.pem",
                                              expect=1))
        self.assertFalse((self.data / "enrolled" / "gateway.pem").exists())
        said = self.enrol("--install", tls, ledger, "--ca", self.ca)
        self.assertIn("installed for the ledger's key", said)
        self.assertEqual(self.pair(), key)

    def test_killed_at_any_moment(self):
        """Whenever the process dies, the pair is the old one or the new one, and it can go on."""
        self.start_inbox()
        rng, began = random.Random(7), 0
        before = time.monotonic()
        self.first()
        whole = time.monotonic() - before
        while began < 12:
            args = [steel.BINARY, "enrol", "--data", str(self.data), "--gateway", ID, "--renew"]
            child = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                child.wait(rng.uniform(0.2, 1.0) * whole)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
            child.wait()
            began += 1
            self.pair()
        self.enrol("--renew")
        self.pair()


class Ended(Place):
    lifetime = "1 s"

    def test_grace(self):
        """An expired certificate renews itself within the grace, and not after it."""
        self.start_inbox()
        self.first()
        key = self.pair()

        def ended():
            end = openssl("x509", "-in", self.data / "enrolled" / "gateway.pem", "-noout",
                          "-checkend", "0", expect=None)
            return b"will expire" in end
        until(ended, "the end of the certificate")
        self.assertEqual(self.curl("/cacerts"), "200")
        self.enrol("--renew")
        self.assertNotEqual(self.pair(), key)
        self.inbox.stop()
        self.start_inbox("--est-grace", "1 s", port=self.port)
        self.wait_for_the_end_of_grace()
        self.assertIn("403", self.enrol("--renew", expect=1))
        self.tokens.write_text(ID + " secret-new\n")
        (self.dir / "token").write_text("secret-new")
        self.enrol("--url", self.url, "--token-file", self.dir / "token")
        self.pair()


    def test_kept_token(self):
        """Too long after its end a certificate does not renew itself; a token that was kept does,
        where the authority lets it count again."""
        self.start_inbox("--est-grace", "1 s")
        self.first("--keep-token")
        kept = self.data / "enrolled" / "token"
        self.assertEqual(stat.S_IMODE(kept.stat().st_mode), 0o600)
        key = self.pair()
        self.wait_for_the_end_of_grace()
        said = self.enrol("--renew", expect=1)
        self.assertIn("enrol-by-token", said)
        self.assertIn("answered 403", said)
        self.assertIn("answered 401", said)  # the token was for one key
        self.assertEqual(self.pair(), key)
        (self.dir / "inbox" / "est-used").unlink()
        self.assertIn("enrol-by-token", self.enrol("--renew"))
        self.assertNotEqual(self.pair(), key)

    def wait_for_the_end_of_grace(self):
        """The inbox was started with a grace of a second."""
        text = openssl("x509", "-in", self.data / "enrolled" / "gateway.pem", "-noout", "-enddate")
        over = ssl.cert_time_to_seconds(text.decode().strip().split("=")[1]) + 1.5
        until(lambda: time.time() > over, "the end of the grace")


class Running(Place):
    lifetime = "3 s"

    def events(self):
        return json.loads(urllib.request.urlopen(
            "http://127.0.0.1:%d/api/events" % self.page, timeout=10).read())

    def test_renewed_while_it_runs(self):
        """Renewal without a restart; then the line is down until long after the end, and what
        waited arrives."""
        self.start_inbox()
        (self.dir / "r.rules").write_text(steel.warm_rule("R-1"))
        config = self.dir / "gw.yaml"
        config.write_text("""
gateway:
  id: %s
  data: %s
  rules: [r.rules]
destinations:
  - name: county
    kind: https
    url: https://127.0.0.1:%d/events
    tls: {ca: ca.pem}
    serves: [inspector]
    egress: {classes: [alert, service]}
""" % (ID, self.data, self.port))
        self.assertIn("steelyard enrol", cli("check", "--config", config, expect=None).stderr
                      + cli("check", "--config", config, expect=None).stdout)
        cli("enrol", "--config", config, "--url", self.url, "--ca", self.ca, "--token-file",
            self.dir / "token")
        gateway = steel.Gateway(config, self.data, log=self.dir / "gw.log").start()
        self.addCleanup(gateway.stop)
        key = self.pair()
        until(lambda: self.pair() != key, "a renewal")
        status = gateway.status()["certificates"]
        self.assertEqual({c["certificate"] for c in status["shown"]}, {"tls", "ledger"})
        self.assertIsNone(status["renewal_failed"])
        port = self.port
        self.inbox.stop()
        until(lambda: [c["state"] for c in gateway.status()["certificates"]["shown"]
                       if c["certificate"] == "tls"] == ["ended"], "the end of the certificate")
        self.assertTrue(gateway.status()["certificates"]["renewal_failed"])
        before = self.pair()
        self.start_inbox(port=port, lifetime="90 d")
        until(lambda: self.pair() != before, "a renewal with a certificate that had ended")
        got = until(lambda: [e for e in self.events()
                             if e["type"] == "steelyard.certificate.expiring"], "the events")
        self.assertTrue(all(e["sender"] == "CN=" + ID for e in got))
        until(lambda: gateway.status()["certificates"]["renewal_failed"] is None, "all well")


if __name__ == "__main__":
    unittest.main(verbosity=2)
