# SPDX-License-Identifier: Apache-2.0
"""An inspector answers an alert on the inbox's page: the box fetches the signed order, does it, and
its event comes back; the evidence that was asked for arrives and verifies. What is forged, too
large, or for another gateway is refused."""

import html.parser
import http.client
import json
import ssl
import subprocess
import urllib.parse

import devices
import steel

RULE = """
rule DESK-01 version 2 "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  watch each cabinet: temperature
  missing after 600 s
  alert serious when temperature above 8 °C [policy]
  clear when temperature at most 8 °C
  then tell premises, inspector; respond within 2 h
  say "Look at the door."
end
"""


class Page(html.parser.HTMLParser):
    """Forms by action, with their fields; all text; whether anything is loaded from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.inside, self.text, self.loads, self.open = {}, None, "", [], []
        self.feed(text)
        assert not self.open, "not closed: %s" % self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.loads += [v for k, v in attrs.items() if k in ("src", "srcset", "style") or
                       (k == "href" and tag == "link")]
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)
        if tag == "form":
            self.inside = self.forms.setdefault(attrs["action"], {})
        elif self.inside is not None and attrs.get("name"):
            self.inside.setdefault(attrs["name"], attrs.get("value", ""))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, "%s closes %s" % (tag, self.open[-1:])
        self.open.pop()
        if tag == "form":
            self.inside = None

    def handle_data(self, data):
        self.text += data


class Desk(steel.Case):
    def setUp(self):
        super().setUp()
        self.pki()
        self.start_inbox()

    def start_inbox(self, *more):
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:0", "--cert", self.dir / "server.pem", "--key",
             self.dir / "server.key", "--client-ca", self.dir / "ca.pem", "--data",
             self.dir / "inbox", "--page", "127.0.0.1:0", "--sign-cert", self.dir / "desk.pem",
             "--sign-key", self.dir / "desk.key", "--time-zone", "Asia/Shanghai", *more],
            self.dir / "inbox.log")
        self.start(self.inbox)
        ports = dict(part.split("=") for part in self.inbox.ready.split()[1:])
        self.events, self.page, self.cookie = int(ports["events"]), int(ports["page"]), ""

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def pki(self):
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for ca in ("ca", "office"):
            self.openssl("req", "-x509", *curve, "-keyout", ca + ".key", "-out", ca + ".pem",
                         "-subj", "/CN=" + ca, "-days", "3650")
        for name, ca, subject, more in (
                ("server", "ca", "/CN=localhost", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
                ("box", "ca", "/CN=gw-test-1", "extendedKeyUsage=clientAuth"),
                ("stranger", "ca", "/CN=gw-other", "extendedKeyUsage=clientAuth"),
                ("ledger", "ca", "/CN=gw-test-1", "keyUsage=digitalSignature"),
                ("desk", "office", "/OU=platform/CN=County desk", "keyUsage=digitalSignature")):
            self.openssl("req", *curve, "-keyout", name + ".key", "-out", name + ".csr", "-subj",
                         subject)
            self.write("ext", more + "\n")
            self.openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey",
                         ca + ".key", "-CAcreateserial", "-days", "3000", "-extfile", "ext",
                         "-out", name + ".pem")

    def start_gateway(self):
        port = steel.free_port(steel.socket.SOCK_DGRAM)
        base = "https://127.0.0.1:%d" % self.events
        tls = {"ca": str(self.dir / "ca.pem"), "cert": str(self.dir / "box.pem"),
               "key": str(self.dir / "box.key")}
        tree = steel.base_config(
            [self.write("d.rules", RULE)],
            [{"id": "c1", "transport": "coap", "format": "number", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "name": "疫苗柜", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % port]},
            destinations=[{"name": "county", "kind": "https", "url": base + "/events", "tls": tls,
                           "serves": ["inspector"], "orders": base + "/orders", "poll": "100 ms",
                           "authority": {"ca": str(self.dir / "office.pem")}}])
        tree["gateway"]["ledger"] = {"cert": str(self.dir / "ledger.pem"),
                                     "key": str(self.dir / "ledger.key")}
        del tree["mqtt"]
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data"))
        coap = devices.CoapDevice(("127.0.0.1", port))
        self.addCleanup(coap.close)
        code, text = coap.request("r/c1", b"9.5", content_format=0)
        self.assertEqual(code, "2.04", text)

    # ---- the page ----
    def http(self, method, path, body=None, fields=None):
        c = http.client.HTTPConnection("127.0.0.1", self.page, timeout=30)
        c.request(method, path, body, {"Cookie": self.cookie, **(fields or {})})
        answer = c.getresponse()
        answer.text = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name = cookie.split("=")[0]
            kept = [k for k in self.cookie.split("; ") if k and not k.startswith(name + "=")]
            self.cookie = "; ".join(kept + [cookie.split(";")[0]])
            self.assertIn("HttpOnly; SameSite=Strict", cookie)
            self.assertEqual("Secure" in cookie, "--origin" in self.inbox.args)
        c.close()
        return answer

    def announce(self, path, size):
        """The answer to the head of a request alone, which says how long its body will be."""
        c = http.client.HTTPConnection("127.0.0.1", self.page, timeout=30)
        c.putrequest("POST", path)
        c.putheader("Content-Length", str(size))
        c.endheaders()
        status = c.getresponse().status
        c.close()
        return status

    def get(self, path, status=200):
        answer = self.http("GET", path)
        self.assertEqual(answer.status, status, answer.text)
        page = Page(answer.text.decode())
        self.assertEqual(set(page.loads), {"/style.css"})
        self.assertNotIn("<script", answer.text.decode())
        return page

    def post(self, path, values, status=303, fields=None):
        answer = self.http("POST", path, urllib.parse.urlencode(values), {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": "http://127.0.0.1:%d" % self.page, **(fields or {})})
        self.assertEqual(answer.status, status, answer.text)
        return answer

    def press(self, action, **values):
        """Fill in a form of the alert's page and send it."""
        form = self.get(self.alert_path).forms[self.alert_path + action]
        self.assertTrue(form["token"])
        answer = self.post(self.alert_path + action, {**form, **values})
        self.assertIn(self.alert_path, answer.headers["Location"])

    def api(self, what):
        return json.loads(self.http("GET", "/api/" + what).text)

    def alert(self):
        alerts = self.api("alerts")
        return alerts[0] if alerts else None

    def result(self, kind):
        return next((o for o in self.api("orders") if o["kind"] == kind and o["result"]), None)

    # ---- the gateways' side ----
    def box(self, method, path, by, body=None, kind="text/html"):
        context = ssl.create_default_context(cafile=self.dir / "ca.pem")
        context.load_cert_chain(self.dir / (by + ".pem"), self.dir / (by + ".key"))
        c = http.client.HTTPSConnection("127.0.0.1", self.events, timeout=30, context=context)
        c.request(method, path, body, {"Content-Type": kind})
        answer = c.getresponse()
        answer.text = answer.read()
        c.close()
        return answer

    def test_an_inspector_answers(self):
        self.start_gateway()
        alert = steel.until(self.alert, "the alert at the inbox")
        self.alert_path = "/alert/%d" % alert["seq"]
        self.assertEqual((alert["acknowledged"], alert["case"]), (None, "new"))
        self.assertIn("not acknowledged", self.get("/").text)
        self.press("/act", who="王芳", why="On my way.", do="acknowledge")
        done = steel.until(lambda: self.result("acknowledge"), "that the box did it")
        self.assertEqual((done["result"], done["who"], done["signer"]),
                         ("done", "王芳", "County desk"), done)
        alert = steel.until(lambda: self.alert() if self.alert()["acknowledged"] else None,
                            "the event of the acknowledgement")
        self.assertEqual(alert["acknowledged_by"], "王芳")
        page = self.get(self.alert_path)
        self.assertIn("On my way.", page.text)
        self.assertIn("王芳", page.text)
        self.assertNotIn("not acknowledged", page.text)
        self.assertEqual(page.forms[self.alert_path + "/act"]["who"], "王芳")  # kept in a cookie
        full = json.loads(steel.cli("alerts", "--data", self.dir / "data", "--full", "--json"))
        self.assertIn("王芳", json.dumps(full, ensure_ascii=False))
        # The evidence.
        self.press("/act", who="王芳", do="evidence")
        done = steel.until(lambda: self.result("evidence"), "the evidence")
        self.assertEqual(done["result"], "done", done)
        file = self.api("evidence")[0]
        self.assertTrue(file["proven"], file)
        self.assertIn("verified", self.get(self.alert_path).text)
        answer = self.http("GET", "/evidence/%d" % file["seq"])
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        (self.dir / "evidence.html").write_bytes(answer.text)
        steel.cli("verify", self.dir / "evidence.html", "--ca", self.dir / "ca.pem")
        # The case goes its own way.
        self.press("/case", who="王芳", state="notified", why="By telephone.", outcome="")
        self.press("/case", who="王芳", state="closed", why="Door mended.", outcome="rectified")
        steps = [(s["state"], s["outcome"], s["who"]) for s in self.api("cases")]
        self.assertEqual(steps, [("notified", None, "王芳"), ("closed", "rectified", "王芳")])
        self.assertIn("rectified", self.get(self.alert_path).text)
        self.assertIn("结案", self.get(self.alert_path + "?lang=zh").text)
        # Filters.
        for query, shown in (("state=active", 1), ("state=unacknowledged", 0), ("case=closed", 1),
                             ("case=new", 0), ("severity=3", 1), ("severity=4", 0),
                             ("premises=prem", 1), ("premises=x", 0), ("rule=DESK-01", 1),
                             ("text=%E7%96%AB%E8%8B%97", 1), ("text=100%25", 0)):
            self.assertEqual(self.get("/?" + query).text.count("疫苗柜"), shown, query)
        self.assertIn("/steelyard/gw-test-1", self.get("/gateways").text)

    def deliver(self):
        event = {"specversion": "1.0", "id": "a/1", "source": "/steelyard/gw-test-1",
                 "type": "steelyard.alert.raised", "data": {"alert": {
                     "id": "a" * 32, "state": "active", "severity": "major"}}}
        answer = self.box("POST", "/events", "box", json.dumps([event]),
                          "application/cloudevents-batch+json")
        self.assertEqual(answer.status, 200, answer.text)

    def test_the_web_server_says_who(self):
        self.inbox.stop()
        self.start_inbox("--user-header", "X-Remote-User", "--origin", "https://inbox.example")
        self.deliver()
        case = "/alert/1/case"
        page = self.get("/alert/1")
        self.assertIn("look only", page.text)
        self.assertEqual(page.forms, {})
        user = {"X-Remote-User": "wang.fang"}
        answer = self.http("GET", "/alert/1", fields=user)
        form = Page(answer.text.decode()).forms[case]
        self.assertNotIn("who", form)
        form.update(state="notified", who="somebody else", outcome="")
        self.post(case, form, 403)  # no name
        self.post(case, form, 403, {**user, "Origin": "http://inbox.example"})
        self.post(case, form, 303, {**user, "Origin": "https://inbox.example"})
        self.assertEqual([s["who"] for s in self.api("cases")], ["wang.fang"])
        for words in (["--user-header", "X:"], ["--origin", "inbox.example"],
                      ["--sign-cert", "none.pem"]):
            done = steel.cli(*self.inbox.args[:11], *words, expect=None)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words[0], done.stderr)

    def test_who_is_refused(self):
        self.deliver()
        self.alert_path, act = "/alert/1", "/alert/1/act"
        form = self.get(self.alert_path).forms[act]
        good = {**form, "who": "W", "why": "x", "do": "acknowledge"}
        for values, fields, status in (
                ({**good, "token": ""}, {}, 403),
                ({**good, "token": "0" * 64}, {}, 403),
                (good, {"Cookie": ""}, 403),
                (good, {"Cookie": "steelyard-visit=" + "0" * 32}, 403),
                (good, {"Origin": "https://evil.example"}, 403),
                (good, {"Origin": "null"}, 403),
                (good, {"Sec-Fetch-Site": "cross-site"}, 403),
                (good, {"Host": "evil.example"}, 421),
                (good, {"Content-Type": "text/plain"}, 400),
                ({**good, "who": " "}, {}, 422),
                ({**good, "who": "x" * 129}, {}, 422),
                ({**good, "why": "x" * 513}, {}, 422),
                ({**good, "why": "", "do": "comment"}, {}, 422),
                ({**good, "why": "x\x01"}, {}, 400),
                ({**good, "do": "pack"}, {}, 400),
                ({**good, "do": "shelve", "hours": "169"}, {}, 400),
                ({**good, "do": "shelve", "hours": "8"}, {}, 403)):  # a platform may not
            self.post(act, values, status, fields)
        self.post("/alert/99/act", good, 404)
        self.post("/alert/1/nothing", good, 405)
        case = {**good, "state": "closed", "why": "", "outcome": "rectified"}
        for values in (case, {**case, "why": "x", "outcome": "odd"}, {**case, "state": "new"}):
            self.post("/alert/1/case", values, 409)
        self.assertEqual((self.api("orders"), self.api("cases")), ([], []))
        self.post(act, {**good, "do": "evidence"})
        # Another box gets nothing and gives nothing; too large, not asked for: refused.
        put, order = "/orders/evidence/" + "a" * 32, self.api("orders")[0]
        for method, path, by, status in (
                ("GET", "/orders?gateway=gw-test-1&after=0", "stranger", 403),
                ("GET", "/orders?after=0", "box", 400),
                ("GET", "/orders?gateway=gw-test-1&after=-1", "box", 400),
                ("PUT", put, "stranger", 404), ("PUT", put + "?order=x", "box", 404),
                ("PUT", "/orders/evidence/" + "b" * 32, "box", 404),
                ("DELETE", "/orders", "box", 405)):
            body = "x" if method == "PUT" else None
            self.assertEqual(self.box(method, path, by, body).status, status, path)
        self.assertFalse(order["fetched"])
        answer = self.box("GET", "/orders?gateway=gw-test-1&after=0", "box")
        self.assertEqual(json.loads(answer.text),
                         {"orders": [{"number": 1, "order": order["order"]}], "next": 1})
        # What is no evidence is kept as what it is, and the page says so.
        answer = self.box("PUT", put + "?order=" + order["id"], "box", "<html>no</html>")
        self.assertEqual(json.loads(answer.text), {"stored": True, "proven": False})
        self.assertIn("NOT PROVEN", self.get(self.alert_path).text)
        self.assertEqual(self.box("PUT", put, "box", "x").status, 409)
        # An order that was signed elsewhere.
        jose = {"Content-Type": "application/jose"}
        self.assertEqual(self.http("POST", "/orders", order["order"], jose).status, 409)
        self.assertEqual(self.http("POST", "/orders", "a.b.c", jose).status, 400)
        for path, size in (("/orders", 1100000), (act, 20000)):
            self.assertEqual(self.announce(path, size), 413)
        self.assertEqual(self.http("POST", "/orders", order["order"]).status, 415)
        fields = {**jose, "Origin": "https://evil.example"}
        self.assertEqual(self.http("POST", "/orders", order["order"], fields).status, 403)


if __name__ == "__main__":
    steel.main()
