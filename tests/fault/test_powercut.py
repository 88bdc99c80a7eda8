#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts. A box works under load while each change below its data folder is recorded; then, for
many a moment and many a way in which a disk may have kept what was not synced (powercut.py), a gateway
is started on what is left and must hold every promise:

 - what was acknowledged before the last completed sync of the journal is stored, and that sync began
   no longer before the cut than the sync interval allows; in `strict`, all that was acknowledged;
 - nothing is stored twice, nothing that was never sent;
 - alerts are those of a backtest of what is stored;
 - each event that had left the box is in it, with the same bytes;
 - the gateway starts, judges on, ends cleanly, and comes to the same again after that.

SY_FAULT_CUTS=N cuts a recording, SY_FAULT_RECORDINGS=N recordings, SY_FAULT_SEED=N. A cut that fails
leaves its recording, and says how to run it again:
Of twelve cuts and more, half are of what comes after one of the others: the box works on from there.
  test_powercut.py --again RECORDING --at K --seed N
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import sqlite3
import sys
import tempfile
import time
import unittest

import ledger
import powercut
import rig
import shim
from rig import expect, steel

CUTS = int(os.environ.get("SY_FAULT_CUTS", "4"))
RECORDINGS = int(os.environ.get("SY_FAULT_RECORDINGS", "2"))
SECONDS = float(os.environ.get("SY_FAULT_SECONDS", "2.5"))
GENERATIONS = 2 if CUTS >= 12 else 1
SEED = int(os.environ.get("SY_FAULT_SEED", "0")) or random.randrange(1, 1 << 30)
# What a busy machine may add to the sync interval before the sync thread gets its turn.
SLACK_NS = int(float(os.environ.get("SY_FAULT_SLACK", "2")) * 1e9)
SYNC_NS = 250 * 1000 * 1000
# Devices that the gateway acknowledges by itself, and those of the broker, whose plugin has a spool.
PROMISED = rig.Site.COAP + [rig.Site.PLAIN] + (rig.Site.MQTT if rig.broker_keeps() else [])


class Recording:
    """base/ (powercut.Base), ops (the log), facts.json, and the site's folder beside them."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.facts = json.loads((self.dir / "facts.json").read_text())
        self.base = powercut.Base(self.dir / "base")
        self.ops = powercut.read_log(self.dir / "ops")
        self.site = Again(self.dir.parent)
        self.acked = [tuple(a) for a in self.facts["acked"]]  # device, key, moment
        self.sent = {tuple(s) for s in self.facts["sent"]}
        self.must = [tuple(m) for m in self.facts["must"]]  # stored before it began

    def last_sync(self, k):
        """When the last sync of the journal before operation k began that had returned by then: of
        its newest segment, since a round of syncs takes the older ones first."""
        began, last = {}, None
        names = [n for n in self.base.files if n.startswith("journal/") and n.endswith(".log")]
        newest = self.base.files[max(names)][0] if names else None
        for o in self.ops[:k]:
            if o.op == powercut.CREATE and o.bytes.endswith(b".log"):
                newest = o.ino
            elif o.op == powercut.CREATE and o.ino == newest:
                newest = None  # the number is another file's now
            elif o.op == powercut.SYNC and o.ino == newest:
                began[o.a] = o.ns
            elif o.op == powercut.SYNCED and o.a in began:
                last = max(last or 0, began[o.a])
        return last


class Again:
    """A site that exists already."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.config, self.rules = self.dir / "steelyard.yaml", self.dir / "fault.rules"
        self.data = self.dir / "box" / "data"
        self.keys = self.dir / "keys"
        listed = json.loads(self.config.read_text())["destinations"][0]["url"]
        self.inbox_port = int(listed.split(":")[2].split("/")[0])

    gateway, inbox = rig.Site.gateway, rig.Site.inbox


def record(site, rng, seconds, big=False, restarts=0, must=(), sent=()):
    """Let the box of a site work, recorded; the recording's folder."""
    number = len(list(site.dir.glob("recording-*")))
    out = site.dir / ("recording-%d" % number)
    out.mkdir()
    box = site.data.parent
    site.data.mkdir(parents=True, exist_ok=True)
    powercut.Base.take(site.data, out / "base")
    log = pathlib.Path("/dev/shm") / ("sy-fault-%d-%d.ops" % (os.getpid(), number))
    inbox = site.inbox("inbox-%d" % number)
    ctl = shim.Control(out / "ctl")
    gateway = site.gateway(env=shim.environment(site.data, log, ctl))
    first = max([k for d, k in sent if d == site.PLAIN], default=0)
    senders = site.senders(rng, rate=rng.choice([10, 40, 80]), big=big, first=first)
    try:
        inbox.start()
        gateway.start()
        for s in senders:
            s.start()
        for part in range(restarts + 1):
            end = time.monotonic() + seconds / (restarts + 1)
            steel.until(lambda: time.monotonic() >= end, "the time", seconds + 10, 0.01)
            if part < restarts:
                kill_between(gateway, ctl)
                gateway.start()
        for s in senders:
            s.enough.set()
            s.gave_up.set()
        for s in senders:
            s.join(10)
            s.client.close()
        gateway.kill()
        inbox.stop()
    finally:
        for p in (gateway, inbox):
            if p.process and p.process.poll() is None:
                p.kill()
    broker_ends(box)
    shutil.move(log, out / "ops")
    shutil.copytree(site.data, out / "final", symlinks=True,
                    ignore=lambda d, names: [n for n in names if n == "control.sock"])
    facts = {"durability": site.durability, "inbox": inbox.args[-1].name,
             "must": [list(m) for m in must],
             "acked": [[s.device, k, at] for s in senders for k, at in s.client.acked.items()],
             "sent": [list(x) for x in sent] + [[s.device, k] for s in senders for k in s.sent]}
    (out / "facts.json").write_text(json.dumps(facts))
    return Recording(out)


