# SPDX-License-Identifier: Apache-2.0
"""Readings that no chunk holds yet: seen within seconds by tools beside the gateway, and by tools
without it, whether it ended well or was killed; the same as the gateway itself gives."""

import json
import pathlib
import sqlite3
import time

import devices
import steel

RULE = steel.warm_rule("OPEN-01")
MANY = 2500  # two chunks and some


class Open(steel.Case):
    def setUp(self):
        super().setUp()
        port = steel.free_port(steel.socket.SOCK_DGRAM)
        self.rules = self.write("open.rules", RULE)
        tree = steel.base_config(
            [self.rules],
            [{"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % port]})
        del tree["mqtt"]
        self.path = self.config(tree)
        self.gateway = steel.Gateway(self.path, self.dir / "data")
        self.coap = devices.CoapDevice(("127.0.0.1", port))
        self.addCleanup(self.coap.close)
        self.sent = []
        self.t0 = int(time.time()) - 20000

    def send(self, n):
        """n readings a second apart, with one decimal, 15 a message."""
        for at in range(0, n, 15):
            pack = []
            for i in range(at, min(at + 15, n)):
                t, v = self.t0 + len(self.sent), (len(self.sent) * 7 % 60) / 10
                self.sent.append((t * 1000, v))
                pack.append({"n": "t", "u": "Cel", "t": t, "v": v})
            code, text = self.coap.request("r/c1", json.dumps(pack).encode(), 110)
            self.assertEqual(code, "2.04", text)

    def query(self):
        rows = json.loads(steel.cli("query", "--data", self.gateway.data, "--series", "c1/t",
                                    "--json"))
        return [r["value"] for r in rows]

    def chunks(self):
        path = pathlib.Path(self.gateway.data) / "store.db"
        db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        try:
            return db.execute("SELECT number,n,hex(root),hex(bytes) FROM chunk ORDER BY 1"
                              ).fetchall()
        finally:
            db.close()

    def expect_all(self):
        self.assertEqual(self.query(), [v for _, v in self.sent])
        self.assertEqual(len(self.gateway.export()), len(self.sent))

    def test_seen_by_tools(self):
        self.start(self.gateway)
        self.send(50)
        since = time.monotonic()
        steel.until(lambda: len(self.query()) == len(self.sent), "the readings", 10)
        self.assertLess(time.monotonic() - since, 5)  # seen within 5 s
        self.send(MANY - 50)
        self.gateway.drained()
        self.expect_all()
        backtest = steel.cli("rules", "backtest", self.rules, "--config", self.path, "--data",
                             self.gateway.data, "--json")
        # Killed: what was in memory is made from the journal, by the tools as by the next start.
        self.gateway.kill()
        self.expect_all()
        self.assertEqual(steel.cli("rules", "backtest", self.rules, "--config", self.path,
                                   "--data", self.gateway.data, "--json"), backtest)
        self.gateway.start()
        self.gateway.drained()
        self.expect_all()
        self.send(100)
        self.gateway.drained()
        self.expect_all()
        # Ended well: the snapshot has it.
        self.assertEqual(self.gateway.stop(), 0)
        self.expect_all()
        before = self.chunks()
        self.assertEqual([c[1] for c in before], [1024, 1024])
        self.gateway.start()
        self.send(700)
        self.gateway.drained()
        self.expect_all()
        self.assertEqual(self.gateway.stop(), 0)
        self.assertEqual([c[1] for c in self.chunks()], [1024, 1024, 1024])
        self.assertEqual(self.chunks()[:2], before)


if __name__ == "__main__":
    steel.main()
