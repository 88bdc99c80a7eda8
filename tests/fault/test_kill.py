#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments under load: of the gateway, of its broker, of the inbox, of several at
once, by seed. After each round the load ends, everything settles, and then: what was acknowledged is
stored, nothing twice, nothing that was not sent; alerts are those of a backtest of what is stored;
the inbox has each event of the box once, with the same words.

SY_FAULT_ROUNDS=N rounds, each with SY_FAULT_KILLS=N kills; SY_FAULT_SEED=N. A box lives for
SY_FAULT_LIFE=N rounds.
"""

import os
import random
import sys
import time
import unittest

import ledger
import rig
from rig import expect, steel

ROUNDS = int(os.environ.get("SY_FAULT_ROUNDS", "2"))
KILLS = int(os.environ.get("SY_FAULT_KILLS", "4"))
LIFE = int(os.environ.get("SY_FAULT_LIFE", "8"))
SEED = int(os.environ.get("SY_FAULT_SEED", "0")) or random.randrange(1, 1 << 30)
VICTIMS = ["gateway"] * 4 + ["broker"] * 3 + ["inbox"] * 2 + ["gateway inbox", "broker inbox",
                                                            "gateway broker",
                                                            "gateway broker inbox"]
# Where the managed broker has our plugin, its acknowledgement is a promise as well.
KEEPS = rig.broker_keeps()


class Box:
    """A site that runs: gateway, inbox, and what devices know of it."""

    def __init__(self, case, folder, durability):
        self.site = rig.Site(folder, durability)
        self.site.enroll()
        self.gateway = case.start(self.site.gateway())
        self.inbox = case.start(self.site.inbox())
        self.acked, self.sent, self.number = {}, set(), 0

    def kill(self, victims, rng):
        broker = self.gateway.broker() if "broker" in victims else None
        order = victims.split()
        rng.shuffle(order)
        for v in order:
            if v == "gateway":
                self.gateway.kill()
            elif v == "inbox":
                self.inbox.kill()
            elif broker:
                try:
                    os.kill(broker, 9)
                except ProcessLookupError:
                    pass
        if "inbox" in victims:
            self.inbox.start()
        if "gateway" in victims:
            self.gateway.start()

    def round(self, rng):
        senders = self.site.senders(rng, rate=rng.choice([20, 60]), first=self.number)
        for s in senders:
            s.start()
        history = []
        for _ in range(KILLS):
            end = time.monotonic() + rng.uniform(0.02, 0.9)
            steel.until(lambda: time.monotonic() >= end, "the next kill", 5, 0.005)
            victims = rng.choice(VICTIMS)
            history.append(victims)
            self.kill(victims, rng)
        for s in senders:
            s.enough.set()
        for s in senders:
            s.join(60)
            s.gave_up.set()
            s.client.close()
        self.number = max(s.count for s in senders)
        for s in senders:
            expect(s.finished, "%s: %d messages are never acknowledged", s.device,
                   len(s.client.flight))
            self.sent |= {(s.device, k) for k in s.sent}
            if KEEPS or s.device not in rig.Site.MQTT:
                self.acked.update({(s.device, k): at for k, at in s.client.acked.items()})
        return history

    def check(self):
        rig.settle(self.gateway, self.acked)
        rows = rig.check_readings(self.site, self.site.data, self.acked, self.sent)
        alerts = rig.check_alerts(self.site, self.site.data)
        expect(len({a["id"] for a in alerts}) == len(alerts), "an alert stands there twice")

        def delivered():
            status = self.gateway.status()
            return status["events_delivered"] >= status["events_queued"]
        steel.until(delivered, "all events at the inbox", 60)
        box = rig.events_in_box(self.site.data)
        inbox = rig.events_at_inbox(self.site.dir / "inbox")
        expect(set(box) == set(inbox), "events only in the box: %s; only at the inbox: %s",
               rig.few(set(box) - set(inbox)), rig.few(set(inbox) - set(box)))
        other = [i for i in box if not rig.same_event(box[i], inbox[i])]
        expect(not other, "other words at the inbox, %s", rig.few(other))
        heads, wrong = rig.heads_at_inbox(self.site.dir / "inbox")
        expect(not wrong, "the inbox complains: %s", wrong)
        leaves = ledger.check(self.site.data, heads)
        return "acked=%d stored=%d alerts=%d events=%d leaves=%d heads=%d" % (
            len(self.acked), len(rows), len(alerts), len(box), leaves, len(heads))


class Kill(steel.Case):
    def test_kills(self):
        print("seed %d; the broker's own acknowledgement %s" % (
            SEED, "counts" if KEEPS else "does not count"), flush=True)
        box = None
        for n in range(ROUNDS):
            rng = random.Random(SEED + n)
            if n % LIFE == 0 or ROUNDS <= 2:
                if box:
                    box.gateway.stop()
                    box.inbox.stop()
                box = Box(self, self.dir / ("site-%d" % n), "strict" if n // LIFE % 2 or
                          (ROUNDS <= 2 and n % 2) else "balanced")
            history = box.round(rng)
            try:
                print("  round %d (seed %d, %s): %s: %s" % (
                    n, SEED + n, box.site.durability, ", ".join(history), box.check()),
                    flush=True)
            except BaseException:
                print("  round %d (seed %d, %s): %s\n%s" % (
                    n, SEED + n, box.site.durability, ", ".join(history),
                    box.gateway.tail(8000)), file=sys.stderr)
                raise
        self.assertEqual(box.gateway.stop(), 0)


if __name__ == "__main__":
    steel.main()
