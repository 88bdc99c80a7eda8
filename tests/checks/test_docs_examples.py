#!/usr/bin/env python3
"""The check on the pages itself: a small clean page passes, and each planted violation is caught.

usage: test_docs_examples.py STEELYARD
"""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
STEELYARD = os.path.abspath(sys.argv.pop(1))
EN = '''# Page
```rules-template
rule EXAMPLE version 1 "Example"
  basis "An example" policy
  watch each room: temperature
  alert serious when temperature above 8 °C [law] for 10 min
end
```
```rules
  missing after 3 min

scenario "ten minutes" tests EXAMPLE
  from 08:00 to 08:10 every 1 min: temperature 9 °C
  expect alert serious at 08:10
end
```
```rules-error
  alert serious when temperature above 8 °C for 10 min
```
```text
error: a limit in an alert needs its origin
```
'''
ZH = '''# 页
```rules-template
规则 EXAMPLE 版本 1 “示例”
  依据 “示例” 裁量
  监测每个库房：温度
  报警 严重 当温度高于8℃【法定】持续10分钟
结束
```
```rules
  缺数据超过3分钟

情景 “十分钟” 检验 EXAMPLE
  自 08:00 至 08:10 每隔1分钟：温度9℃
  预期 报警 严重 在 08:10
结束
```
```rules-error
  报警 严重 当温度高于8℃持续10分钟
```
```text
错误：报警条件中的限值须注明来源
```
'''
# page, what is replaced by what, what the check says
PLANTED = [
    ("en", "missing after 3 min", "missing after 3 mim", "unknown-unit"),
    ("en", "serious at 08:10", "serious at 08:09", "a scenario fails"),
    ("en", "°C for 10 min\n```\n", "°C [law] for 10 min\n```\n", "is not refused"),
    ("en", "error: a limit", "error: the limit", "does not say"),
    ("en", "error: a limit", "a limit", "1 errors come, not all are quoted"),
    ("en", "```text", "```rules", "syntax"),
    ("en", "```rules-template", "```text", "no template"),
    ("en", "```rules\n", "```rules-unjudged\n", "it is judged: run with --tag"),
    ("zh", "缺数据超过3分钟", "缺数据超过4分钟", "differ in their hashes"),
    ("zh", "当温度高于8℃持续", "当温度高于8持续", "differ in their codes"),
    ("zh", "```rules-error", "```text", "examples"),
    ("en", "# Page", "<!-- words: begin -->\n| `rule` | `规则` |\n<!-- words: end -->", "not listed"),
    ("en", "# Page", "<!-- words: begin -->\n| `rules` | `规则` |\n<!-- words: end -->",
     "does not know rules"),
    ("en", "# Page", "<!-- words: begin -->\n| `rule` | `规则` |\n<!-- words: end -->",
     "the keyword 'scenario' is not in it"),
    ("en", "# Page", "<!-- units: begin -->\n| time | `s` `秒` |\n<!-- units: end -->", "not listed"),
    ("en", "# Page", "<!-- codes: begin -->\n| `nonsense` | x |\n<!-- codes: end -->",
     "does not know nonsense"),
]


def run(en, zh):
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "docs"))
        os.symlink(os.path.join(HERE, "../../rules"), os.path.join(root, "rules"))
        for name, text in (("page.md", en), ("page.zh.md", zh)):
            with open(os.path.join(root, "docs", name), "w", encoding="utf-8") as f:
                f.write(text)
        r = subprocess.run([sys.executable, os.path.join(HERE, "docs_examples.py"), STEELYARD,
                            "--root", root], capture_output=True, timeout=60)
        return r.returncode, r.stdout.decode() + r.stderr.decode()


class Test(unittest.TestCase):
    def test_clean(self):
        self.assertEqual(run(EN, ZH), (0, "4 examples\n"))

    def test_planted(self):
        for page, old, new, says in PLANTED:
            with self.subTest(says):
                self.assertIn(old, EN if page == "en" else ZH)
                rc, out = run(EN.replace(old, new) if page == "en" else EN,
                              ZH.replace(old, new) if page == "zh" else ZH)
                self.assertEqual(rc, 1, out)
                self.assertIn(says, out)


if __name__ == "__main__":
    unittest.main()
