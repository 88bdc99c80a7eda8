# SPDX-License-Identifier: Apache-2.0
"""Devices for the system tests: an MQTT 3.1.1 publisher (QoS 1, 2) and a CoAP client (CON), written
from the standards and sharing no code with the gateway or its libraries.

Both keep what is not acknowledged and send it again, as a real device does: `acked` holds exactly
the messages for which the peer gave its word.
"""

import os
import select
import socket
import struct
import time


def _length(n):
    out = bytearray()
    while True:
        n, digit = divmod(n, 128)
        out.append(digit | (0x80 if n else 0))
        if not n:
            return bytes(out)


def _text(s):
    raw = s.encode() if isinstance(s, str) else s
    return struct.pack("!H", len(raw)) + raw


class Refused(Exception):
    """The broker's CONNACK carried a code other than 0."""


class MqttDevice:
    """MQTT 3.1.1 (OASIS, sections 3.1 to 3.7); a persistent session; `window` messages in flight. At
    QoS 2 the peer's word is the PUBREC: the device may forget the message then."""

    def __init__(self, address, client_id, user=None, password=None, window=20, qos=1):
        self.address, self.client_id, self.qos = address, client_id, qos
        self.user, self.password, self.window = user, password, window
        self.released = set()  # packet ids that wait for their PUBCOMP
        self.sock, self.buf, self.next_id = None, b"", 1
        self.flight = {}  # packet id -> (key, topic, payload, sent before)
        self.acked = set()

    def connect(self, timeout=1.0):
        self.close()
        sock = socket.create_connection(self.address, timeout)
        try:
            self._greet(sock)
        except BaseException:
            sock.close()
            raise
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.buf = sock, b""
        for pid in sorted(self.flight):
            key, topic, payload, before = self.flight[pid]
            if pid in self.released:
                self._release(pid)
            else:
                self._send(pid, topic, payload, before)

    def _greet(self, sock):
        flags = 0x00 | (0x80 if self.user else 0) | (0x40 if self.password is not None else 0)
        body = _text("MQTT") + bytes([4, flags]) + struct.pack("!H", 0) + _text(self.client_id)
        if self.user:
            body += _text(self.user)
        if self.password is not None:
            body += _text(self.password)
        sock.sendall(b"\x10" + _length(len(body)) + body)
        head = b""
        while len(head) < 4:
            part = sock.recv(4 - len(head))
            if not part:
                raise ConnectionError("closed before CONNACK")
            head += part
        if head[0] != 0x20 or head[3] != 0:
            raise Refused("CONNACK %r" % head)

    def _send(self, pid, topic, payload, dup, retain=False):
        body = _text(topic) + struct.pack("!H", pid) + payload
        first = 0x30 | self.qos << 1 | (0x08 if dup else 0) | (0x01 if retain else 0)
        self.sock.sendall(bytes([first]) + _length(len(body)) + body)

    def _release(self, pid):
        self.sock.sendall(b"\x62\x02" + struct.pack("!H", pid))

    def publish(self, key, topic, payload, retain=False):
        """Take a message into flight; the caller minds the window."""
        pid = self.next_id
        while pid in self.flight:
            pid = pid % 65535 + 1
        self.next_id = pid % 65535 + 1
        self.flight[pid] = (key, topic, payload, True)
        if self.sock:
            self._send(pid, topic, payload, False, retain)

    def poll(self, timeout):
        """Read acknowledgements for at most timeout seconds; False when the connection is gone."""
        if not self.sock:
            return False
        ready, _, _ = select.select([self.sock], [], [], timeout)
        if not ready:
            return True
        part = self.sock.recv(65536)
        if not part:
            self.close()
            return False
        self.buf += part
        while len(self.buf) >= 2:
            size, shift, at = 0, 0, 1
            while at < len(self.buf):
                digit = self.buf[at]
                size |= (digit & 0x7F) << shift
                shift, at = shift + 7, at + 1
                if not digit & 0x80:
                    break
            else:
                break
            if len(self.buf) < at + size:
                break
            kind = self.buf[0] >> 4
            if kind in (4, 5, 7):
                pid = struct.unpack("!H", self.buf[at:at + 2])[0]
                entry = self.flight.get(pid)
                if entry and kind in (4, 5):
                    self.acked.add(entry[0])
                if kind in (4, 7):
                    self.flight.pop(pid, None)
                    self.released.discard(pid)
                elif entry:
                    self.released.add(pid)
                    self._release(pid)
            self.buf = self.buf[at + size:]
        return True

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def send_all(self, messages, deadline=60.0):
        """Publish (key, topic, payload) one after another until each is acknowledged; reconnects
        for as long as it takes, up to the deadline."""
        end = time.monotonic() + deadline
        todo = iter(messages)
        more = True
        while (more or self.flight) and time.monotonic() < end:
            try:
                if not self.sock:
                    self.connect()
                while more and len(self.flight) < self.window:
                    item = next(todo, None)
                    if item is None:
                        more = False
                        break
                    self.publish(*item)
                self.poll(0.05)
            except Refused:
                raise
            except OSError:
                self.close()
                select.select([], [], [], 0.02)
        return not more and not self.flight


