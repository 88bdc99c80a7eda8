# SPDX-License-Identifier: Apache-2.0
"""HJ 212 over TCP with a sender of our own: what was acknowledged is there once, whatever happens to
the gateway; one that floods costs the others nothing; who may not speak is refused and counted."""

import select
import socket
import time

import steel

RULES = """
rule HJ-01 version 1 "Oxygen demand"
  basis "chosen for a test" policy
  applies to subject any; goods any; stage any
  effective from 2013-01-01
  watch each outfall: cod
  missing after 1 h
  alert warning when cod above 60 mg/L [policy]
  then tell premises
  say "Only a test."
end
"""
MN, OLD, FLOOD = "010000A8900016F000169DC0", "88888880000001", "F0000000000000000000000F"


def crc(segment):
    """HJ 212-2017, annex A."""
    r = 0xFFFF
    for byte in segment:
        r = (r >> 8) ^ byte
        for _ in range(8):
            r = (r >> 1) ^ 0xA001 if r & 1 else r >> 1
    return b"%04X" % r


def frame(segment):
    segment = segment.encode()
    return b"##%04d" % len(segment) + segment + crc(segment) + b"\r\n"


class Sender:
    """A data logger: one frame at a time, sent again until it is acknowledged (CN=9014, its QN)."""

    OVERTIME = 1.0

    def __init__(self, port, mn, password="123456", edition=2017):
        self.port, self.mn, self.password = port, mn, password
        self.flag = {2005: 1, 2017: 5, 2025: 9}[edition]
        self.sock, self.buf, self.acked, self.sent_again = None, b"", set(), 0

    def connect(self):
        self.close()
        self.sock = socket.create_connection(("127.0.0.1", self.port), 1.0)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b""

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def segment(self, qn, data, cn=2011, more=""):
        return "QN=%s;ST=32;CN=%d;PW=%s;MN=%s;Flag=%d;%sCP=&&%s&&" % (
            qn, cn, self.password, self.mn, self.flag, more, data)

    def answer(self, seconds):
        """One frame from the gateway, or None; its CRC is looked at."""
        end = time.monotonic() + seconds
        while b"\r\n" not in self.buf:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            part = self.sock.recv(4096)
            if not part:
                raise ConnectionError("closed")
            self.buf += part
        line, self.buf = self.buf.split(b"\r\n", 1)
        size = int(line[2:6])
        body = line[6:6 + size]
        assert line[:2] == b"##" and crc(body) == line[6 + size:], line
        head = body.decode().split("CP=", 1)[0]
        return dict(f.split("=", 1) for f in head.split(";") if "=" in f)

    def deliver(self, qn, raw, deadline=30.0, pieces=None):
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            try:
                if not self.sock:
                    self.connect()
                for piece in pieces or [raw]:
                    self.sock.sendall(piece)
                pieces = None
                got = self.answer(self.OVERTIME)
                while got and got.get("QN") != qn:
                    got = self.answer(self.OVERTIME)
                if got:
                    assert got["CN"] == "9014" and got["MN"] == self.mn, got
                    self.acked.add(qn)
                    return True
            except OSError:
                self.close()
                select.select([], [], [], 0.05)
            self.sent_again += 1
        return False


def stamp(t):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(t + 8 * 3600))


