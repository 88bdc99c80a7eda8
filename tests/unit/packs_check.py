# SPDX-License-Identifier: Apache-2.0
"""The packs that ship, as a regulator would check them: packs_check.py STEELYARD check|test|mutate

Both languages of every pack load together without a finding but `unverified`; each rule says the
same in both, has a title, a basis, a `say`, and scenarios that alert and that do not; docs/packs.md
lists it, and fmt would change nothing. Every scenario passes in both languages, and each step away from a rule is noticed."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKS = ROOT / "rules" / "packs"
MIN_RULES = 40
MIN_FIELDS = 10


def files(lang):
    return sorted(PACKS.glob("*.%s.rules" % lang))


def steelyard(*args, fine=(0,)):
    done = subprocess.run([sys.argv[1], "rules", *map(str, args)], capture_output=True, text=True)
    if done.returncode not in fine:
        sys.exit("rules %s: exit %d\n%s%s" % (args[0], done.returncode, done.stdout[-3000:],
                                              done.stderr[-3000:]))
    return done


def blocks(path, rule, scenario, tests):
    """Per rule id: its text, and the texts of its scenarios."""
    rules, scenarios = {}, {}
    for text in re.split(r"\n(?=%s |%s )" % (rule, scenario), path.read_text(encoding="utf-8")):
        head = text.split("\n", 1)[0]
        if text.startswith(rule + " "):
            rules[head.split()[1]] = text
        elif text.startswith(scenario + " "):
            scenarios.setdefault(re.search(tests + r" (\S+)$", head)[1], []).append(text)
    return rules, scenarios


def one_pair(en, zh, doc, problems):
    rules, scenarios = blocks(en, "rule", "scenario", "tests")
    zh_rules, zh_scenarios = blocks(zh, "规则", "情景", "检验")
    if list(rules) != list(zh_rules):
        problems.append("%s and %s do not hold the same rules" % (en.name, zh.name))
    for name in rules:
        mine, theirs = scenarios.get(name, []), zh_scenarios.get(name, [])
        if len(mine) != len(theirs):
            problems.append("%s: %d scenarios, %d in Chinese" % (name, len(mine), len(theirs)))
        if not any("expect alert" in s for s in mine):
            problems.append("%s: no scenario alerts" % name)
        if not any("expect no alert" in s and "expect alert" not in s for s in mine):
            problems.append("%s: no scenario stays quiet" % name)
        for word in ("  basis ", "  applies to ", "  effective ", "  then tell", "  say "):
            if word not in rules[name]:
                problems.append("%s: no '%s'" % (name, word.strip()))
        if "| %s |" % name not in doc:
            problems.append("%s: not in docs/packs.md" % name)
    return list(rules)


def check():
    done = steelyard("check", "--json", *files("en"), *files("zh"))
    report = json.loads(done.stdout)
    problems = ["%s:%s: %s" % (f.get("file"), f.get("line"), f.get("code"))
                for f in report["findings"] if f["code"] != "unverified"]
    doc = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
    ids = []
    if [p.name[:-9] for p in files("en")] != [p.name[:-9] for p in files("zh")]:
        problems.append("not every pack is there in both languages")
    else:
        for en, zh in zip(files("en"), files("zh")):
            ids += one_pair(en, zh, doc, problems)
    # The same id and version in two languages is one rule only where the judgement is the same.
    if sorted(ids) != sorted(r["rule"] for r in report["rules"]):
        problems.append("the rules that load are not those of the files")
    for r in report["rules"]:
        if not r["title"] or not r["title_zh"] or r["title"] == r["title_zh"]:
            problems.append("%s: a title is missing or not translated" % r["rule"])
    listed = re.findall(r"^\| ([A-Z][A-Z0-9-]+) \|", doc, re.M)
    if sorted(listed) != sorted(ids):
        problems.append("docs/packs.md lists what is not there: %s" % (set(listed) - set(ids)))
    steelyard("fmt", "--check", *files("en"), *files("zh"))
    if len(ids) < MIN_RULES or len(files("en")) < MIN_FIELDS:
        problems.append("%d rules of %d fields" % (len(ids), len(files("en"))))
    if problems:
        sys.exit("\n".join(problems))
    print("%d rules of %d fields" % (len(ids), len(files("en"))))


def main():
    if sys.argv[2] == "check":
        check()
    elif sys.argv[2] == "test":
        print(steelyard("test", *files("en"), *files("zh")).stdout.splitlines()[-1])
    else:
        print(steelyard("mutate", "--at-least", "95", *files("en")).stdout.splitlines()[-1])


main()
