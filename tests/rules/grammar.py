#!/usr/bin/env python3
"""The parser takes what docs/rules-grammar.md says: grammar.py STEELYARD SOURCE-DIR [COUNT]

The page's words are the lexer's, in both columns. Of random texts made from its EBNF none has an
error of form; of those made with a mind a good part loads as a whole, and then keeps its hash in
both languages. A page that says something else is caught.
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile

import generate

steelyard, source = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
env = dict(os.environ, LC_ALL="C")
FORM = {"syntax", "dash", "open-string", "unknown-unit", "bad-name", "name-taken", "name-swallows"}


def errors(path):
    p = subprocess.run([steelyard, "rules", "check", "--json", path], capture_output=True, env=env,
                       check=False)
    if p.returncode not in (0, 1):
        sys.exit(f"rules check: exit {p.returncode}: {p.stderr.decode()[-2000:]}")
    return [f for f in json.loads(p.stdout)["findings"] if f["severity"] == "error"]


def words_of_lexer():
    with open(os.path.join(source, "rules", "lex_words.def"), encoding="utf-8") as f:
        rows = re.findall(r'^SY_WORD\(\w+, "([^"]+)", "([^"]+)"', f.read(), re.M)
    return {en: zh.replace("~", "～").split("|") for en, zh in rows}


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def form_errors(grammar, seeds, wild, path):
    """(texts that load, complaints about form)"""
    loaded, bad = 0, []
    for seed in seeds:
        text = generate.make(grammar, seed, wild)
        write(path, text)
        found = errors(path)
        loaded += not found
        for e in found:
            if e["code"] in FORM:
                line = text.splitlines()[e["line"] - 1]
                bad.append(f"seed {seed}{' wild' if wild else ''}: {e['message']}\n"
                           f"    {line[:200]}\n    column {e['column']}")
        if not found:
            for language in ("en", "zh"):
                p = subprocess.run([steelyard, "rules", "fmt", "--language", language, path],
                                   capture_output=True, env=env, check=False)
                if p.returncode:
                    bad.append(f"seed {seed}: fmt --language {language}: {p.stderr.decode()}\n{text}")
    return loaded, bad


def main():
    grammar = generate.grammar()
    bad = list(generate.problems(grammar))
    table, lexer = generate.words(), words_of_lexer()
    bad += [f"'{w}': the page has {table.get(w)}, the lexer {lexer.get(w)}"
            for w in sorted(set(table) | set(lexer)) if table.get(w) != lexer.get(w)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rules")
        _, more = form_errors(grammar, range(count), True, path)
        loaded, most = form_errors(grammar, range(count), False, path)
        bad += more + most
        print(f"{2 * count} texts, {loaded} of {count} made with a mind load as a whole")
        if loaded < count * 2 // 5:
            bad.append(f"only {loaded} of {count} texts load as a whole")

        other = copy.deepcopy(grammar)  # a page that says something else
        other["say"] = ("all", [("word", "say"), ("word", "that"), ("name", "text")])
        if not form_errors(other, range(40), True, path)[1]:
            bad.append("a grammar with a phrase that the parser lacks is not caught")
    if bad:
        sys.exit("\n".join(bad[:20]))


main()
