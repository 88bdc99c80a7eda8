# SPDX-License-Identifier: Apache-2.0
"""The fault shim (shim.h) from the side of a test: its environment and its control file."""

import mmap
import os
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
import steel  # noqa: E402

LIBRARY = str(steel.BUILD / "tests" / "libsy_fault.so")
FIELDS = ["room", "no_inodes", "wall_shift", "synced", "fail_kinds", "fail_after", "fail_times",
          "fail_errno", "alloc_after", "alloc_times", "die", "failed", "allocs"]
CALLS = ["open", "read", "write", "sync", "size", "name", "map"]
AT_REST = {"room": -1, "synced": -1}


class Control:
    """The control file, mapped: fields as attributes (`calls` counts by kind)."""

    def __init__(self, path):
        names = FIELDS + CALLS
        object.__setattr__(self, "at", {n: 8 * i for i, n in enumerate(names)})
        with open(path, "w+b") as f:
            f.write(bytes(8 * len(names)))
            f.flush()
            object.__setattr__(self, "memory", mmap.mmap(f.fileno(), 8 * len(names)))
        object.__setattr__(self, "path", path)
        self.rest()

    def rest(self):
        """Nothing fails; counts from 0."""
        for name in self.at:
            setattr(self, name, AT_REST.get(name, 0))

    def __getattr__(self, name):
        return struct.unpack_from("=q", self.memory, self.at[name])[0]

    def __setattr__(self, name, value):
        struct.pack_into("=q", self.memory, self.at[name], value)

    def fail_call(self, kinds, after, error, times=1):
        """The after-th call of these kinds from now on fails (error 0: is cut short)."""
        self.fail_after = 0
        self.fail_kinds = sum(1 << CALLS.index(k) for k in kinds)
        self.fail_errno, self.fail_times = error, times
        self.fail_after = after

    def fail_alloc(self, after, times=1):
        self.alloc_times = times
        self.alloc_after = after


def environment(folder, log=None, control=None, program="steelyard"):
    """What a process must inherit to be recorded, or to have its calls fail."""
    env = {"LD_PRELOAD": LIBRARY, "SY_FAULT_DIR": os.path.realpath(folder),
           "SY_FAULT_PROGRAM": program}
    if log:
        env["SY_FAULT_LOG"] = str(log)
    if control:
        env["SY_FAULT_CTL"] = str(control.path)
    return env
