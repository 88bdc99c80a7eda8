# SPDX-License-Identifier: Apache-2.0
"""Orders from upstream: a receiver with mutual TLS serves them, the gateway proves and executes
each; what is not signed by whom it must be, comes again, is old or was altered changes nothing."""

import base64
import http.server
import json
import os
import re
import sqlite3
import ssl
import subprocess
import threading
import urllib.parse

import devices
import steel

RULE = """
rule COLD-01 version %d "Warm"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  watch each cabinet: temperature
  missing after 3 min
  set hold = %d min [tunable 5 min to 60 min]
  alert %s when temperature above 8 °C [policy] for hold
  then tell inspector
  say "Only a test."
end
scenario "alerts" tests COLD-01
  from 08:00 to 09:30 every 1 min: temperature 9 °C
  expect alert %s at %s
end
"""
LOCAL = RULE % (1, 30, "warning", "warning", "08:30")
PACK = RULE % (2, 10, "serious", "serious", "08:10")
T0 = 1772323200000  # 2026-03-01 00:00 UTC
SENML_JSON = 110


class Receiver(http.server.ThreadingHTTPServer):
    """Takes events, serves orders, takes evidence; only with a client's certificate."""
    daemon_threads = True

    def __init__(self, keys):
        super().__init__(("127.0.0.1", 0), Handler)
        self.orders, self.events, self.evidence, self.asked = [], {}, {}, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "authority.pem", keys / "authority.key")
        context.load_verify_locations(keys / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def order(self, text, number=None):
        number = number or len(self.orders) + 1
        self.orders.append({"number": number, "order": text})
        return number

    def result(self, number, word=None):
        found = [e["data"] for e in self.events.values()
                 if e["type"].startswith("steelyard.order.") and e["data"]["number"] == number]
        found = [d for d in found if not word or d["result"] == word]
        return found[-1] if found else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = urllib.parse.parse_qs(url.query)
        self.server.asked.append(asked)
        after = int(asked["after"][0])
        some = [o for o in self.server.orders if o["number"] > after][:2]
        last = max([o["number"] for o in self.server.orders], default=0)
        self.answer(200, json.dumps({"orders": some, "next": last}).encode())

    def do_POST(self):
        for e in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            self.server.events[e["id"]] = e
        self.answer(204)

    def do_PUT(self):
        self.server.evidence[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)


class Orders(steel.Case):
    def setUp(self):
        super().setUp()
        self.pki()
        keys = self.keys()
        self.receiver = Receiver(keys)
        self.addCleanup(self.receiver.server_close)
        self.addCleanup(self.receiver.shutdown)
        rules, port = self.write("local.rules", LOCAL), steel.free_port(steel.socket.SOCK_DGRAM)
        base = "https://127.0.0.1:%d" % self.receiver.server_address[1]
        tls = {n: str(keys / f) for n, f in
               (("ca", "ca.pem"), ("cert", "gateway.pem"), ("key", "gateway.key"))}
        self.path = self.config(steel.base_config(
            [rules],
            [{"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC",
                 "every": "60 s", "recalibrate": "12 months"}]}],
            coap={"listen": ["127.0.0.1:%d" % port]},
            destinations=[{"name": "city", "kind": "https", "url": base + "/events", "tls": tls,
                           "serves": ["inspector"], "orders": base + "/orders", "poll": "100 ms",
                           "authority": {"ca": str(self.dir / "office.pem"),
                                         "crl": str(self.dir / "crl.pem")}}]))
        self.data = self.dir / "data"
        self.gateway = steel.Gateway(self.path, self.data, "--clock", "replay")
        self.coap = devices.CoapDevice(("127.0.0.1", port))
        self.addCleanup(self.coap.close)
        self.start(self.gateway)
        self.id = self.gateway.config_id = json.loads(
            steel.cli("check", "--config", self.path, "--json"))["gateway"]

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def pki(self):
        (self.dir / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n"
            "default_crl_days=3650\nserial=serial\nnew_certs_dir=.\npolicy=p\n"
            "[p]\ncommonName=supplied\norganizationalUnitName=optional\n"
            "[e]\nkeyUsage=critical,digitalSignature\n")
        (self.dir / "index.txt").write_text("")
        (self.dir / "serial").write_text("01\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for ca in ("office", "other"):
            self.openssl("req", "-x509", *curve, "-keyout", ca + ".key", "-out", ca + ".pem",
                         "-subj", "/CN=" + ca, "-days", "3650")
        for name, unit, ca in (("regulator", "regulator", "office"),
                               ("inspector", "inspector", "office"),
                               ("gone", "regulator", "office"), ("forger", "regulator", "other")):
            self.openssl("req", *curve, "-keyout", name + ".key", "-out", name + ".csr", "-subj",
                         "/OU=%s/CN=%s" % (unit, name))
            self.openssl("ca", "-batch", "-config", "ca.cnf", "-in", name + ".csr", "-out",
                         name + ".pem", "-cert", ca + ".pem", "-keyfile", ca + ".key", "-days",
                         "3000", "-notext", "-extensions", "e")
        self.openssl("ca", "-config", "ca.cnf", "-revoke", "gone.pem", "-cert", "office.pem",
                     "-keyfile", "office.key")
        self.openssl("ca", "-config", "ca.cnf", "-gencrl", "-cert", "office.pem", "-keyfile",
                     "office.key", "-out", "crl.pem")

    def sign(self, kind, *args, by="regulator", gateway=True):
        to = ["--gateway", self.id] if gateway is True else ["--gateway", gateway] if gateway else []
        return steel.cli("order", kind, *args, *to, "--cert", self.dir / (by + ".pem"), "--key",
                         self.dir / (by + ".key"), "--why", "a test").strip()

    def pack(self, name, version, text, *more, **how):
        path = self.write("x.rules", text)
        return self.sign("pack", "--name", name, "--version", version, *more, path, **how)

    def becomes(self, order, word, seconds=30.0):
        number = self.receiver.order(order)
        data = steel.until(lambda: self.receiver.result(number, word) or
                           self.receiver.result(number), "the result of an order", seconds)
        self.assertEqual(data["result"], word, data)
        return data

    def minute(self, m, value):
        t = T0 + m * 60000
        body = json.dumps([{"n": "t", "u": "Cel", "v": value, "t": t / 1000}]).encode()
        code, text = self.coap.request("r/c1", body, content_format=SENML_JSON)
        self.assertEqual(code, "2.04", text)
        self.gateway.control("mark %d" % t)
        self.gateway.drained()

    def in_force(self):
        return {p["name"]: p["version"] for p in self.gateway.status()["orders"]["in_force"]}

    def refused(self, order, why):
        before, set_hash = self.in_force(), self.running()
        data = self.becomes(order, "refused")
        self.assertIn(why, data["reason"])
        self.assertEqual((self.in_force(), self.running()), (before, set_hash))
        return data

    def running(self):
        return (self.data / "accepted" / "current").read_text().strip()

    def test_attacks(self):
        good = self.pack("gsp", 2, PACK)
        head, body, signature = good.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        claims["body"]["version"] = 9
        altered = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        other = self.pack("gsp", 3, PACK).split(".")[2]
        for order, why in ((none + "." + body + ".", ""), (head + "." + body + "." + other, ""),
                           (head + "." + altered + "." + signature, ""),
                           (self.pack("gsp", 2, PACK, by="forger"), ""),
                           (self.pack("gsp", 2, PACK, by="gone"), "revoked")):
            data = self.refused(order, why)
            self.assertIsNone(data["order"], data)
            self.assertTrue(data["reason"])
        data = self.refused(self.pack("gsp", 2, PACK, by="inspector"), "is for regulator")
        self.assertEqual(data["who"], "inspector")
        self.refused(self.pack("gsp", 2, PACK, gateway="gw-other"), "for gateway 'gw-other'")
        self.refused(self.pack("gsp", 2, PACK, gateway="x" + "网" * 40), "for gateway 'x网")
        self.refused(self.pack("gsp", 2, PACK, "--expires", "2026-01-01T00:00:00Z"), "expired")
        self.refused(self.sign("rollback", "--name", "gsp", "--version", 1), "no pack of this name")
        # None of these has used up anything: the good one is taken, once.
        report = self.becomes(good, "done")["report"]
        self.assertEqual(self.in_force(), {"gsp": 2})
        self.assertIn("totals", report["impact"])
        self.refused(good, "taken before")
        self.refused(self.pack("gsp", 2, PACK), "is not newer")
        self.refused(self.pack("gsp", 1, PACK), "is not newer")
        self.refused(self.pack("gsp", 3, "rule COLD-01 versio 3"), "does not pass")
        data = self.refused(self.pack("gsp", 3, PACK.replace("at 08:10", "at 08:20")), "not pass")
        self.assertIn("scenario-failed", json.dumps(data["report"]["findings"]))
        # Somebody goes back to another text and another version on the disk.
        self.gateway.stop()
        pack = self.data / "packs" / "gsp" / "2" / "x.rules"
        pack.write_text(LOCAL)
        force = self.data / "packs" / "in-force.json"
        force.write_text(force.read_text().replace('"version": 2', '"version": 1'))
        running = self.running()
        self.start(self.gateway)
        self.assertIn("orders-mended", self.gateway.tail(100000))
        self.assertEqual((self.in_force(), self.running()), ({"gsp": 2}, running))
        self.assertEqual(pack.read_text(), PACK)
        self.assertEqual(json.loads(steel.cli("check", "--config", self.path, "--data", self.data,
                                              "--json"))["set"], running)

    def test_what_is_ordered(self):
        for m in range(45):
            self.minute(m, 9.0)
        alert = steel.until(lambda: json.loads(self.gateway.alerts("--json")), "an alert")[0]
        self.assertEqual(alert["version"], 1)
        self.becomes(self.sign("acknowledge", "--alert", alert["id"], by="inspector"), "done")
        self.becomes(self.sign("comment", "--alert", alert["id"], "--text", "On my way.",
                               by="inspector"), "done")
        self.refused(self.sign("shelve", "--alert", alert["id"], "--until", "2026-03-02T00:00:00Z",
                               by="inspector"), "is for regulator")
        self.refused(self.sign("acknowledge", "--alert", "0" * 32, by="inspector"), "")
        full = steel.cli("alerts", "--data", self.data, "--full", "--json")
        self.assertIn("inspector", full)
        done = self.becomes(self.sign("evidence", "--alert", alert["id"], by="inspector"), "done")
        path, page = next(iter(self.receiver.evidence.items()))
        self.assertEqual(path, "/orders/evidence/%s?order=%s" % (alert["id"], done["order"]))
        self.assertIn(alert["id"].encode(), page)
        # A pack that waits for its date by the log's clock, over a restart.
        at = "2026-03-01T01:00:00.000Z"
        data = self.becomes(self.pack("gsp", 2, PACK, "--effective", at), "waiting")
        self.assertEqual(data["report"]["impact"]["readings"], 45)
        self.assertEqual(self.in_force(), {})
        self.gateway.stop()
        self.start(self.gateway)
        self.minute(59, 9.0)
        self.assertEqual(self.in_force(), {})
        self.minute(60, 9.0)
        steel.until(lambda: self.in_force() == {"gsp": 2}, "the pack's date")
        steel.until(lambda: self.receiver.result(data["number"], "done"), "that it is told")
        # Tuning, tiers of no premises, calibration.
        tune = self.write("t.rules", 'tune COLD-01: hold = 20 min at cab reason "Loading."\n')
        self.becomes(self.sign("tune", "--name", "bay", "--version", 1, tune), "done")
        tune.write_text('tune COLD-01: hold = 90 min at cab reason "Loading."\n')
        self.refused(self.sign("tune", "--name", "bay", "--version", 2, tune), "not pass")
        tune.write_text(PACK)
        self.refused(self.sign("tune", "--name", "bay", "--version", 2, tune), "not pass")
        self.becomes(self.sign("tune", "--name", "bay", "--version", 3), "done")
        self.refused(self.sign("tiers", "--premises", "nobody", "--tier", "food-risk-tier=B"),
                     "no such premises")
        self.becomes(self.sign("calibration", "--series", "c1/t", "--calibrated", "2026-02-01",
                               "--uncertainty", "0.3", by="inspector"), "done")
        shown = self.gateway.status()["orders"]
        self.assertEqual([c["series"] for c in shown["calibrations"]], ["c1/t"])
        self.assertEqual(shown["polls"][0]["last_error"], "")
        self.assertIn("pack gsp version 2 (city)", steel.cli("check", "--config", self.path,
                                                             "--data", self.data))
        self.becomes(self.pack("gsp", 3, PACK.replace("version 2", "version 3")), "done")
        self.becomes(self.sign("rollback", "--name", "gsp", "--version", 2), "done")
        self.assertEqual(self.in_force(), {"gsp": 2})
        self.becomes(self.sign("rollback", "--name", "gsp", "--version", 0), "done")
        self.assertEqual(self.in_force(), {})
        self.refused(self.pack("gsp", 3, PACK), "is not newer")
        before = self.running()
        self.gateway.stop()
        self.start(self.gateway)
        self.assertEqual(self.running(), before)
        # The process ended in the middle of one: the next start refuses it and says so.
        self.gateway.stop()
        store = sqlite3.connect(self.data / "store.db")
        with store:
            store.execute("UPDATE orders SET state=0 WHERE number=(SELECT max(number) FROM orders "
                          "WHERE kind='calibration')")
        number = store.execute("SELECT number FROM orders WHERE state=3 AND reason IS NULL OR "
                               "state=0").fetchone()[0]
        store.close()
        self.start(self.gateway)
        data = steel.until(lambda: self.receiver.result(number, "refused"), "the one cut short")
        self.assertIn("ended while it executed", data["reason"])
        # Each is an action of the ledger, with who and which order.
        self.gateway.stop()
        text = (self.data / "store.db").read_bytes() + b""
        self.assertTrue(re.search(rb'"what":"order/rollback/done"', text))
        self.assertTrue(re.search(rb'"who":"regulator"', text))


if __name__ == "__main__":
    steel.main()
