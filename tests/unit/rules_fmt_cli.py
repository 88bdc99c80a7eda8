#!/usr/bin/env python3
"""steelyard rules fmt over every rule file there is: rules_fmt_cli.py STEELYARD SOURCE-DIR

Each file goes into Chinese, English and Chinese again. What loads by itself keeps the hash of its
set and of each rule, and the same of its scenarios pass; the options do what --help says.
"""
import json
import os
import subprocess
import sys
import tempfile

steelyard, source = sys.argv[1:3]
shared = os.environ.get("SY_SHARED") or os.path.join(source, "..", "shared")
env = dict(os.environ, LC_ALL="C")


def call(*args, want=0):
    p = subprocess.run([steelyard, "rules", *args], capture_output=True, env=env, check=False)
    if p.returncode != want:
        sys.exit(f"rules {' '.join(args)}: exit {p.returncode}, not {want}\n"
                 f"{p.stdout.decode()[-2000:]}{p.stderr.decode()[-2000:]}")
    return p.stdout.decode()


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)


def passes(path):
    """What `rules test` says at its end: how many scenarios pass and fail."""
    p = subprocess.run([steelyard, "rules", "test", path], capture_output=True, env=env, check=False)
    return p.returncode, p.stdout.decode().splitlines()[-1:]


def loads(path):
    p = subprocess.run([steelyard, "rules", "check", "--json", path], capture_output=True, env=env,
                       check=False)
    d = json.loads(p.stdout)
    if p.returncode == 0:
        return d["set"], [(r["rule"], r["version"], r["judgement"], r["texts"]) for r in d["rules"]]
    codes = {f["code"] for f in d["findings"] if f["severity"] == "error"}
    if codes != {"unknown-rule"}:
        sys.exit(f"{path} does not load: {codes}")
    return None


def round_trip(path, dir):
    before, last = loads(path), path
    passed = passes(path) if before else None
    for step, language in enumerate(("zh", "en", "zh", "en")):
        to = os.path.join(dir, f"{step}.rules")
        write(to, call("fmt", "--language", language, last))
        if loads(to) != before:
            sys.exit(f"{path}: in {language} it is another set: {loads(to)} {before}")
        if before and passes(to) != passed:
            sys.exit(f"{path}: in {language} other scenarios pass: {passes(to)}, {passed}")
        call("fmt", "--check", "--language", language, to)
        last = to
    for a, b in ((0, 2), (1, 3)):
        if open(os.path.join(dir, f"{a}.rules"), "rb").read() != \
           open(os.path.join(dir, f"{b}.rules"), "rb").read():
            sys.exit(f"{path}: there and back is not the same")


def rule_files():
    for top in (os.path.join(shared, "rules"), os.path.join(source, "rules", "packs"),
                os.path.join(source, "tests", "rules")):
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(names):
                if name.endswith(".rules"):
                    yield os.path.join(folder, name)


def options(dir):
    good, bad = os.path.join(dir, "good.rules"), os.path.join(dir, "bad.rules")
    text = 'rule A version 1 "t"\n  basis "b" law\n  watch each room: temperature\n' \
           '  alert notice when temperature above 8 °C [law]\nend\n'
    write(good, text)
    call("fmt", "--check", good)
    assert call("fmt", good) == text
    loose = text.replace("\n  ", "\n ")
    write(good, loose)
    assert call("fmt", "--check", good, want=1) == good + "\n"
    assert open(good, encoding="utf-8").read() == loose
    os.chmod(good, 0o640)
    assert call("fmt", "--write", good) == good + "\n"
    assert open(good, encoding="utf-8").read() == text
    assert os.stat(good).st_mode & 0o777 == 0o640
    assert call("fmt", "--write", good) == ""
    write(bad, text.replace("temperature above", "temperture above"))
    call("fmt", "--write", good, bad, want=1)
    assert "temperture" in open(bad, encoding="utf-8").read()
    call("fmt", want=2)
    call("fmt", "--language", "fr", good, want=2)
    call("fmt", "--write", "--check", good, want=2)
    call("fmt", os.path.join(dir, "none.rules"), want=2)
    assert "--language" in call("fmt", "--help")


with tempfile.TemporaryDirectory() as dir:
    options(dir)
    n = 0
    for path in rule_files():
        round_trip(path, dir)
        n += 1
    print(f"{n} files")
    if n < 3:
        sys.exit("too few rule files were found")
