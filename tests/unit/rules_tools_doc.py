# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/rules-tools.md: rules_tools_doc.py STEELYARD [--write]

Blocks "file NAME" are written to a folder; in blocks "console" each line after "$ " is run there and
must print what stands below it, numbers of bytes aside. With --write the page gets what is printed."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "rules-tools.md"


def steady(text):
    return re.sub(r"[1-9][0-9]* bytes", "N bytes", text)


def main():
    text = PAGE.read_text(encoding="utf-8")
    steelyard = os.path.abspath(sys.argv[1])
    wrong = ran = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, body in re.findall(r"^```file (\S+)\n(.*?)^```", text, re.M | re.S):
            (pathlib.Path(folder) / name).write_text(body, encoding="utf-8")

        def run(match):
            nonlocal wrong, ran
            command = match[1].split()
            assert command[0] == "steelyard", command
            done = subprocess.run([steelyard, *command[1:]], cwd=folder, capture_output=True,
                                  encoding="utf-8", env={**os.environ, "LC_ALL": "C.UTF-8"})
            ran += 1
            if done.returncode != 0 or steady(done.stdout) != steady(match[2]):
                wrong += 1
                print("%s: exit %d\n%s%s" % (match[1], done.returncode, done.stdout, done.stderr))
            return "```console\n$ %s\n%s```" % (match[1], done.stdout)

        made = re.sub(r"^```console\n\$ (.*)\n((?:.*\n)*?)```", run, text, flags=re.M)
    if sys.argv[2:] == ["--write"]:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if ran < 4:
        print("only %d examples" % ran)
    return 1 if wrong or ran < 4 else 0


sys.exit(main())