def kill_between(gateway, ctl):
    """As kill -9, but never between a change and its entry in the log."""
    ctl.die = 1
    try:
        steel.until(lambda: not gateway.running(), "a change", 10, 0.01)
    finally:
        gateway.kill()
        ctl.die = 0


def broker_ends(box):
    """The kernel tells the broker to end when the gateway is gone; it writes its sessions then."""
    def gone():
        for p in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(box).encode() in p.read_bytes():
                    return False
            except OSError:
                continue
        return True
    steel.until(gone, "the end of the broker", 20)


def lay(recording, k, seed, out, data=None, names=None):
    """What the disk holds after the cut, below out; the cut, and the draws that go on."""
    rng = random.Random(seed)
    cut = powercut.Cut(powercut.Disk(recording.base, recording.ops, k), rng, data, names)
    cut.write(out, recording.dir / "final")
    return cut, rng


def verify(recording, k, seed, data=None, names=None, keep=None):
    """Cut before operation k, start, compare. What was found, as a dict."""
    site, facts = recording.site, recording.facts
    out = site.dir / "cut" / "data"
    shutil.rmtree(out.parent, ignore_errors=True)
    cut, rng = lay(recording, k, seed, out, data, names)
    moment, wall = recording.ops[k - 1].ns, recording.ops[k - 1].wall
    safe, limit = recording.last_sync(k), moment - SYNC_NS - SLACK_NS
    strict = facts["durability"] == "strict"
    if strict:
        limit = moment
    promised = [(d, key, at) for d, key, at in recording.acked if d in PROMISED and at <= moment]
    # What the broker's plugin has acknowledged may wait in the spool, which has syncs of its own.
    must = recording.must + [(d, key) for d, key, at in promised if at < limit or (
        d not in rig.Site.MQTT and at < (safe or 0))]
    gateway = site.gateway(out)
    with open(gateway.log_path, "wb"):
        pass
    found = {"says": cut.says, "must": len(must), "acked": len(promised)}
    inbox = inbox_of_then(recording, wall) if rng.random() < 0.3 else None
    try:
        if inbox:
            inbox.start()
        gateway.start()
        rig.settle(gateway, must)
        rows = rig.check_readings(site, out, must, recording.sent | set(recording.must))
        found["stored"] = len(rows)
        lost = [moment - at for d, key, at in promised if (d, key) not in rows]
        found["lost"] = len(lost)
        found["lost_ms"] = max(lost) // 1000000 if lost else 0  # age of the oldest
        found["alerts"] = len(rig.check_alerts(site, out))
        check_events(recording, out, wall, found)
        heads, wrong = rig.heads_at_inbox(site.dir / facts["inbox"], wall)
        expect(not wrong, "the inbox complains: %s", wrong)
        found["heads"] = len(heads)
        found["leaves"] = ledger.check(out, heads)
        if inbox:
            check_inbox(inbox, out)
            found["inbox"] = "goes on"
        if rng.random() < 0.25:
            gateway.kill()
            gateway.start()
            rig.settle(gateway, must)
            again = rig.check_readings(site, out, must, recording.sent | set(recording.must))
            expect(not rows - again, "another start finds fewer readings")
            rig.check_alerts(site, out)
        code = gateway.stop()
        expect(code == 0, "it ends with %s", code)
        text = gateway.tail(1 << 20)
        expect("journal-behind-store" not in text, "the store knew more than the journal")
        found["damaged"] = text.count("journal-damaged")
        found["torn"] = text.count("journal-torn")
        found["rows"] = rows
        if inbox:
            inbox.stop()
    except BaseException:
        for p in (gateway, inbox):
            if p and p.running():
                p.kill()
        print(gateway.tail(6000), file=sys.stderr)
        raise
    return found


def inbox_of_then(recording, wall):
    """The inbox as it was when the power went, to go on with the box that comes back."""
    site = recording.site
    folder = site.dir / "inbox-cut"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(site.dir / recording.facts["inbox"], folder)
    with sqlite3.connect(folder / "inbox.db") as db:
        for table in ("events", "heads", "flags"):
            db.execute("DELETE FROM %s WHERE received >= ?" % table, (wall,))
        db.execute("DELETE FROM told WHERE NOT EXISTS (SELECT 1 FROM heads h WHERE h.size = told.size"
                   " AND h.root = told.root)")
        db.execute("DELETE FROM alerts WHERE last_seq > (SELECT coalesce(max(seq), 0) FROM events)")
    db.close()
    return site.inbox(folder.name)


