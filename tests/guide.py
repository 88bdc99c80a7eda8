# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/guide-*.md as one shell script, for those who follow one: the package's
test in a fresh Debian, and the system test in a folder.

Blocks ```file NAME are written; ```sh are run line by line; ```sh setup gets the lines of ```answers on its standard input,
and what it prints is kept, so that PASSWORD is what it says. ```text is for people."""

import re

FENCE = re.compile(r"^```(\w+(?: [\w.-]+)?)\n(.*?)^```$", re.M | re.S)


def blocks(page):
    return FENCE.findall(page.read_text(encoding="utf-8"))


def commands(page):
    return [text for kind, text in blocks(page) if kind.startswith("sh")]


def script(page):
    """What the page says, after `set -e`; each command is shown before it runs."""
    parts = dict(blocks(page))
    lines = ["set -e", "PASSWORD=${PASSWORD:-unknown} ALERT=${ALERT:-unknown}"]
    for kind, text in blocks(page):
        if kind.startswith("file "):
            lines += ["cat >%s <<'END'" % kind[5:], text.rstrip("\n"), "END"]
        if not kind.startswith("sh"):
            continue
        for line in text.strip().splitlines():
            line = line.replace("-P PASSWORD", '-P "$PASSWORD"').replace(
                "evidence ALERT", 'evidence "$ALERT"')
            lines.append("printf '\\n$ %%s\\n' %s" % quoted(line))
            if kind == "sh setup":
                lines += ["%s >said.txt <<'ANSWERS' || { cat said.txt; exit 1; }" % line,
                          parts["answers"].rstrip("\n"), "ANSWERS", "cat said.txt",
                          "PASSWORD=$(grep -A 1 -e 'shown once' -e 仅显示一次 said.txt | "
                          "tail -n 1 | tr -d ' ')"]
            else:
                lines.append(line)
    return "\n".join(lines) + "\n"


def quoted(line):
    return "'" + line.replace("'", "'\\''") + "'"
