#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a disk may hold after the power was cut: from a folder as it was at first, and the operation
log of what was done to it (shim.h), the folder as it may be found after operation k, by seed.

Kept for sure is what was synced: writes, sizes and truncations of a file before a sync of that file
began which returned before the cut; names of a folder before a sync of that folder that returned.
Of the rest a disk keeps what it likes. Two choices are drawn by seed:

data (how the unsynced writes of a file come through)
  none   all are lost
  all    all came through
  page   each page of 4096 bytes is as it was after some of them
  sector each sector of 512 bytes likewise
  write  each write by itself came through or not, in whatever order
names (creations, renames, removals, truncations, allocations)
  ext4   in order, up to some point; each sync of any file takes along all that came before it
  harsh  each by itself, and only a sync of the folder keeps a name
Besides, the write at the cut is torn: at a sector, or at any byte. A size that grew without its data
may have come through alone: the file then ends with zeros. Mapped files (SQLite's -shm, `attempt`)
hold whatever was mapped there once: zeros, or what is there at the end of the recording.

usage: powercut.py BASE LOG OUT --at K --seed N [--data MODE] [--names MODE]
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import struct
import sys

ENTRY = struct.Struct("=IIIIQqQQQQ")
MAGIC = 0x504F5953
(CREATE, MKDIR, WRITE, TRUNCATE, ALLOCATE, RENAME, UNLINK, LINK, SYNC, SYNCED, MAP,
 CONTENT) = range(1, 13)
NAMES_OF = {CREATE, MKDIR, RENAME, UNLINK, LINK}
SIZES = {TRUNCATE, ALLOCATE}
DATA_MODES = ["none", "all", "page", "sector", "write"]
NAME_MODES = ["ext4", "harsh"]


class Op:
    __slots__ = ("op", "ns", "wall", "ino", "a", "b", "dir", "bytes", "obj", "to")


def read_log(path):
    """The operations, in order; an entry cut short at the end is left out."""
    ops, raw, at = [], pathlib.Path(path).read_bytes(), 0
    while at + ENTRY.size <= len(raw):
        magic, length, kind, _, ns, wall, ino, a, b, folder = ENTRY.unpack_from(raw, at)
        if magic != MAGIC:
            raise ValueError("operation log: no entry at %d" % at)
        at += ENTRY.size
        if at + length > len(raw):
            break
        o = Op()
        o.op, o.ns, o.wall, o.ino, o.a, o.b, o.dir = kind, ns, wall, ino, a, b, folder
        o.bytes = raw[at:at + length]
        at += length
        ops.append(o)
    return ops


class Base:
    """A copy of the folder before the recording, with the numbers that its files had."""

    def __init__(self, copy):
        self.copy = pathlib.Path(copy)
        self.files = json.loads((self.copy / "inodes.json").read_text())

    @staticmethod
    def take(folder, copy):
        copy = pathlib.Path(copy)
        copy.mkdir(parents=True)
        shutil.copytree(folder, copy / "tree", symlinks=True,
                        ignore=lambda d, names: [n for n in names if n == "control.sock"])
        rows = {".": [os.stat(folder).st_ino, True, 0o700]}
        for d, dirs, files in os.walk(folder):
            for n in dirs + files:
                path = os.path.join(d, n)
                if n != "control.sock":
                    st = os.lstat(path)
                    rows[os.path.relpath(path, folder)] = [st.st_ino, n in dirs,
                                                           st.st_mode & 0o7777]
        (copy / "inodes.json").write_text(json.dumps(rows))
        return Base(copy)


class File:
    def __init__(self, mode, content=b""):
        self.mode, self.base, self.ops, self.mapped = mode, content, [], False
        self.synced = -1  # index of the last operation that a sync has made safe
        self.is_dir = False


class Folder:
    def __init__(self, mode):
        self.mode, self.names, self.synced, self.is_dir = mode, {}, -1, True


class Disk:
    """The objects behind the operations up to k, and what of them was safe then."""

    def __init__(self, base, ops, k):
        self.objects, self.ops, self.k = {}, ops, k
        self.all_synced = -1  # of any file: what ext4's journal took along
        self.root = None
        self.old_names = []  # (folder, name, object) of the base
        current = {}  # (folder, name) -> object, as the running system has it
        for path, (ino, is_dir, mode) in sorted(base.files.items()):
            obj = Folder(mode) if is_dir else File(
                mode, (base.copy / "tree" / path).read_bytes())
            self.objects[ino] = obj
            if path == ".":
                self.root = obj
            else:
                parent = self.objects[base.files[os.path.dirname(path) or "."][0]]
                self.old_names.append((parent, os.path.basename(path), obj))
                current[base.files[os.path.dirname(path) or "."][0],
                        os.path.basename(path).encode()] = obj
        self._follow(current)

    def _follow(self, current):
        began = {}
        objects = self.objects
        for i in range(self.k):
            o = self.ops[i]
            kind = o.op
            if kind in (CREATE, MKDIR):
                if self._is_content(i) and o.ino in objects and \
                        current.get((o.dir, o.bytes)) is objects[o.ino]:
                    o.obj = o.to = None  # taken in, though it is known
                    continue
                objects[o.ino] = File(o.a) if kind == CREATE else Folder(o.a)
            o.obj = objects.get(o.ino)
            o.to = objects.get(o.b if kind == RENAME else o.dir) if kind in NAMES_OF else None
            if kind == RENAME:
                old, new = o.bytes.split(b"\0")
                current.pop((o.dir, old), None)
                current[o.b, new] = o.obj
            elif kind == UNLINK:
                current.pop((o.dir, o.bytes), None)
            elif kind in NAMES_OF:
                current[o.dir, o.bytes] = o.obj
            if kind in (WRITE, TRUNCATE, ALLOCATE, CONTENT):
                if o.obj is not None and not o.obj.is_dir:
                    if kind == CONTENT and not (i and self.ops[i - 1].op == CREATE and
                                                self.ops[i - 1].obj is o.obj):
                        continue
                    o.obj.ops.append(i)
            elif kind == MAP and o.obj is not None:
                o.obj.mapped = True
            elif kind == SYNC:
                began[o.a] = i
            elif kind == SYNCED and o.a in began:
                i0 = began.pop(o.a)
                if o.obj is not None:
                    o.obj.synced = max(o.obj.synced, i0)
                self.all_synced = max(self.all_synced, i0)

    def _is_content(self, i):
        return i + 1 < len(self.ops) and self.ops[i + 1].op == CONTENT


def overlay(content, off, data):
    if off > len(content):
        content.extend(bytes(off - len(content)))
    content[off:off + len(data)] = data


def pieces(off, data, unit):
    """(offset, bytes) cut at multiples of unit."""
    at = 0
    while at < len(data):
        end = min(len(data), unit - (off + at) % unit + at)
        yield off + at, data[at:end]
        at = end


class Cut:
    """One possible outcome. `says` tells what was drawn."""

    def __init__(self, disk, rng, data=None, names=None):
        self.disk, self.rng = disk, rng
        self.data = data or rng.choice(DATA_MODES)
        self.names = names or rng.choice(NAME_MODES)
        self.tear = rng.choice(["byte", "sector", "no"])
        self.says = "data=%s names=%s tear=%s" % (self.data, self.names, self.tear)
        self.prefix = rng.randint(disk.all_synced, max(disk.all_synced, disk.k - 1)) \
            if self.names == "ext4" else None
        self.keep = {}

    def kept(self, i, synced):
        """Whether a change of names or sizes came through."""
        if self.names == "ext4":
            return i <= max(self.prefix, synced)
        if i <= synced:
            return True
        if i not in self.keep:
            self.keep[i] = self.rng.random() < {"none": 0.0, "all": 1.0}.get(self.data, 0.5)
        return self.keep[i]

    def torn(self, i, data):
        if i != self.disk.k - 1 or self.tear == "no" or len(data) < 2:
            return data
        n = self.rng.randrange(1, len(data))
        return data[:n // 512 * 512 if self.tear == "sector" else n]

    def content(self, obj):
        """The bytes of a file."""
        ops, safe = self.disk.ops, obj.synced
        if self.names == "ext4":
            pass  # a sync of another file takes sizes along, not data
        content = bytearray(obj.base)
        loose = [i for i in obj.ops if i > safe]
        level = {}

        def comes_through(i, unit_no):
            if self.data in ("none", "all"):
                return self.data == "all"
            if self.data == "write":
                if (i, 0) not in level:
                    level[i, 0] = self.rng.random() < 0.5
                return level[i, 0]
            if unit_no not in level:
                level[unit_no] = self.rng.choice([-1] + loose)
            return i <= level[unit_no]

        grown = self.rng.random() < 0.5  # a size may come through without its data
        for i in obj.ops:
            o = ops[i]
            if o.op == WRITE:
                data = self.torn(i, o.bytes)
                if i <= safe:
                    overlay(content, o.a, data)
                    continue
                unit = {"page": 4096, "sector": 512}.get(self.data, 1 << 40)
                for off, part in pieces(o.a, data, unit):
                    if comes_through(i, off // unit):
                        overlay(content, off, part)
                if grown and len(content) < o.a + len(data):
                    content.extend(bytes(o.a + len(data) - len(content)))
            elif o.op == CONTENT:
                if i <= safe or comes_through(i, -2):
                    content[:] = o.bytes
            elif self.kept(i, safe):
                if o.op == TRUNCATE:
                    del content[o.a:]
                if len(content) < o.a:
                    content.extend(bytes(o.a - len(content)))
        return bytes(content)

    def tree(self):
        """Names after the cut: {folder: {name: object}}."""
        disk, names = self.disk, {}
        for folder, name, obj in disk.old_names:
            names.setdefault(folder, {})[name] = obj
        for i in range(disk.k):
            o = disk.ops[i]
            if o.op not in NAMES_OF or o.obj is None or o.to is None:
                continue
            source = disk.objects.get(o.dir)
            if not self.kept(i, max(o.to.synced, source.synced if source else -1)):
                continue
            into = names.setdefault(o.to, {})
            if o.op == RENAME:
                old, new = o.bytes.split(b"\0")
                was = names.setdefault(source, {})
                if was.get(old.decode()) is o.obj:
                    del was[old.decode()]
                into[new.decode()] = o.obj
            elif o.op == UNLINK:
                if into.get(o.bytes.decode()) is o.obj:
                    del into[o.bytes.decode()]
            else:
                into[o.bytes.decode()] = o.obj
        return names

    def write(self, out, final=None):
        """Lay it out below `out`. `final`: the folder at the end of the recording, whose owners
        are taken over, and of whose mapped files the content may have come through."""
        names, rng = self.tree(), self.rng
        out = pathlib.Path(out)

        def lay(folder, path, depth):
            path.mkdir(parents=True, exist_ok=True)
            for name, obj in sorted(names.get(folder, {}).items()):
                here = path / name
                if obj.is_dir:
                    if depth < 16:
                        lay(obj, here, depth + 1)
                    continue
                there = final / here.relative_to(out) if final else None
                if obj.mapped:
                    raw = self.mapped(obj, there, rng)
                else:
                    raw = self.content(obj)
                here.write_bytes(raw)
                os.chmod(here, obj.mode)
                own(here, there)
            own(path, final / path.relative_to(out) if final else None)
        lay(self.disk.root, out, 0)

    def mapped(self, obj, there, rng):
        size = len(self.content(obj))
        now = there.read_bytes() if there and there.is_file() else b""
        if rng.random() < 0.5:
            return bytes(size)
        return now[:size] + bytes(max(0, size - len(now)))


def own(path, like):
    if like is not None and like.exists() and os.geteuid() == 0:
        st = like.stat()
        os.chown(path, st.st_uid, st.st_gid)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("base")
    p.add_argument("log")
    p.add_argument("out")
    p.add_argument("--at", type=int, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--data", choices=DATA_MODES)
    p.add_argument("--names", choices=NAME_MODES)
    p.add_argument("--final", type=pathlib.Path)
    a = p.parse_args()
    disk = Disk(Base(a.base), read_log(a.log), a.at)
    cut = Cut(disk, random.Random(a.seed), a.data, a.names)
    cut.write(a.out, a.final)
    print(cut.says)


if __name__ == "__main__":
    sys.exit(main())
