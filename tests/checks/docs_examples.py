#!/usr/bin/env python3
"""The examples of the pages in docs/ are run, and what the pages list is what the code knows.

usage: docs_examples.py STEELYARD [--root DIR] [--show] [--tag]

A fenced block of a page is
  ```rules           loads without error, its scenarios pass; a part of a rule (no `rule` at its
                     head) is put into the page's ```rules-template, whose clauses of the same kind
                     it replaces
  ```rules-unjudged  loads without error, and `rules test` says that it is not judged; the page
                     says so in the next line
  ```rules-error     is refused; each line of the block that follows stands in the message, and as
                     many errors are quoted there as come
X.md and X.zh.md hold the same examples in the same order: equal judgement hashes, equal codes of
errors, equally many scenarios, one grammar. The tables between <!-- words: begin --> and
<!-- words: end --> (also units, codes) hold what rules/ declares, no more and no less.
--show prints what the tool says of each ```rules-error; --tag rewrites the pages so that what is
judged is tagged rules, and what is not rules-unjudged. One line a violation; exit 1 where there are
any.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```([\w-]*)[ \t]*$")
REMARK = {"en": "*Not judged by this version: such a rule loads, and is listed as not watched, with "
                "the reason.*",
          "zh": "*本版本尚不判定：这样的规则可以装载，但列为不予监测，并说明原因。*"}
# A page's example need not show both sides, nor the official text; more is a mistake.
HARMLESS = {"no-scenario", "unverified", "unused"}


class Words:
    """The keywords of rules/lex_words.def."""

    def __init__(self, root):
        with open(os.path.join(root, "rules/lex_words.def"), encoding="utf-8") as f:
            text = f.read()
        self.all = [(i, en.split("|"), zh.split("|"), {x.strip() for x in flags.split("|")})
                    for i, en, zh, flags in
                    re.findall(r'SY_WORD\((\w+), "([^"]+)", "([^"]+)", ([^)]+)\)', text)]

    def head(self, line, *flags):
        """The keyword with one of the flags that a line begins with, or None."""
        line, best = line.strip(), (0, None)
        for ident, en, zh, own in self.all:
            for word in en + zh:
                whole = line.startswith(word) and not (
                    word.isascii() and re.match(r"[\w-]", line[len(word):]))
                if own & set(flags) and whole and len(word) > best[0]:
                    best = (len(word), ident)
        return best[1]


class Block:
    def __init__(self, page, line, kind, text):
        self.page, self.line, self.kind, self.text = page, line, kind, text
        self.hashes = self.codes = self.grammar = None
        self.end, self.after, self.turns = 0, "", False
        self.scenarios = 0

    @property
    def where(self):
        return f"{self.page}:{self.line}"


def blocks_of(page, text):
    found, start, kind, body = [], None, None, []
    for number, line in enumerate(text.splitlines(), 1):
        m = FENCE.match(line)
        if start is None and m:
            start, kind, body = number, m.group(1), []
        elif start is not None and line.strip() == "```":
            found.append(Block(page, start, kind, "\n".join(body) + "\n"))
            found[-1].end = number
            found[-1].after = "\n".join(text.splitlines()[number:number + 2]).strip()
            start = None
        elif start is not None:
            body.append(line)
    return found


def whole(text, template, words):
    """The text of a file of rules: the example itself, or the template with the example in it."""
    lines = text.splitlines()
    first = next((x for x in lines if x.strip() and not x.strip().startswith("#")), "")
    if words.head(first, "TOP"):
        return text
    after = next((i for i, x in enumerate(lines) if words.head(x, "TOP")), len(lines))
    part, rest = lines[:after], lines[after:]
    own = {words.head(x, "HEAD") for x in part} - {None}
    head, *clauses, end = template.strip().splitlines()
    kept = [x for x in clauses if words.head(x, "HEAD") not in own]
    before = [x for x in kept if words.head(x, "HEAD") != "ALERT"]
    alerts = [x for x in kept if words.head(x, "HEAD") == "ALERT"]
    return "\n".join([head, *before, *part, *alerts, end, *rest]) + "\n"


def language_of(page):
    return "zh" if page.endswith(".zh.md") else "en"


def tool(args, *command, language="en"):
    env = dict(os.environ, LC_ALL="zh_CN.UTF-8" if language == "zh" else "C", LANGUAGE="")
    r = subprocess.run([args.steelyard, "rules", *command], capture_output=True, env=env, timeout=60)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def findings_of(args, path):
    _, out, err = tool(args, "check", "--json", path)
    try:
        return json.loads(out)
    except ValueError:
        return {"findings": [{"severity": "error", "code": "tool", "message": err or out}],
                "rules": []}


def run_example(args, block, text, path):
    found = findings_of(args, path)
    for f in found["findings"]:
        if f["severity"] == "error" or (f["severity"] == "warning" and f["code"] not in HARMLESS):
            yield f"{block.where}: {f['code']}: {f['message']} ({f.get('line')}:{f.get('column')})"
    block.hashes = [r["judgement"] for r in found["rules"]]
    with open(path, "a", encoding="utf-8") as f:
        f.write(probe(text, args.words))
    rc, out, err = tool(args, "test", path)
    unjudged = re.search(r"(is|are) not judged", out) is not None
    block.turns = unjudged != (block.kind == "rules-unjudged")
    if block.kind == "rules" and unjudged:
        yield f"{block.where}: it is not judged: run with --tag\n{out}"
    elif block.kind == "rules" and rc:
        yield f"{block.where}: a scenario fails:\n{out}{err}"
    if block.kind == "rules-unjudged" and not unjudged:
        yield f"{block.where}: it is judged: run with --tag\n{out}{err}"
    if block.kind == "rules-unjudged" and block.after != REMARK[language_of(block.page)]:
        yield f"{block.where}: the page does not say that it is not judged"


def probe(text, words):
    """A scenario of no readings for each rule without one: it shows what is not judged."""
    lines, out = text.splitlines(), ""
    tested = {re.split(r"\W*(?:tests|检验)\W+", x)[-1].strip() for x in lines
              if words.head(x, "TOP") == "SCENARIO"}
    ident = None
    for line in lines:
        if words.head(line, "TOP") == "RULE":
            ident = line.split()[1]
        if words.head(line, "HEAD") == "WATCH" and ident not in tested:
            driver = re.split("[,、，]", re.split("[:：]", line, maxsplit=1)[1])[0].strip()
            out += (f'scenario "probe" tests {ident}\n  at 00:00: {driver} has no data\n'
                    "  expect no alert until 00:00\nend\n")
            tested.add(ident)
    return out


def run_error(args, block, quoted, path, language):
    block.codes = sorted(f["code"] for f in findings_of(args, path)["findings"]
                         if f["severity"] == "error")
    _, out, err = tool(args, "check", path, language=language)
    said = out + err
    if args.show:
        print(f"--- {block.where}\n{said}")
    lines = [x.strip() for x in quoted.text.splitlines() if x.strip()] if quoted else []
    sign = "错误：" if language == "zh" else "error: "
    if not block.codes:
        yield f"{block.where}: is not refused"
    if not lines:
        yield f"{block.where}: no block follows that quotes the message"
    for line in lines:
        if line not in said:
            yield f"{block.where}: the message does not say: {line}\n{said}"
    if sum(sign in x for x in lines) != len(block.codes):
        yield f"{block.where}: {len(block.codes)} errors come, not all are quoted\n{said}"


def check_page(args, page, words, folder):
    with open(os.path.join(args.root, page), encoding="utf-8") as f:
        text = f.read()
    language = language_of(page)
    blocks = blocks_of(page, text)
    template = next((b.text for b in blocks if b.kind == "rules-template"), None)
    found, examples = [], []
    for i, b in enumerate(blocks):
        if b.kind == "ebnf":
            b.grammar = b.text
            examples.append(b)
        if b.kind not in ("rules", "rules-unjudged", "rules-error"):
            continue
        examples.append(b)
        b.scenarios = sum(words.head(x, "TOP") == "SCENARIO" for x in b.text.splitlines())
        if template is None and not words.head(b.text, "TOP"):
            found.append(f"{b.where}: a part of a rule, and the page has no template")
            continue
        path = os.path.join(folder, "example.rules")
        example = whole(b.text, template or "\n", words)
        with open(path, "w", encoding="utf-8") as f:
            f.write(example)
        quoted = blocks[i + 1] if i + 1 < len(blocks) else None
        found += run_error(args, b, quoted, path, language) if b.kind == "rules-error" else \
            run_example(args, b, example, path)
    if args.tag and any(b.turns for b in blocks):
        retag(os.path.join(args.root, page), text, blocks, REMARK[language])
    return text, examples, found


def retag(path, text, blocks, remark):
    lines = text.splitlines()
    for b in reversed([b for b in blocks if b.turns]):
        judged = b.kind == "rules-unjudged"
        lines[b.line - 1] = "```rules" if judged else "```rules-unjudged"
        if not judged:
            lines[b.end:b.end] = ["", remark]
        elif b.after == remark:
            del lines[b.end:b.end + 2]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def check_pair(one, other):
    if len(one) != len(other):
        yield f"{one[0].page}: {len(one)} examples, {other[0].page}: {len(other)}"
    for a, b in zip(one, other):
        for what in ("kind", "hashes", "codes", "scenarios", "grammar"):
            if getattr(a, what) != getattr(b, what):
                yield f"{a.where} and {b.where} differ in their {what}"


def table(text, name):
    """Of each row of a marked table: what stands in code spans, cell by cell."""
    m = re.search(rf"<!-- {name}: begin -->(.*?)<!-- {name}: end -->", text, re.S)
    if not m:
        return None
    rows = [x.strip().strip("|").split("|") for x in m.group(1).splitlines() if x.startswith("|")]
    return [r for r in ([set(re.findall(r"`([^`]+)`", cell)) for cell in row] for row in rows)
            if any(r)]


def check_sets(page, what, listed, known):
    for row in listed:
        if row not in known:
            yield f"{page}: {what}: rules/ does not know {' '.join(sorted(row))}"
    for row in known:
        if row not in listed:
            yield f"{page}: {what}: not listed: {' '.join(sorted(row))}"


def check_grammar(page, examples, words):
    quoted = {w for b in examples if b.grammar for w in re.findall(r'"([a-z][a-z ]+)"', b.grammar)}
    known = {en[0] for _, en, _, _ in words.all}
    yield from (f"{page}: grammar: '{w}' is no keyword" for w in sorted(quoted - known))
    yield from (f"{page}: grammar: the keyword '{w}' is not in it" for w in sorted(known - quoted))


def units_of(root):
    with open(os.path.join(root, "rules/units.def"), encoding="utf-8") as f:
        rows = re.findall(r'^SY_(?:UNIT|OWN)\((.*)\)$', f.read(), re.M)
    tags = {}
    for row in rows:
        ident, tag, _, en, zh, _, more = re.findall(r'"([^"]*)"', row)
        tags.setdefault(tag, set()).update([ident, en, zh, *more.split()])
    return list(tags.values())


def codes_of(root):
    """The codes of findings that the library reports."""
    calls = re.compile(r'\b(?:\w*_)?(?:fail|error|refuse|whole|say|add)\('
                       r'(?:[^"();]|\([^"();]*\))*"([a-z]+(?:-[a-z]+)*)"')
    found = set()
    for path in glob.glob(os.path.join(root, "rules/*.c")):
        with open(path, encoding="utf-8") as f:
            found.update(calls.findall(f.read()))
    return found


def check_tables(root, page, text, examples, words):
    listed = table(text, "words")
    if listed is not None:
        yield from check_sets(page, "words", [row[0] | row[1] for row in listed],
                              [set(en + zh) for _, en, zh, _ in words.all])
        yield from check_grammar(page, examples, words)
    listed = table(text, "units")
    if listed is not None:
        yield from check_sets(page, "units", [row[-1] for row in listed], units_of(root))
    listed = table(text, "codes")
    if listed is not None:
        yield from check_sets(page, "codes", [{c} for row in listed for c in row[0]],
                              [{c} for c in codes_of(root)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("steelyard")
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "../.."))
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--tag", action="store_true")
    args = parser.parse_args()
    words, pages, found = Words(args.root), {}, []
    args.words = words
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(glob.glob(os.path.join(args.root, "docs/*.md"))):
            page = os.path.relpath(path, args.root)
            text, examples, wrong = check_page(args, page, words, folder)
            found += wrong
            found += check_tables(args.root, page, text, examples, words)
            pages[page] = examples
    for page, examples in pages.items():
        if page.endswith(".zh.md"):
            found += check_pair(pages.get(page[:-6] + ".md", []), examples)
    print("\n".join(found) if found else
          f"{sum(b.kind.startswith('rules') for v in pages.values() for b in v)} examples")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
