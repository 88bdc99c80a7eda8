# SPDX-License-Identifier: Apache-2.0
"""The console's door with the real binary: who gets in, who does not, and what a request may not
do. Each refusal is told with its reason and counted."""

import contextlib
import http.client
import json
import socket
import ssl
import subprocess

import steel

PASSWORD = "correct horse battery"


class Console(steel.Case):
    """A gateway with a console, and how to ask it."""

    def console(self, **section):
        tree = steel.base_config([], [], [], console={"listen": "127.0.0.1:0", **section})
        del tree["mqtt"], tree["coap"]
        tree["premises"] = []
        config = self.config(tree)
        self.gateway = self.start(steel.Gateway(config, self.dir / "data"))
        self.port = self.gateway.status()["console"]["port"]
        return self.gateway

    def account(self, name, role, password=PASSWORD):
        done = subprocess.run(
            [steel.BINARY, "users", "add", name, "--role", role, "--data", self.dir / "data"],
            input=password + "\n", text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, body=None, head=None, connection=None):
        c = connection or self.connect()
        with contextlib.closing(c):
            c.request(method, path, json.dumps(body) if body is not None else None,
                      {"X-Steelyard-Token": "", **({"Content-Type": "application/json"}
                                                   if body is not None else {}), **(head or {})})
            answer = c.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text, answer.headers

    def sign_in(self, name, password=PASSWORD):
        status, who, head = self.ask("POST", "/api/v1/session", {"name": name, "password": password})
        self.assertEqual(status, 200, who)
        cookie = head["Set-Cookie"]
        self.assertIn("HttpOnly", cookie)
        self.assertIn("SameSite=Strict", cookie)
        return {"Cookie": cookie.split(";")[0], "X-Steelyard-Token": who["token"]}