def check_inbox(inbox, out):
    """It gets every event of the box, each in the words that it may have had, and doubts nothing."""
    folder = inbox.args[-1]

    def all_there():
        return set(rig.events_in_box(out)) <= set(rig.events_at_inbox(folder))
    steel.until(all_there, "all events at the inbox", 30, 0.1)
    box, there = rig.events_in_box(out), rig.events_at_inbox(folder)
    expect(all(i in box and rig.same_event(there[i], box[i]) for i in there),
           "the inbox has events that the box has not, or other words")
    heads, wrong = rig.heads_at_inbox(folder)
    expect(not wrong, "the inbox complains: %s", wrong)
    ledger.check(out, heads)


def check_events(recording, out, wall, found):
    """What the inbox had before the cut is in the box."""
    site = recording.site
    box = rig.events_in_box(out)
    told = rig.events_at_inbox(site.dir / recording.facts["inbox"], wall)
    unknown = [i for i in told if i not in box]
    expect(not unknown, "sent upstream and unknown to the box, %s", rig.few(unknown))
    other = [i for i in told if not rig.same_event(told[i], box[i])]
    expect(not other, "sent upstream with other words, %s", rig.few(other))
    found["told"] = len(told)


def moment(recording, rng):
    """Where to cut: anywhere, or just at a sync, a rename, or the first operations of a start."""
    ops, n = recording.ops, len(recording.ops)
    special = [i for i, o in enumerate(ops) if o.op in (
        powercut.SYNC, powercut.SYNCED, powercut.RENAME, powercut.CREATE, powercut.UNLINK,
        powercut.TRUNCATE, powercut.ALLOCATE)]
    if special and rng.random() < 0.4:
        return min(n, max(1, rng.choice(special) + rng.choice([0, 1, 1, 2])))
    return rng.randint(1, n)


def go_on(recording, site, k, seed, modes, rows, rng):
    """Let the box work on from what a cut has left; a recording of that."""
    shutil.rmtree(site.data.parent)
    cut, _ = lay(recording, k, seed, site.data, *modes)
    inbox = inbox_of_then(recording, recording.ops[k - 1].wall)
    inbox.args[-1].rename(site.dir / ("inbox-%d" % (int(recording.dir.name.split("-")[1]) + 1)))
    return record(site, rng, SECONDS, must=rows, sent=recording.sent | set(recording.must))


def again(recording, k, seed, modes):
    return "%s --again %s --at %d --seed %d%s" % (
        __file__, recording.dir, k, seed, " --data %s --names %s" % modes if modes else "")


class PowerCut(steel.Case):
    def cuts(self, recording, rng, count):
        """Cut it so often; the last cut and the rows that it left."""
        for n in range(count):
            k, cut_seed, modes = moment(recording, rng), rng.randrange(1 << 30), ()
            if n == 0:  # nothing that was not synced, at the end
                k, modes = len(recording.ops), ("none", "harsh")
            try:
                found = verify(recording, k, cut_seed, *modes)
            except BaseException:
                print("again: " + again(recording, k, cut_seed, modes), file=sys.stderr)
                raise
            rows = found.pop("rows")
            print("  at %d, seed %d: %s" % (k, cut_seed, " ".join(
                "%s=%s" % item for item in found.items())), flush=True)
        return k, cut_seed, modes, rows

    def run_cuts(self, durability, seed, big=False, restarts=0):
        rng = random.Random(seed)
        more = rng.choice([{}, {"segment": "256 KiB", "commit": "200 ms"}])
        site = rig.Site(self.dir / ("site-%d" % seed), durability, **more)
        site.enroll()
        recording = record(site, rng, SECONDS, big, restarts)
        for generation in range(GENERATIONS):
            print("%s, seed %d%s: %d operations, %d acknowledged %s" % (
                durability, seed, ", goes on after a cut" if generation else "",
                len(recording.ops), len(recording.acked), more or ""), flush=True)
            k, cut_seed, modes, rows = self.cuts(recording, rng, max(1, CUTS // GENERATIONS))
            if generation + 1 < GENERATIONS:
                recording = go_on(recording, site, k, cut_seed, modes, rows, rng)
        shutil.rmtree(site.dir, ignore_errors=True)

    def test_power_cuts(self):
        for n in range(RECORDINGS):
            with self.subTest(recording=n):
                self.run_cuts("strict" if n % 2 else "balanced", SEED + n, big=n % 4 >= 2,
                              restarts=n % 3)


def run_again(a):
    recording = Recording(a.again)
    found = verify(recording, a.at, a.seed, a.data, a.names)
    found.pop("rows")
    print(found)


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--again")
    p.add_argument("--at", type=int)
    p.add_argument("--seed", type=int)
    p.add_argument("--data")
    p.add_argument("--names")
    args = p.parse_args()
    if args.again:
        run_again(args)
    else:
        steel.main()
