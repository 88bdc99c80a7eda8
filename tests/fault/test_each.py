#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each call in turn fails: files (with EIO, ENOSPC, EINTR, or cut short) and memory, while the gateway
starts, and while it takes a message that raises or ends an alert. It may go on or end, saying why;
it may not crash, and afterwards everything acknowledged is stored once and the alerts are right.

SY_FAULT_EACH=N tries N of the calls, by seed (0: all of them); SY_FAULT_SEED=N.
"""

import errno
import os
import random
import subprocess
import time
import unittest

import shim
import small
from shim import steel

EACH = int(os.environ.get("SY_FAULT_EACH", "4"))
SEED = int(os.environ.get("SY_FAULT_SEED", "0")) or random.randrange(1, 1 << 30)
ERRORS = [errno.EIO, errno.ENOSPC, errno.EINTR, 0]


def chosen(total, rng):
    """Numbers of calls: all, or some."""
    if EACH == 0 or total <= EACH:
        return list(range(1, total + 1))
    return sorted(rng.sample(range(1, total + 1), EACH))


class Each(small.Case):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(SEED)
        print("seed %d" % SEED, flush=True)

    def prepare(self):
        """A folder with a past: readings, an alert that is over, one that is open."""
        self.gateway.start()
        for warm in (False, True, False, True):
            self.assertTrue(self.send(warm))
        self.gateway.drained()
        self.gateway.kill()
        self.good = self.dir / "good"
        small.copy(self.data, self.good)

    def calls(self):
        return sum(getattr(self.ctl, name) for name in shim.CALLS)

    def ended_well(self):
        """The process is gone: with an exit code and a reason. A store that seems damaged (half of a
        page was read) ends it so that the next start looks and mends."""
        code = self.gateway.process.wait(30)
        text = self.log()
        self.assertTrue(code in (1, 2) and "start-failed" in text or
                        code == 1 and "store-damaged" in text or
                        code == -6 and "pipeline-failed" in text,
                        "ended with %d:\n%s" % (code, text[-3000:]))

    def gone(self):
        """A process that closes its connections is not quite gone yet."""
        try:
            self.gateway.process.wait(10)
        except subprocess.TimeoutExpired:
            return False
        return True

    def try_start(self, arm, **what):
        small.copy(self.good, self.data)
        self.ctl.rest()
        arm()
        with self.apart(**what):
            try:
                self.gateway.start(20)
            except AssertionError:
                self.ended_well()
                started = False
            else:
                started = True
                self.send(True, 0.5)
                self.ctl.rest()
                if not self.gateway.running():
                    self.ended_well()
            self.ctl.rest()
            try:
                if self.gateway.running():
                    self.until_sent("readings to go on", False)
                    self.compare()
            except (OSError, AssertionError):
                if not self.gone():
                    raise
                self.ended_well()  # of what failed before
            self.gateway.kill()
            self.gateway.start()
            self.until_sent("readings after another start", True)
            self.compare()
            self.same_alerts()
        return started

    def cost_of_start(self):
        small.copy(self.good, self.data)
        self.ctl.rest()
        self.gateway.start()
        cost = self.calls(), self.ctl.allocs
        self.gateway.kill()
        return cost

    def test_start_with_calls(self):
        self.prepare()
        total, _ = self.cost_of_start()
        ready = 0
        for n in chosen(total, self.rng):
            error = self.rng.choice(ERRORS)
            ready += self.try_start(lambda: self.ctl.fail_call(shim.CALLS, n, error), n=n,
                                    error=error)
        print("a start makes %d calls; ready nevertheless: %d" % (total, ready))

    def test_start_without_memory(self):
        self.prepare()
        _, total = self.cost_of_start()
        ready = 0
        for n in chosen(total, self.rng):
            times = self.rng.choice([1, 1, -1])
            ready += self.try_start(lambda: self.ctl.fail_alloc(n, times), n=n, times=times)
        print("a start allocates %d times; ready nevertheless: %d" % (total, ready))

    def test_message_with_calls(self):
        self.prepare()
        self.gateway.start()
        warm = False
        before = self.calls()
        self.until_sent("a message", warm)
        self.gateway.drained()
        for n in chosen(self.calls() - before + 20, self.rng):
            warm = not warm
            error = self.rng.choice(ERRORS)
            with self.subTest(n=n, error=error):
                self.ctl.fail_call(shim.CALLS, n, error, self.rng.choice([1, 2]))
                self.send(warm, 1)
                self.ctl.rest()
                self.assertTrue(self.gateway.running(), self.log()[-3000:])
        self.until_sent("readings to go on", not warm)
        self.compare()
        self.same_alerts()
        self.assertEqual(self.gateway.stop(), 0)

    def test_message_without_memory(self):
        self.prepare()
        self.gateway.start()
        before = self.ctl.allocs
        self.until_sent("a message", False)
        self.until_sent("a message", True)
        self.gateway.drained()
        total = (self.ctl.allocs - before) // 2
        warm, ends = True, 0
        for n in chosen(total, self.rng):
            warm = not warm
            with self.subTest(n=n):
                self.ctl.fail_alloc(n)
                self.send(warm, 1)
                end = time.monotonic() + 0.05
                steel.until(lambda: time.monotonic() > end or not self.gateway.running(),
                            "what becomes of it", 5, 0.01)
                self.ctl.rest()
                if not self.gateway.running():
                    self.ended_well()
                    ends += 1
                    self.gateway.start()
        print("a message allocates %d times; the process ended: %d" % (total, ends))
        self.until_sent("readings to go on", not warm)
        self.compare()
        self.same_alerts()
        self.assertEqual(self.gateway.stop(), 0)


if __name__ == "__main__":
    steel.main()
