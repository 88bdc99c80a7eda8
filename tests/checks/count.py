#!/usr/bin/env python3
"""Count what a ctest run did: count.py JUNIT.xml prints "passed failed skipped" and the failures.

A program of several tests (cmocka, unittest) counts as that many; any other as one.
"""
import re
import sys
import xml.etree.ElementTree as tree


def count(case):
    output = case.findtext("system-out") or ""
    ran = case.get("status") == "run"
    if case.get("status") in ("disabled", "notrun") or case.find("skipped") is not None:
        return 0, 0, 1
    passed = len(re.findall(r"^\[       OK \] ", output, re.M))
    skipped = len(re.findall(r"^\[  SKIPPED \] \w", output, re.M))
    failed = len(set(re.findall(r"^\[  FAILED  \] (\w+)$", output, re.M)))
    m = re.search(r"^Ran (\d+) tests? in ", output, re.M)
    if m:
        def number(word):
            found = re.search(rf"^(?:OK|FAILED) \(.*?{word}=(\d+)", output, re.M)
            return int(found.group(1)) if found else 0
        failed = number("failures") + number("errors")
        skipped = number("skipped")
        passed = int(m.group(1)) - failed - skipped
    if not passed + failed + skipped:
        return (1, 0, 0) if ran else (0, 1, 0)
    if not ran and not failed:  # it broke down beside its tests: a leak, a crash
        failed = 1
    return passed, failed, skipped


def main():
    totals = [0, 0, 0]
    bad = []
    for case in tree.parse(sys.argv[1]).getroot().iter("testcase"):
        c = count(case)
        totals = [a + b for a, b in zip(totals, c)]
        if c[1]:
            bad.append(case.get("name"))
    print(*totals, *bad)


if __name__ == "__main__":
    main()
