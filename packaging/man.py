#!/usr/bin/env python3
"""Manual pages from the program's own help: man.py FOLDER VERSION PROGRAM…

PROGRAM may be several words: what runs a program of another architecture comes first.
steelyard.1 lists the subcommands; steelyard-NAME.1 is the help of each. So they cannot say another
thing than the program does.
"""
import os
import pathlib
import re
import subprocess
import sys


def help_of(program, *words):
    done = subprocess.run([*program, *words, "--help"], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=30)
    if done.returncode != 0 or not done.stdout:
        sys.exit("man.py: %s --help failed: %s" % (" ".join(words), done.stderr))
    return done.stdout.rstrip()


def roff(text):
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + l if l[:1] in (".", "'") else l for l in lines)


def page(name, summary, version, body, see):
    return ('.TH "%s" 1 "" "steelyard %s" "Steelyard"\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n'
            ".nf\n%s\n.fi\n.SH SEE ALSO\n%s\n" %
            (name.upper(), version, roff(name), roff(summary), roff(body), see))


def main():
    folder, version, program = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    top = help_of(program)
    commands = re.findall(r"^  ([a-z]{2,}) +(\S.*)$", top, re.M)
    if len(commands) < 10:
        sys.exit("man.py: the help lists %d subcommands" % len(commands))
    see = ", ".join("steelyard\\-%s(1)" % name for name, _ in commands)
    (folder / "steelyard.1").write_text(
        page("steelyard", "gateway for market supervision", version, top, see))
    for name, summary in commands:
        (folder / ("steelyard-%s.1" % name)).write_text(
            page("steelyard-" + name, summary, version, help_of(program, name), "steelyard(1)"))


if __name__ == "__main__":
    main()