class CoapDevice:
    """RFC 7252: CON requests with retransmission (shortened ACK_TIMEOUT), `window` outstanding."""

    ACK_TIMEOUT = 0.25

    def __init__(self, address, window=8):
        self.address, self.window = address, window
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(address)
        self.mid = struct.unpack("!H", os.urandom(2))[0]
        self.flight = {}  # mid -> [key, datagram, next send, interval]
        self.acked = set()
        self.answers = {}  # key -> (code text, payload)

    def datagram(self, mid, path, payload, content_format=None, confirmable=True, code=2):
        token = struct.pack("!H", mid)
        out = bytearray([0x40 | (0 if confirmable else 0x10) | len(token), code])
        out += struct.pack("!H", mid) + token
        last = 0
        options = [(11, part.encode()) for part in path.strip("/").split("/")]
        if content_format is not None:
            raw = content_format.to_bytes(2, "big").lstrip(b"\0")
            options.append((12, raw))
        for number, value in options:
            delta, size = number - last, len(value)
            assert delta < 13 and size < 269
            if size < 13:
                out.append(delta << 4 | size)
            else:
                out += bytes([delta << 4 | 13, size - 13])
            out += value
            last = number
        return bytes(out) + (b"\xff" + payload if payload else b"")

    def post(self, key, path, payload, content_format=None):
        self.mid = (self.mid + 1) & 0xFFFF
        data = self.datagram(self.mid, path, payload, content_format)
        self.flight[self.mid] = [key, data, 0.0, self.ACK_TIMEOUT]

    def _pump(self):
        now = time.monotonic()
        for entry in self.flight.values():
            if now >= entry[2]:
                entry[2], entry[3] = now + entry[3], min(entry[3] * 2, 2.0)
                try:
                    self.sock.send(entry[1])
                except OSError:
                    pass  # nobody listens right now: the retransmission will tell

    def poll(self, timeout):
        self._pump()
        ready, _, _ = select.select([self.sock], [], [], timeout)
        if not ready:
            return
        for _ in range(64):
            try:
                data = self.sock.recv(2048, socket.MSG_DONTWAIT)
            except OSError:
                return
            if len(data) < 4:
                continue
            mid = struct.unpack("!H", data[2:4])[0]
            if data[0] >> 4 & 3 != 2 or data[1] == 0 or mid not in self.flight:
                continue
            key = self.flight.pop(mid)[0]
            code = "%d.%02d" % (data[1] >> 5, data[1] & 31)
            payload = data.split(b"\xff", 1)[1] if b"\xff" in data else b""
            self.answers[key] = (code, payload)
            if code.startswith("2."):
                self.acked.add(key)

    def request(self, path, payload, content_format=None, deadline=10.0):
        """One request; its (code, diagnostic payload), or None."""
        self.post(None, path, payload, content_format)
        mid, end = self.mid, time.monotonic() + deadline
        while mid in self.flight and time.monotonic() < end:
            self.poll(0.05)
        return self.answers.pop(None, None)

    def send_all(self, messages, deadline=60.0):
        """Post (key, path, payload, content format); those answered with an error are not sent again
        and do not count as acknowledged."""
        end = time.monotonic() + deadline
        todo = iter(messages)
        more = True
        while (more or self.flight) and time.monotonic() < end:
            while more and len(self.flight) < self.window:
                item = next(todo, None)
                if item is None:
                    more = False
                    break
                self.post(*item)
            self.poll(0.02)
        return not more and not self.flight

    def close(self):
        self.sock.close()
