# SPDX-License-Identifier: Apache-2.0
"""A gateway with a ledger and an inbox over TLS, and what a test asks of the two."""

import hashlib
import json
import sqlite3
import urllib.request

import devices
import steel

RULE = steel.warm_rule("LEDGER-01")


def root_of(leaves):
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


class LedgerCase(steel.Case):
    def setUp(self):
        super().setUp()
        self.keys_dir = self.dir / "keys"
        steel.cli("keys", "demo", "--out", self.keys_dir, "--gateway", "gw-test-1")
        self.rules = self.write("ledger.rules", RULE)
        self.inbox_port, self.page_port = steel.free_port(), steel.free_port()
        self.write("box-1", "serial 1")
        self.write("box-2", "serial 2")
        self.gateway = self.make("data", "box-1")
        keys = self.keys_dir
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % self.inbox_port, "--cert",
             keys / "authority.pem", "--key", keys / "authority.key", "--client-ca",
             keys / "ca.pem", "--data", self.dir / "inbox", "--page",
             "127.0.0.1:%d" % self.page_port], self.dir / "inbox.log")

    def make(self, data, box, ledger=None, name="inbox"):
        """A gateway on a folder, with a port of its own."""
        keys, port = self.keys_dir, steel.free_port(steel.socket.SOCK_DGRAM)
        tree = steel.base_config(
            [self.rules],
            [{"id": "c1", "transport": "coap", "format": "number", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % port]},
            destinations=[{"name": name, "kind": "https",
                           "url": "https://127.0.0.1:%d/events" % self.inbox_port,
                           "tls": {"ca": str(keys / "ca.pem"), "cert": str(keys / "gateway.pem"),
                                   "key": str(keys / "gateway.key")},
                           "serves": ["premises"], "severity": "notice"}])
        del tree["mqtt"]
        tree["gateway"]["ledger"] = {"cert": str(keys / "ledger.pem"),
                                     "key": str(keys / "ledger.key"),
                                     "interval": "1 s", "box": str(self.dir / box)}
        tree["gateway"]["ledger"].update(ledger or {})
        tree["gateway"]["ledger"] = {k: v for k, v in tree["gateway"]["ledger"].items() if v}
        config = self.config(tree, data + ".yaml")
        gateway = steel.Gateway(config, self.dir / data)
        gateway.port = port
        return gateway

    def send(self, gateway, *values):
        coap = devices.CoapDevice(("127.0.0.1", gateway.port))
        try:
            for value in values:
                code, text = coap.request("r/c1", str(value).encode())
                self.assertEqual(code, "2.04", text)
                gateway.drained()  # one at a time: two of one millisecond would be in conflict
        finally:
            coap.close()

    def api(self, path):
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.page_port, path), timeout=20) \
                as answer:
            return answer.read().decode()

    def flags(self):
        return [f["kind"] for f in json.loads(self.api("/api/ledger"))["flags"]]

    def events(self):
        return json.loads(self.api("/api/events"))

    def heads(self):
        """Heads that the inbox goes by: without those that a restore gave up."""
        with sqlite3.connect("file:%s?mode=ro" % (self.dir / "inbox" / "inbox.db"), uri=True) as db:
            return db.execute("SELECT size, root FROM live ORDER BY size").fetchall()

    def leaves(self, gateway):
        with sqlite3.connect("file:%s?mode=ro" % (gateway.data / "store.db"), uri=True) as db:
            return [bytes(row[0]) for row in db.execute("SELECT bytes FROM leaf ORDER BY n")]

    def told(self, gateway):
        """Everything is delivered, and the inbox knows the newest head."""
        def done():
            status = gateway.status()
            heads = self.heads()
            return status["events_delivered"] == status["events_queued"] and heads and \
                heads[-1][0] >= status["ledger"]["size"]
        steel.until(done, "the events and the newest head to be at the inbox", 60)

    def expect_true_heads(self, gateway):
        """Every head that the inbox has is one of this ledger's own past."""
        leaves, heads = self.leaves(gateway), self.heads()
        self.assertGreater(len(heads), 0)
        for size, root in heads:
            self.assertLessEqual(size, len(leaves))
            self.assertEqual(root_of(leaves[:size]), bytes(root), "head of %d" % size)
        return len(heads)