class Hj212(steel.Case):
    def setUp(self):
        super().setUp()
        self.port = steel.free_port()
        rules = self.write("hj.rules", RULES)
        devices = [{"id": "wat", "transport": "hj212", "mn": MN, "from": "127.0.0.0/8"},
                   {"id": "old", "transport": "hj212", "mn": OLD, "password": "654321",
                    "from": "127.0.0.0/8"},
                   {"id": "loud", "transport": "hj212", "mn": FLOOD, "from": "127.0.0.0/8"}]
        names = {"wat": "w01018-Rtd", "old": "011-Rtd", "loud": "w01018-Rtd"}
        places = [{"id": "pl-" + d["id"], "kind": "outfall", "points": [
            {"quantity": "cod", "device": d["id"], "name": names[d["id"]],
             "unit": "mg/L"}]} for d in devices]
        places[0]["points"] += [{"quantity": "cod", "device": "wat", "name": n + "/w01018-Avg"}
                                for n in ("hour", "day")]
        tree = steel.base_config([rules], devices, places,
                                 hj212={"listen": ["127.0.0.1:%d" % self.port]})
        for section in ("mqtt", "coap"):
            del tree[section]
        self.data = self.dir / "data"
        self.gateway = self.start(steel.Gateway(self.config(tree), self.data))

    def rows(self, device):
        self.gateway.drained()
        return [r for r in self.gateway.export() if r["device"] == device]

    def test_all(self):
        self.acknowledged_is_kept_once()
        self.periods_do_not_mix()
        self.refused_is_counted()
        self.a_flood_costs_others_nothing()

    def acknowledged_is_kept_once(self):
        """kill -9 ten times while a logger sends; split segments, junk, repetitions."""
        wat = Sender(self.port, MN)
        self.addCleanup(wat.close)
        base = int(time.time()) - 3600
        for i in range(200):
            qn = "%s%03d" % (stamp(base + i), i)
            raw = frame(wat.segment(qn, "DataTime=%s;w01018-Rtd=%d.5,w01018-Flag=N" % (
                stamp(base + i), i)))
            pieces = [raw]
            if i % 3 == 1:
                pieces = [b"junk ##00\r\n", raw[:i % 40], raw[i % 40:]]
            elif i % 3 == 2:
                pieces = [raw, raw]  # sent again before the answer came
            if i % 20 == 7:
                if wat.sock:
                    wat.sock.sendall(raw[:50] if i % 40 == 7 else raw)
                self.gateway.kill()
                self.gateway.start()
            self.assertTrue(wat.deliver(qn, raw, pieces=pieces), self.gateway.tail())
        self.assertGreater(wat.sent_again, 0)
        rows = self.rows("wat")
        self.assertEqual([float(r["value"]) for r in rows], [i + 0.5 for i in range(200)])
        self.assertEqual({r["quality"].replace("+clock-unsynchronised", "") for r in rows},
                         {"good+unauthenticated"})

    def periods_do_not_mix(self):
        """A real-time, an hour's and a day's value of one time are three series."""
        wat, t = Sender(self.port, MN), stamp(time.time() - 7200)
        self.addCleanup(wat.close)
        for i, (cn, what) in enumerate(((2061, "w01018-Avg=41"), (2031, "w01018-Avg=42"),
                                        (2051, "w01018-Avg=43"))):
            raw = frame(wat.segment("h%d" % i, "DataTime=%s;%s,w01018-Flag=M" % (t, what), cn=cn))
            self.assertTrue(wat.deliver("h%d" % i, raw))
        rows = {r["point"]: (float(r["value"]), r["quality"].replace("+clock-unsynchronised", ""))
                for r in self.rows("wat") if r["point"] != "w01018-Rtd"}
        self.assertEqual(rows, {"hour/w01018-Avg": (41.0, "bad+unauthenticated+maintenance"),
                                "day/w01018-Avg": (42.0, "bad+unauthenticated+maintenance")})

    def refused_is_counted(self):
        before = self.gateway.drained()
        old = Sender(self.port, OLD, "654321", 2005)
        self.addCleanup(old.close)
        qn, t = stamp(time.time()) + "001", stamp(time.time() - 5)
        self.assertTrue(old.deliver(qn, frame(old.segment(qn, "DataTime=%s;011-Rtd=7" % t))))
        self.assertEqual([float(r["value"]) for r in self.rows("old")], [7.0])
        stranger = Sender(self.port, "nobody")
        thief = Sender(self.port, OLD, "123456")
        for sender in (stranger, thief):
            self.addCleanup(sender.close)
            raw = frame(sender.segment("2", "DataTime=%s;011-Rtd=8" % t))
            self.assertFalse(sender.deliver("2", raw, deadline=0.5))
        # One connection is one device's: another MN on it is refused.
        other = Sender(self.port, MN)
        other.sock, other.OVERTIME = old.sock, 0.3
        self.assertFalse(other.deliver("3", frame(other.segment("3", "w01018-Rtd=9")), deadline=0.3))
        self.assertEqual(len(self.rows("old")), 1)
        log = self.gateway.tail(100000)
        for why in ("no device has this MN", "its PW is not that", "that of another device"):
            self.assertIn(why, log)
        refused = {(r["device"], r["reason"]) for r in self.gateway.status()["refused"]["list"]}
        for pair in (("nobody", "unknown-device"), ("old", "wrong-password"),
                     ("wat", "speaks-for-another")):
            self.assertIn(pair, refused)
        self.assertNotIn("654321", log)
        steel.until(lambda: self.gateway.status()["rejected"] >= before["rejected"] + 3, "the count")
        self.assertEqual(self.gateway.status()["hj212"]["ports"], [self.port])

    def a_flood_costs_others_nothing(self):
        loud, wat = Sender(self.port, FLOOD), Sender(self.port, MN)
        self.addCleanup(loud.close)
        self.addCleanup(wat.close)
        loud.connect()
        loud.flag = 4  # wants no answer: nothing but the gateway holds it back
        loud.sock.setblocking(False)
        many = b"".join(frame(loud.segment("%d" % i, "DataTime=%s;w01018-Rtd=1" % stamp(
            time.time() - 1))) for i in range(2000))
        rest, worst = many, 0.0

        def push():
            nonlocal rest
            for _ in range(50):
                try:
                    rest = rest[loud.sock.send(rest):] or many
                except BlockingIOError:
                    return True
            return False

        steel.until(push, "the flood to be held back", 20, 0)
        for i in range(10):
            push()
            qn, begun = "9%03d" % i, time.monotonic()
            raw = frame(wat.segment(qn, "DataTime=%s;w01018-Rtd=3" % stamp(time.time() - 20 + i)))
            self.assertTrue(wat.deliver(qn, raw))
            worst = max(worst, time.monotonic() - begun)
        self.assertLess(worst, 1.0, "seconds to an answer beside a flood")
        self.assertFalse(wat.sent_again)


if __name__ == "__main__":
    steel.main()
