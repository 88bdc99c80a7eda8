# SPDX-License-Identifier: Apache-2.0
"""The ledger of a data folder, read and computed again without any code of the gateway: the tree of
RFC 6962, section 2.1, over the leaves, and the heads that were signed over it."""

import collections
import hashlib
import json
import pathlib
import sqlite3

from rig import expect, few


def _hash(prefix, *parts):
    h = hashlib.sha256(prefix)
    for p in parts:
        h.update(p)
    return h.digest()


class Tree:
    """Roots of all sizes, leaf by leaf."""

    def __init__(self):
        self.full, self.n = [], 0  # (level, hash), the largest first

    def add(self, leaf):
        level, node = 0, _hash(b"\0", leaf)
        while self.full and self.full[-1][0] == level:
            node = _hash(b"\1", self.full.pop()[1], node)
            level += 1
        self.full.append((level, node))
        self.n += 1

    def root(self):
        if not self.full:
            return hashlib.sha256(b"").digest()
        node = self.full[-1][1]
        for _, left in reversed(self.full[:-1]):
            node = _hash(b"\1", left, node)
        return node


def read(data):
    """Leaves in order, and the texts of heads."""
    db = sqlite3.connect("file:%s?mode=ro" % (pathlib.Path(data) / "store.db"), uri=True)
    try:
        leaves = list(db.execute("SELECT n, bytes FROM leaf ORDER BY n"))
        heads = [json.loads(row[0]) for row in db.execute("SELECT text FROM head ORDER BY size")]
    finally:
        db.close()
    expect([n for n, _ in leaves] == list(range(len(leaves))), "leaves are missing")
    return [bytes(raw) for _, raw in leaves], heads


def check(data, told=()):
    """The box's own heads, and those that were told to others (size, root as hex), are heads of the
    tree that the box has; no event and no segment has two leaves. The number of leaves."""
    leaves, heads = read(data)
    wanted = collections.defaultdict(set)
    for size, root in [(h["size"], h["root"]) for h in heads] + list(told):
        wanted[size].add(root)
    expect(all(size <= len(leaves) for size in wanted), "a head of %s leaves was told, there are %d",
           few(s for s in wanted if s > len(leaves)), len(leaves))
    tree, once = Tree(), collections.Counter()
    for n in range(len(leaves) + 1):
        for root in wanted.get(n, ()):
            expect(root == tree.root().hex(), "the head over %d leaves is not of this tree", n)
        if n < len(leaves):
            tree.add(leaves[n])
            leaf = json.loads(leaves[n])
            if leaf["leaf"] in ("event", "segment", "activation", "clock"):
                once[leaf["leaf"], leaf.get("id", leaf.get("first", leaf.get("seq")))] += 1
    twice = [k for k, n in once.items() if n > 1]
    expect(not twice, "two leaves of one thing, %s", few(twice))
    return len(leaves)
