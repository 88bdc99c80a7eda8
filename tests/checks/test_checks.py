#!/usr/bin/env python3
"""The checks themselves: a small clean tree passes each, and each planted violation is caught."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import source  # noqa: E402

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
CLEAN = {
    "gateway/base/err.h": "/* Errors. Pure. */\n#ifndef A_H\n#define A_H\n#include <stddef.h>\n#endif\n",
    "gateway/base/os.h": "/* The system. */\n#ifndef B_H\n#define B_H\n#include <stdio.h>\n#endif\n",
    "rules/tree.h": "/* Trees. Pure. */\n#ifndef T_H\n#define T_H\n#include \"base/err.h\"\n#endif\n",
    "rules/tree.c": SPDX + '#include "rules/tree.h"\n\n#include <string.h>\n\nint sy_f(int a);\n'
                    "int sy_f(int a)\n{\n    return a + 1;\n}\n",
    "drivers/d.c": SPDX + '#include "base/os.h"\n#include "drivers/d.h"\n',
    "drivers/d.h": "#ifndef D_H\n#define D_H\n#endif\n",
    "gateway/run/r.c": SPDX + 'void f(void)\n{\n    sy_log(SY_LOG_INFO, "x-ready", "");\n}\n',
    "docs/log.md": "| event | level |\n|---|---|\n| `x-ready` | info |\n",
    "tests/unit/t.c": SPDX + "static void wait_ready(void)\n{\n    usleep(1000);\n}\n",
    "tests/system/t.py": "def wait_for(x):\n    while not x():\n        time.sleep(0.01)\n",
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 4\nBreakBeforeBraces: Linux\nSortIncludes: Never\nAllowShortFunctionsOnASingleLine: None\n",
}
# check, file, its new text, what the message says
PLANTED = [
    ("includes", "rules/tree.c", '#include "base/os.h"\n', "pure code may not include base/os.h"),
    ("includes", "rules/tree.c", '#include "store/store.h"\n', "rules/ may not include store"),
    ("includes", "rules/tree.c", "#include <time.h>\n", "pure code may not include <time.h>"),
    ("includes", "gateway/base/os.h", '#include "rules/tree.h"\n', "base/ may not include rules"),
    ("includes", "gateway/base/err.h", "/* Pure. */\n#include <unistd.h>\n", "pure code"),
    ("includes", "drivers/d.c", '  #  include "config/config.h"\n', "drivers/ may not include"),
    ("includes", "drivers/d.c", '#include "../gateway/x.h"\n', "climbs out"),
    ("includes", "drivers/d.c", "#include <sqlite3.h>\n", "belongs to gateway/store/"),
    ("includes", "gateway/config/load.c", "#include <libfyaml.h>\n", "belongs to gateway/config/yaml.c"),
    ("sizes", "drivers/d.c", SPDX + "\n" * 600, "601 lines, at most 600"),
    ("sizes", "drivers/d.h", "\n" * 201, "201 lines, at most 200"),
    ("sizes", "drivers/d.c", SPDX + "void f(void)\n{\n" + "    ;\n" * 99 + "}\n", "function of 101"),
    ("sleeps", "tests/unit/t.c", "static void send(void)\n{\n    sleep(1);\n}\n", "fixed sleep"),
    ("sleeps", "tests/system/t.py", "def test_x():\n    time.sleep(2)\n", "fixed sleep"),
    ("events", "drivers/d.c", SPDX + 'int x = sy_log(SY_LOG_INFO, "boo", "");\n', "'boo' is not in"),
    ("events", "docs/log.md", "| `x-ready`, `x-gone` | info |\n", "nothing logs 'x-gone'"),
    ("text", "drivers/d.c", SPDX + "/* " + "TO" + "DO: later */\n", "leftover"),
    ("text", "drivers/d.c", "int x;\n", "license"),
    ("headers", "drivers/d.h", "size_t n;\n", "does not compile alone"),
    ("format", "drivers/d.c", SPDX + "int   x;\n", "not laid out"),
]


def make(root, tree):
    for name, text in tree.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def archive(root, text):
    """A library of one object that was compiled from this text."""
    make(root, {"pure.c": text})
    subprocess.run(["gcc", "-O1", "-fno-builtin", "-c", "pure.c", "-o", "pure.o"], cwd=root, check=True)
    subprocess.run(["ar", "rc", "libpure.a", "pure.o"], cwd=root, check=True)
    return os.path.join(root, "libpure.a")


class Checks(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        with tempfile.TemporaryDirectory() as root:
            make(root, CLEAN)
            for name in ("includes", "sizes", "sleeps", "text", "headers", "format"):
                self.assertEqual(list(source.CHECKS[name](root)), [], name)

    def test_each_planted_violation_is_caught(self):
        for check, name, text, message in PLANTED:
            with self.subTest(check=check, message=message), \
                    tempfile.TemporaryDirectory() as root:
                make(root, {**CLEAN, name: text})
                found = list(source.CHECKS[check](root))
                self.assertTrue(any(message in f and f.startswith(name) for f in found), found)

    def test_symbols(self):
        cases = [("#include <string.h>\nunsigned long f(const char *s){return strlen(s);}", None),
                 ("#include <time.h>\nlong f(void){return (long)time(0);}", "calls time"),
                 ("#include <stdlib.h>\nvoid *f(void){return malloc(3);}", "calls malloc"),
                 ("#include <math.h>\ndouble f(double x){return exp(x);}", "calls exp")]
        for text, message in cases:
            with self.subTest(message=message), tempfile.TemporaryDirectory() as root:
                found = list(source.check_symbols(root, archive(root, text)))
                if message:
                    self.assertTrue(any(message in f for f in found), found)
                else:
                    self.assertEqual(found, [])

    def test_symbols_of_nothing_is_a_violation(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertTrue(list(source.check_symbols(root, archive(root, "typedef int t;"))))

    def test_the_tool_exits_1(self):
        with tempfile.TemporaryDirectory() as root:
            make(root, {**CLEAN, "drivers/d.h": "\n" * 201})
            tool = [sys.executable, source.__file__, "sizes", "--root", root]
            self.assertEqual(subprocess.run(tool, capture_output=True).returncode, 1)
            make(root, CLEAN)
            self.assertEqual(subprocess.run(tool, capture_output=True).returncode, 0)


if __name__ == "__main__":
    unittest.main()
