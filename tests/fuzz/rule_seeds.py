#!/usr/bin/env python3
"""What the fuzzers of rule texts begin with: rule_seeds.py FOLDER

FOLDER/seeds gets each rule of the rule files of this repository as a file of its own, and again with
the scenarios behind it, as many as fit; FOLDER/rules.dict the words of both languages,
signs and units.
"""
import hashlib
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOP = re.compile(r"^(?=(?:rule|scenario|tune|规则|情景|调整)\b)", re.M)
MOST = 4096


def texts():
    for top in ("tests/rules", "rules/packs"):
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
            for name in sorted(names):
                if name.endswith(".rules"):
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        yield f.read()


def seeds():
    for text in texts():
        whole = ""
        for item in TOP.split(text):
            starts = item.startswith(("rule", "规则"))
            if starts:
                yield item
            if starts or len((whole + item).encode()) > MOST:
                yield whole
                whole = item if starts else ""
            else:
                whole += item
        yield whole


def words():
    with open(os.path.join(ROOT, "rules", "lex_words.def"), encoding="utf-8") as f:
        for en, zh in re.findall(r'^SY_WORD\(\w+, "([^"]+)", "([^"]+)"', f.read(), re.M):
            yield from [en, *zh.split("|")]
    with open(os.path.join(ROOT, "rules", "units.def"), encoding="utf-8") as f:
        for en, zh in re.findall(r'^SY_\w+\("[^"]*", "[^"]*", "[^"]*", "([^"]+)", "([^"]+)"', f.read(),
                                 re.M):
            yield from (en, zh)
    yield from ("：", "；", "，", "（", "）", "【", "】", "、", "“", "”", "～", "＃", "·", "10", "2026-01-01",
                "08:00", "24:00", "-", "temperature", "温度", "door", "库门", "open", "打开", "refuel", "加油")


def main():
    folder = sys.argv[1]
    os.makedirs(os.path.join(folder, "seeds"), exist_ok=True)
    for text in seeds():
        data = text.encode()
        if data.strip() and len(data) <= MOST:
            name = hashlib.sha256(data).hexdigest()[:16]
            with open(os.path.join(folder, "seeds", name), "wb") as f:
                f.write(data)
    with open(os.path.join(folder, "rules.dict"), "w", encoding="ascii") as f:
        for word in sorted(set(words())):
            f.write('"' + "".join(f"\\x{b:02x}" for b in word.encode()) + '"\n')


main()
