#!/usr/bin/env python3
"""steelyard rules tree: rules_tree_cli.py STEELYARD SOURCE-DIR

The JSON of every rule file fits the schema; a translation gives the same tree but for texts and
places; the schema refuses a tree that lacks a member or has one too many.
"""
import copy
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    jsonschema = None

steelyard, source = sys.argv[1:3]
shared = os.environ.get("SY_SHARED") or os.path.join(source, "..", "shared")
env = dict(os.environ, LC_ALL="C")


def call(*args, want=0):
    p = subprocess.run([steelyard, "rules", *args], capture_output=True, env=env, check=False)
    if p.returncode != want:
        sys.exit(f"rules {' '.join(args)}: exit {p.returncode}, not {want}: {p.stderr.decode()}")
    return p.stdout.decode()


with open(os.path.join(source, "docs", "rules-tree.schema.json"), encoding="utf-8") as f:
    schema = json.load(f)
if jsonschema:
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)


def faults(tree):
    if not jsonschema:
        return []
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
            for e in validator.iter_errors(tree)]


def tree_of(*paths):
    tree = json.loads(call("tree", *paths))
    found = faults(tree)
    if found:
        sys.exit(f"{paths}: not as the schema says:\n" + "\n".join(found[:5]))
    return tree


def bare(node, key=None):
    """Without what a translation changes."""
    if isinstance(node, dict):
        return {k: bare(v, k) for k, v in node.items()
                if k not in ("place", "title", "text", "clause", "say", "texts", "set", "reason")}
    return [bare(v) for v in node] if isinstance(node, list) else node


def loadable(path):
    return subprocess.run([steelyard, "rules", "check", path], capture_output=True, env=env,
                          check=False).returncode == 0


def everything():
    for top in (os.path.join(shared, "rules"), os.path.join(source, "rules", "packs"),
                os.path.join(source, "tests", "rules")):
        for folder, _, names in sorted(os.walk(top)):
            yield from (os.path.join(folder, n) for n in sorted(names) if n.endswith(".rules"))


with tempfile.TemporaryDirectory() as dir:
    n = 0
    for path in everything():
        if not loadable(path):
            continue
        n += 1
        tree = tree_of(path)
        other = os.path.join(dir, "other.rules")
        language = "en" if ".zh." in path else "zh"
        with open(other, "w", encoding="utf-8") as f:
            f.write(call("fmt", "--language", language, path))
        if bare(json.loads(call("tree", other))) != bare(tree):
            sys.exit(f"{path}: in {language} it is another tree")
    if n < 1:
        sys.exit("no rule file was found")

    good = os.path.join(dir, "good.rules")
    with open(good, "w", encoding="utf-8") as f:
        f.write('rule A version 1 "t"\n  basis "b" law\n  watch each room: temperature\n'
                '  alert notice when temperature above -0.05 °C [law] for 10 min\nend\n')
    [rule] = tree_of(good)["rules"]
    when = rule["alerts"][0]["when"]
    assert (when["op"], when["a"]["number"], when["a"]["unit"]) == ("above", -0.05, "degC"), when
    assert when["a"]["origin"] == "law" and when["place"]["line"] == 4, when
    assert when["hold"]["length"]["number"] == 10, when
    assert '"number": -0.05' in call("tree", good)
    if jsonschema:
        for spoil in (lambda t: t["rules"][0].pop("say"),
                      lambda t: t["rules"][0].update(extra=1),
                      lambda t: t["rules"][0]["alerts"][0]["when"].update(op="beside"),
                      lambda t: t["rules"][0]["alerts"][0]["when"]["a"].pop("origin")):
            tree = copy.deepcopy(tree_of(good))
            spoil(tree)
            assert faults(tree), "the schema takes anything"
    with open(good, "a", encoding="utf-8") as f:
        f.write("nonsense\n")
    assert call("tree", good, want=1) == ""
    call("tree", want=2)
    call("tree", "--bogus", good, want=2)
    call("tree", os.path.join(dir, "none.rules"), want=2)
if not jsonschema:
    print("python3-jsonschema is not installed: the schema was not looked at")
print(f"{n} files")
