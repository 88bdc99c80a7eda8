# SPDX-License-Identifier: Apache-2.0
"""The console under people while readings come in: 50 pages that look on live and page loads at a
given rate, beside the same flood of readings with nobody there."""

import asyncio
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import steel

LOOKERS, PLACES, RATE = 50, 100, 200
PASSWORD = "a password for a bench"
# What a page asks for that was loaded before: its frame by its tag, then the overview.
PAGE = ["/", "/api/v1/site", "/api/v1/last", "/api/v1/alerts?state=active"]


class Line:
    """One connection that is kept."""

    async def open(self, port, cookie=""):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        self.cookie, self.tags = cookie, {}
        return self

    async def ask(self, path, body=None):
        tag = self.tags.get(path)
        head = ["%s %s HTTP/1.1" % ("POST" if body else "GET", path), "Host: localhost",
                "X-Steelyard-Token: "]
        if self.cookie:
            head.append("Cookie: " + self.cookie)
        if tag:
            head.append("If-None-Match: " + tag)
        if body:
            head += ["Content-Type: application/json", "Content-Length: %d" % len(body)]
        self.writer.write(("\r\n".join(head) + "\r\n\r\n" + (body or "")).encode())
        status, fields = await self.head()
        if "etag" in fields:
            self.tags[path] = fields["etag"]
        length = int(fields.get("content-length", 0)) if status != 304 else 0
        return status, fields, await self.reader.readexactly(length)

    async def head(self):
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        lines = text.split("\r\n")
        return int(lines[0].split()[1]), {k.lower(): v for k, v in
                                          (l.split(": ", 1) for l in lines[1:] if ": " in l)}

    async def look_on(self, seen, stop):
        self.writer.write(("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n" %
                           self.cookie).encode())
        await self.head()
        while not stop.is_set():
            try:
                seen[0] += (await asyncio.wait_for(self.reader.read(1 << 16), 0.5)).count(b"event: reading")
            except asyncio.TimeoutError:
                continue
        self.writer.close()


async def people(port, seconds_up, took, seen, ready, stop):
    first = await Line().open(port)
    _, head, _ = await first.ask("/api/v1/session", json.dumps({"name": "li", "password": PASSWORD}))
    cookie = head["set-cookie"].split(";")[0]
    lookers = [asyncio.create_task((await Line().open(port, cookie)).look_on(seen, stop))
               for _ in range(LOOKERS)]
    lines = [await Line().open(port, cookie) for _ in range(20)]
    free = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    ready.set()
    tasks, began, n = [], time.monotonic(), 0

    async def load():
        line, start = await free.get(), time.monotonic()
        for path in PAGE:
            status, _, _ = await line.ask(path)
            assert status in (200, 304), (path, status)
        took.append(time.monotonic() - start)
        free.put_nowait(line)
    while not stop.is_set():
        while n < (time.monotonic() - began) * RATE and len(tasks) < 2000:
            tasks.append(asyncio.create_task(load()))
            n += 1
        tasks = [t for t in tasks if not t.done()]
        await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=0.005)
    seconds_up.append(time.monotonic() - began)
    await asyncio.gather(*tasks, *lookers)


def crowd(port):
    """Starts them on a thread; a function that ends it and tells what they saw."""
    took, seen, up, ready = [], [0], [], threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(
        people(port, up, took, seen, ready, stop)))
    thread.start()
    ready.wait(60)

    def end():
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        return {"loads": len(took) / up[0], "median_ms": 1e3 * statistics.median(took),
                "p99_ms": 1e3 * sorted(took)[int(len(took) * 0.99)], "live": seen[0]}
    return end


def one(bench, folder, n, watched):
    port = steel.free_port(steel.socket.SOCK_DGRAM)
    path = bench.config(folder, PLACES, "coap", {
        "coap": {"listen": ["127.0.0.1:%d" % port]}, "console": {"listen": "127.0.0.1:0"}})
    gateway = steel.Gateway(path, folder / "data").start()
    try:
        subprocess.run([steel.BINARY, "users", "add", "li", "--role", "viewer", "--data",
                        folder / "data"], input=PASSWORD + "\n", text=True, check=True)
        cpu = bench.settle(gateway, n / PLACES * 10)
        end = crowd(gateway.status()["console"]["port"]) if watched else None
        before, start = gateway.cpu(), time.monotonic()
        flood = bench.spawn("flood_coap", port, n, PLACES, 128, bench.now_ms())
        json.loads(flood.stdout.readline())
        status = gateway.drained()
        seconds, used = time.monotonic() - start, gateway.cpu() - before
        saw = end() if end else {}
        assert status["stored"] == n, status
        return {"rate": n / seconds, "cpu": used * 1e5 / n, "rss": gateway.rss_kb(), **saw}
    finally:
        gateway.stop()


def measure(bench, args, out):
    alone, watched = [], []
    for run in range(args.runs):
        for rows, with_people in ((alone, False), (watched, True)):
            with tempfile.TemporaryDirectory(prefix="sy-bench-") as folder:
                rows.append(one(bench, pathlib.Path(folder), args.messages, with_people))
        print("  console run %d: %.0f/s alone, %.0f/s with people; %.0f pages/s" %
              (run + 1, alone[-1]["rate"], watched[-1]["rate"], watched[-1]["loads"]),
              file=sys.stderr)

    def of(rows, key):
        return statistics.median(r[key] for r in rows)
    row = {"name": "console", "unit": "readings/s", "median": round(of(watched, "rate")),
           "min": round(min(r["rate"] for r in watched)), "max": round(max(r["rate"] for r in watched)),
           "floor": round(of(alone, "rate")), "ratio": round(of(watched, "rate") / of(alone, "rate"), 4),
           "cpu_s": round(of(watched, "cpu"), 3), "floor_cpu_s": round(of(alone, "cpu"), 3),
           "rss_kb": max(r["rss"] for r in watched), "pages_s": round(of(watched, "loads")),
           "page_median_ms": round(of(watched, "median_ms"), 1), "page_p99_ms": round(of(watched, "p99_ms"), 1)}
    out.append(row)
    print("console %d readings/s with %d live pages and %d page loads/s (asked for: %d; median %.1f ms, 99th "
          "percentile %.1f ms); alone %d/s, ratio %.2f; RSS %.1f MB" %
          (row["median"], LOOKERS, row["pages_s"], RATE, row["page_median_ms"], row["page_p99_ms"],
           row["floor"], row["ratio"], row["rss_kb"] / 1024))