class Door(Console):
    def test_in_and_out(self):
        self.console()
        self.assertEqual(self.ask("GET", "/api/v1/status")[0], 401)
        self.assertEqual(self.ask("GET", "/api/v1/session")[1],
                         {"user": None, "accounts": False, "certificates": False})
        self.account("王芳", "viewer")
        head = self.sign_in("王芳")
        status, who, _ = self.ask("GET", "/api/v1/session", head=head)
        self.assertEqual((status, who["user"], who["role"], who["may"]),
                         (200, "王芳", "viewer", ["view"]))
        status, what, _ = self.ask("GET", "/api/v1/status", head=head)
        self.assertEqual((status, what["console"]["sessions"]), (200, 1))
        self.assertEqual(self.ask("DELETE", "/api/v1/session", head=head)[0], 200)
        self.assertEqual(self.ask("GET", "/api/v1/status", head=head)[0], 401)

    def test_changed_account_ends_its_sessions(self):
        self.console()
        self.account("li", "inspector")
        head = self.sign_in("li")
        steel.cli("users", "role", "li", "--role", "viewer", "--data", self.dir / "data")
        self.assertEqual(self.ask("GET", "/api/v1/status", head=head)[0], 401)
        head = self.sign_in("li")
        steel.cli("users", "remove", "li", "--data", self.dir / "data")
        self.assertEqual(self.ask("GET", "/api/v1/status", head=head)[0], 401)
        self.assertEqual(self.ask("POST", "/api/v1/session",
                                  {"name": "li", "password": PASSWORD})[0], 401)

    def test_refusals(self):
        self.console()
        self.account("li", "viewer")
        head = self.sign_in("li")
        forged = {**head, "X-Steelyard-Token": "0" * 64}
        self.assertEqual(self.ask("DELETE", "/api/v1/session", head=forged)[0], 403)
        foreign = {**head, "Origin": "http://evil.example"}
        self.assertEqual(self.ask("DELETE", "/api/v1/session", head=foreign)[0], 403)
        self.assertEqual(self.ask("GET", "/api/v1/status", head={**head, "Host": "evil.example"})[0],
                         403)
        self.assertEqual(self.ask("POST", "/api/v1/session", {"name": "x" * 5000, "password": ""})[0],
                         413)
        self.assertEqual(self.ask("PUT", "/api/v1/session", {"name": "x"})[0], 405)
        self.assertEqual(self.ask("POST", "/api/v1/session", {"name": "x", "password": "y"},
                                  {"Content-Type": "text/plain"})[0], 415)
        for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
                     "/api/v1/../../users", "/users", "//etc/passwd", "/app.js/../users"):
            self.assertEqual(self.ask("GET", path, head=head)[0], 404, path)
        self.assertGreater(self.gateway.status()["console"]["refused"], 5)
        self.assertEqual(self.ask("GET", "/api/v1/status", head=head)[0], 200)

    def test_guessing_is_slowed_down(self):
        self.console()
        self.account("li", "viewer")
        answers = [self.ask("POST", "/api/v1/session", {"name": "li", "password": "wrong %d" % i})[0]
                   for i in range(8)]
        self.assertEqual(answers[:5], [401] * 5)
        self.assertIn(429, answers[5:])
        # Whoever guesses has to wait, with the right password too.
        self.assertEqual(self.ask("POST", "/api/v1/session",
                                  {"name": "li", "password": PASSWORD})[0], 429)

    def test_slow_and_broken_requests_hold_up_nobody(self):
        self.console()
        self.account("li", "viewer")
        slow = []
        for start in (b"GET / HT", b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                      b"Content-Type: application/json\r\nX-Steelyard-Token: \r\n"
                      b"Content-Length: 100\r\n\r\n{"):
            for _ in range(20):
                s = socket.create_connection(("127.0.0.1", self.port))
                s.sendall(start)
                slow.append(s)
        for rubbish in (b"\x16\x03\x01\x02\x00" * 100, b"GET " + b"/a" * 40000 + b" HTTP/1.1\r\n\r\n",
                        b"\0\xff\n\n"):
            with socket.create_connection(("127.0.0.1", self.port)) as s:
                with contextlib.suppress(OSError):
                    s.sendall(rubbish)
                    s.settimeout(5)
                    s.recv(1000)
        head = self.sign_in("li")
        self.assertEqual(self.ask("GET", "/api/v1/status", head=head)[0], 200)
        for s in slow:
            s.close()

    def test_pages_load_nothing_from_elsewhere(self):
        self.console()
        status, page, head = self.ask("GET", "/")
        self.assertEqual(status, 200)
        self.assertIn("default-src 'none'", head["Content-Security-Policy"])
        self.assertNotIn(b"http://", page)
        self.assertNotIn(b"https://", page)
        again = self.ask("GET", "/", head={"If-None-Match": head["ETag"]})
        self.assertEqual((again[0], again[1]), (304, b""))

    def test_a_connection_is_kept(self):
        self.console()
        self.account("li", "viewer")
        head = self.sign_in("li")
        c = self.connect()
        with contextlib.closing(c):
            for path, wanted in (("/", 200), ("/app.js", 200), ("/none", 404), ("/api/v1/site", 200)):
                c.request("GET", path, headers=head)
                answer = c.getresponse()
                answer.read()
                self.assertEqual((answer.status, answer.headers["Connection"]), (wanted, None), path)

    def test_certificates(self):
        keys = self.people()
        self.console(tls={"cert": str(keys / "authority.pem"), "key": str(keys / "authority.key"),
                          "ca": str(keys / "people.pem")})
        for name, want in (("inspector", (200, "zhang", "inspector")), ("unknown", (401, None, None)),
                           ("foreign", (401, None, None)), (None, (401, None, None))):
            context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
            if name:
                context.load_cert_chain(keys / (name + ".pem"), keys / (name + ".key"))
            def secure():
                return http.client.HTTPSConnection("localhost", self.port, timeout=20,
                                                   context=context)
            status, _, _ = self.ask("GET", "/api/v1/status", connection=secure())
            who = self.ask("GET", "/api/v1/session", connection=secure())[1]
            self.assertEqual((status, who["user"], who.get("role")), want, name)

    def people(self):
        """A CA of people and certificates of it: with a role, with a word that is none; and one of
        the same name by another CA."""
        keys = self.keys()

        def openssl(*args):
            subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
        for ca in ("people", "others"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", keys / (ca + ".key"), "-out", keys / (ca + ".pem"), "-days", 30,
                    "-subj", "/CN=" + ca)
        (keys / "client.ext").write_text("extendedKeyUsage=clientAuth\nbasicConstraints=CA:false\n")
        for name, ca, subject in (("inspector", "people", "/OU=inspector/CN=zhang"),
                                  ("unknown", "people", "/OU=king/CN=zhang"),
                                  ("foreign", "others", "/OU=inspector/CN=zhang")):
            openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", keys / (name + ".key"), "-out", keys / (name + ".csr"),
                    "-subj", subject)
            openssl("x509", "-req", "-in", keys / (name + ".csr"), "-CA", keys / (ca + ".pem"),
                    "-CAkey", keys / (ca + ".key"), "-CAcreateserial", "-days", 30,
                    "-extfile", keys / "client.ext", "-out", keys / (name + ".pem"))
        return keys

    def test_outside_needs_tls(self):
        tree = steel.base_config([], [], [], console={"listen": "0.0.0.0:0"})
        done = steel.cli("check", "--config", self.config(tree), expect=None)
        self.assertEqual(done.returncode, 2)
        self.assertIn("tls: {cert, key}", done.stdout + done.stderr)


if __name__ == "__main__":
    steel.main()
