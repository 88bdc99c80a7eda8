#!/usr/bin/env python3
"""Random rule texts from the grammar of docs/rules-grammar.md.

usage: generate.py [--count N] [--seed S] [--wild] [--out FOLDER]

The EBNF of that page is walked: what the page says is what is made, so a phrase that the page has
and the parser lacks (or the other way round, see words()) shows. Names, units and numbers are drawn
so that many texts also make sense; with --wild only their kinds are right, and every way of the
grammar is taken.
"""
import argparse
import os
import random
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(ROOT, "docs", "rules-grammar.md")
TOKEN = re.compile(r"""\s+|\(\*.*?\*\)|"(?P<word>[^"]+)"|(?P<name>[a-z][a-z-]*)|\?(?P<prose>[^?]*)\?"""
                   r"""|(?P<sign>[=;|()\[\]{}])""", re.S)


# The grammar: ("word", text), ("name", text), ("prose", text), ("all", [..]), ("one", [..]),
# ("maybe", x), ("many", x).

def tokens(text):
    at = 0
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise ValueError(f"no EBNF: {text[at:at + 40]!r}")
        at = m.end()
        if m.lastgroup:
            yield m.lastgroup, m.group(m.lastgroup)


class Reader:
    """One EBNF block."""

    def __init__(self, text):
        self.left = list(tokens(text))

    def sign(self, c):
        if self.left and self.left[0] == ("sign", c):
            self.left.pop(0)
            return True
        return False

    def need(self, c):
        if not self.sign(c):
            raise ValueError(f"expected {c} before {self.left[:3]}")

    def item(self):
        if self.sign("("):
            inside = self.choice()
            self.need(")")
            return inside
        if self.sign("["):
            inside = ("maybe", self.choice())
            self.need("]")
            return inside
        if self.sign("{"):
            inside = ("many", self.choice())
            self.need("}")
            return inside
        kind, text = self.left.pop(0)
        if kind == "sign":
            raise ValueError(f"unexpected {text} before {self.left[:3]}")
        return kind, text

    def sequence(self):
        items = []
        while self.left and not (self.left[0][0] == "sign" and self.left[0][1] in ";|)]}"):
            items.append(self.item())
        return items[0] if len(items) == 1 else ("all", items)

    def choice(self):
        ways = [self.sequence()]
        while self.sign("|"):
            ways.append(self.sequence())
        return ways[0] if len(ways) == 1 else ("one", ways)

    def productions(self):
        while self.left:
            _, name = self.left.pop(0)
            self.need("=")
            yield name, self.choice()
            self.need(";")


def grammar(page=PAGE):
    with open(page, encoding="utf-8") as f:
        text = f.read()
    rules = {}
    for block in re.findall(r"^```ebnf\n(.*?)^```", text, re.S | re.M):
        for name, what in Reader(block).productions():
            if name in rules:
                raise ValueError(f"{name} is defined twice")
            rules[name] = what
    return rules


def words(page=PAGE):
    """The table of words: English to the Chinese spellings."""
    with open(page, encoding="utf-8") as f:
        text = f.read()
    table = text[text.index("\n## Words\n"):text.index("\n## Beyond the grammar\n")]
    found = {}
    for line in table.splitlines():
        cells = [c.strip() for c in line.strip("| ").split("|")]
        if line.startswith("| ") and len(cells) % 2 == 0 and cells[0] != "English":
            for en, zh in zip(cells[::2], cells[1::2]):
                if en:
                    found[en] = zh.split(", ")
    return found


def leaves(node, all_of=True):
    """What a node may come to; with all_of false only what no way goes without."""
    kind, what = node
    if kind == "all" or (kind == "one" and all_of):
        for x in what:
            yield from leaves(x, all_of)
    elif kind in ("maybe", "many") and all_of:
        yield from leaves(what)
    elif kind not in ("one", "maybe", "many"):
        yield node


def keywords(rules):
    return {w for node in rules.values() for kind, w in leaves(node)
            if kind == "word" and w[0].isalpha()}


def problems(rules):
    """What is wrong with the page itself."""
    used = {w for node in rules.values() for kind, w in leaves(node) if kind == "name"}
    for name in sorted(used - set(rules)):
        yield f"{name} is used and not defined"
    for name in sorted(set(rules) - used - {"file"}):
        yield f"{name} is defined and not used"
    for name, node in rules.items():
        prose = any(kind == "prose" for kind, _ in leaves(node))
        if prose and not hasattr(Wild, "make_" + name.replace("-", "_")):
            yield f"{name} is said in words only: {os.path.basename(__file__)} cannot make it"
    table = words()
    for word in sorted(keywords(rules) - set(table)):
        yield f"'{word}' is in the grammar and not in the table of words"
    for word in sorted(set(table) - keywords(rules) - {"of", "handed over"}):
        yield f"'{word}' is in the table of words and not in the grammar"


# The vocabulary, as far as the texts use it: enough of each kind, both names.

QUANTITIES = {  # name: Chinese, unit, a middling value, a step
    "temperature": ("温度", "°C", 8, 1),
    "humidity": ("湿度", "%RH", 60, 5),
    "fume": ("油烟浓度", "mg/m3", 2, 0.25),
    "pressure-difference": ("压差", "Pa", 20, 2),
    "ph": ("酸碱度", None, 7, 0.5),
    "vapour-volume": ("油气量", "L", 20, 2),
    "fuel-volume": ("加油量", "L", 20, 2),
}
MEMBERS = ["vapour-volume", "fuel-volume"]
STATES = {
    "door": ("库门", [("open", "打开"), ("closed", "关闭")]),
    "fan": ("风机", [("on", "运行"), ("off", "停止")]),
    "cooling": ("冷却", [("on", "运行"), ("off", "停止")]),
}
TIERS = {"food-risk-tier": ("食品风险等级", ["A", "B", "C", "D"]),
         "fume-scale": ("餐饮规模", ["small", "medium", "large"])}
NAMES = {
    "event": [("refuel", "加油")],
    "place": [("room", "库房"), ("cabinet", "冷柜"), ("vehicle", "车厢"), ("stack", "排口")],
    "calendar": [("service-hours", "营业时间"), ("night", "夜间"), ("meal-hours", "供餐时间")],
    "recipient": [("premises", "经营者"), ("inspector", "监管员"), ("duty-chief", "值班负责人")],
    "subject": [("caterer", "餐饮服务提供者"), ("drug-chain", "药品零售连锁")],
    "goods": [("vaccine", "疫苗"), ("chilled-food", "冷藏食品"), ("gasoline", "汽油")],
    "stage": [("storage", "储存"), ("serving", "供餐"), ("transport", "运输")],
    "date-name": [("calibration", "校准"), ("licence", "许可证")],
}
UNITS = {"°C": ["°C", "℃", "摄氏度"], "%RH": ["%RH"], "mg/m3": ["mg/m3", "mg/m³", "毫克/立方米"],
         "Pa": ["Pa", "帕"], "dB(A)": ["dB(A)", "分贝(A)"], "L": ["L", "升"], "K": ["K"],
         "%": ["%"], "min": ["min", "分钟"], "h": ["h", "小时"], "d": ["d", "日", "天"]}
LOCALS = ["hold", "时限", "x2", "air-ratio", "阈", "最大容量", "q", "乙时限", "lim", "甲"]


class Wild:
    """A file: walks the grammar, collects tokens. Names are declared before use, that is all."""

    eager = 0.85  # how often something more comes in a rule, clause or scenario
    deepest = 12

    def __init__(self, rules, rng):
        self.rules, self.rng, self.table = rules, rng, words()
        self.out, self.depth, self.zh = [], 0, False
        self.sets, self.lets, self.state, self.tier = [], [], None, None
        self.dates = 0

    # What is written

    def put(self, text):
        self.out.append(text)

    def word(self, en):
        if en in self.table:
            self.put(self.rng.choice(self.table[en]) if self.zh else en)
        elif self.zh and self.rng.random() < 0.5:
            self.put(en.translate(str.maketrans(":;,()[]", "：；，（）【】")))
        else:
            self.put(en)

    def name(self, pair):
        self.put(pair[1] if self.zh else pair[0])

    def text(self):
        """The tokens, apart or, where that is the same, together."""
        known = {zh for all_zh in self.table.values() for zh in all_zh} | {
            s for all_s in UNITS.values() for s in all_s}
        text = ""
        for token in self.out:
            han = text and ord(text[-1]) >= 0x2e80 and ord(token[0]) >= 0x2e80
            both = text[-8:] + token
            joins = any(both.find(w, max(0, len(text[-8:]) - len(w) + 1)) in range(len(text[-8:]))
                        for w in known if len(w) > 1)
            if token == "\n" or not text or text[-1] == "\n":
                text += token
            elif han and not joins and token not in LOCALS and self.rng.random() < 0.5 and \
                    not any(text.endswith(n) for n in LOCALS):
                text += token
            else:
                text += " " + token
        return text

    # The walk

    def walk(self, node):
        kind, what = node
        if kind == "word":
            self.word(what)
        elif kind == "name":
            self.produce(what)
        elif kind == "all":
            for x in what:
                self.walk(x)
        elif kind == "one":
            ways = [w for w in what if self.possible(w)]
            if self.depth > self.deepest:
                ways = [w for w in ways if not self.deeper(w)] or ways
            self.walk(self.rng.choice(ways))
        elif kind in ("maybe", "many"):
            chance = self.eager if self.depth < 3 else 0.4 if self.depth < self.deepest else 0.03
            while self.possible(what) and self.rng.random() < chance:
                self.walk(what)
                if kind == "maybe":
                    break
        else:
            raise ValueError(f"cannot make {what!r}")

    def produce(self, name):
        self.depth += 1
        own = getattr(self, "make_" + name.replace("-", "_"), None)
        if own:
            own()
        else:
            self.walk(self.rules[name])
        self.depth -= 1

    @staticmethod
    def deeper(way):
        return any(kind == "name" and w in ("cond", "prim", "sum", "first", "held", "followed")
                   for kind, w in leaves(way))

    def possible(self, way):
        first = next(leaves(way), None)
        return not ((first == ("name", "set-name") and not self.fits(self.sets)) or
                    (first == ("name", "let-name") and not self.fits(self.lets)) or
                    (first == ("name", "set") and len(self.sets) + len(self.lets) > 5) or
                    (first == ("name", "let") and len(self.sets) + len(self.lets) > 5))

    def fits(self, names):
        return names

    def make_rule(self):
        self.sets, self.lets = [], []
        self.walk(self.rules["rule"])

    def make_clause(self):
        self.clause(self.rules["clause"])

    def clause(self, node):
        self.zh = self.rng.random() < 0.5
        self.put("\n")
        self.walk(node)

    def make_step(self):
        self.clause(self.rules["step"])

    def make_let(self):
        """What a let names may stand in the next sums, and not in its own."""
        before = list(self.lets)
        self.walk(self.rules["let"])
        self.lets = before + [self.new]

    def make_set(self):
        before = list(self.sets)
        self.walk(self.rules["set"])
        self.sets = before + [self.new]

    # Tokens

    def make_quantity(self):
        name = self.rng.choice(sorted(QUANTITIES))
        self.name((name, QUANTITIES[name][0]))

    def make_state(self):
        self.state = self.rng.choice(sorted(STATES))
        self.name((self.state, STATES[self.state][0]))

    def make_state_value(self):
        self.name(self.rng.choice(STATES[self.state][1]))

    def make_tier(self):
        self.tier = self.rng.choice(sorted(TIERS))
        self.keys = list(TIERS[self.tier][1])
        self.name((self.tier, TIERS[self.tier][0]))

    def make_tier_value(self):
        self.put(self.keys.pop(0) if len(self.keys) > 1 else self.keys[0])

    def some(self, kind):
        self.name(self.rng.choice(NAMES[kind]))

    def make_event(self):
        self.some("event")

    def make_date_name(self):
        self.some("date-name")

    def make_place(self):
        self.some("place")

    def make_calendar(self):
        self.some("calendar")

    def make_recipient(self):
        self.some("recipient")

    def make_subject(self):
        self.some("subject")

    def make_goods(self):
        self.some("goods")

    def make_stage(self):
        self.some("stage")

    def make_new_name(self):
        self.new = self.rng.choice([n for n in LOCALS if n not in self.sets + self.lets])
        self.put(self.new)

    def make_set_name(self):
        self.put(self.rng.choice(self.fits(self.sets) or LOCALS))

    def make_let_name(self):
        self.put(self.rng.choice(self.fits(self.lets) or LOCALS))

    def make_string(self):
        text = self.rng.choice(["a", "GB 31654-2021", "冷库 2～8℃", "# no comment", "x / y", "依据"])
        self.put(self.rng.choice([f'"{text}"', f"“{text}”"]))

    def make_id(self):
        self.put("A-1")

    def make_site_id(self):
        self.put(self.rng.choice(["shop-1", "shop-1/room", "room_2", "a.b:c"]))

    def make_num(self):
        self.put(self.rng.choice(["8", "0.90", "30", "2.0", "12.5", "1"]))

    def make_count(self):
        self.put(str(self.rng.randint(2, 5)))

    def make_pick(self):
        self.walk(self.rules["pick"])
        if self.zh and self.out[-1].isdigit() and self.rng.random() < 0.5:
            self.put("个")

    def make_unit(self):
        self.put(self.spelling(self.rng.choice(sorted(UNITS))))

    def make_time_unit(self):
        sign = self.out.pop()  # nothing stands between the unit, the sign and this one
        self.out[-1] += sign + self.spelling(self.rng.choice(["min", "h"]))

    def spelling(self, unit):
        of_language = [s for s in UNITS[unit] if (ord(s[0]) >= 0x4e00) == self.zh]
        return self.rng.choice(of_language or UNITS[unit])

    def make_date(self):
        self.dates += 1
        self.put(f"{2026 + self.dates}-{self.rng.randint(1, 12):02}-{self.rng.randint(1, 28):02}")

    def make_time(self):
        self.put(f"{self.rng.randint(0, 23):02}:{self.rng.randint(0, 59):02}" +
                 self.rng.choice(["", ":30"]))


class Tame(Wild):
    """The same walk with a mind: one watch, units that fit, limits with marks, bounds in order."""

    def __init__(self, rules, rng):
        super().__init__(rules, rng)
        self.watched = {"quantity": [], "state": [], "event": []}
        self.unit, self.middle, self.step = None, 5, 1
        self.limits = False      # a limit of an alert: it has a mark
        self.tunable = False
        self.part = None
        self.doubtful = False
        self.units_of = {}
        self.levels = []

    def with_(self, walk, **want):
        old = {k: getattr(self, k) for k in want}
        self.__dict__.update(want)
        walk()
        self.__dict__.update(old)

    def fits(self, names):
        return [n for n in names if self.units_of.get(n) == self.unit]

    def possible(self, way):
        if not super().possible(way):
            return False
        names = {w for kind, w in leaves(way, False) if kind == "name"}
        first = next(leaves(way), None)
        if self.part == "watch":
            return first != ("word", ",") or sum(map(len, self.watched.values())) < 5
        if names & {"except"} and not self.watched["state"]:
            return False
        if first in (("word", ";"), ("word", ",")) and names & {"row", "deadline", "recipient"}:
            return False
        if first == ("word", "while others move") and len(set(self.watched["quantity"])) < 2:
            return False
        if first == ("word", "beyond doubt") and not self.doubtful:
            return False
        lacks = {k for k, v in self.watched.items() if not v}
        if names & lacks and first != ("name", "quantity"):
            return False
        if first in (("name", "state-test"), ("name", "curve")) or names & {"state"}:
            return not lacks & {"state"}
        if first == ("name", "due"):
            return not self.plain
        if names & {"portion", "lasts"}:
            return False
        if self.plain and names & {"hold", "held", "followed", "curve", "aggregate"}:
            return False
        if self.part == "factor" and names & {"set-name", "table", "let-name", "sum"}:
            return False
        return True

    plain, eager, deepest = False, 0.35, 7

    # Rules and clauses

    def make_rule(self):
        """Clauses in an order that may be: what is declared comes first, one of each."""
        self.sets, self.lets, self.levels, self.units_of, self.dates = [], [], [], {}, 0
        self.watched = {k: [] for k in self.watched}
        kinds = {next(leaves(w))[1]: w for w in self.rules["clause"][1]}
        early = ["basis", "watch"]
        if self.rng.random() < 0.7:
            early += self.rng.choices(["set", "let"], k=self.rng.randint(1, 3))
        late = ["alert"] * self.rng.randint(1, 2)
        late += [k for k in kinds if k not in early + ["set", "let", "alert", "counting", "clear"]
                 and self.rng.random() < 0.4]
        self.rng.shuffle(late)
        for node in self.rules["rule"][1]:
            if node == ("many", ("name", "clause")):
                for kind in early + late:
                    self.clause(kinds[kind])
                self.put("\n")
            else:
                self.walk(node)

    def make_watch(self):
        self.with_(lambda: self.walk(self.rules["watch"]), part="watch")

    def make_alert(self):
        self.with_(lambda: self.walk(self.rules["alert"]), limits=True)

    def make_level(self):
        free = [x for x in ("notice", "warning", "serious", "major") if x not in self.levels]
        level = self.rng.choice(free[:-1] if self.part != "escalate" and len(free) > 1 else free[-1:])
        self.levels.append(level)
        self.word(level)

    def make_escalate(self):
        self.with_(lambda: self.walk(self.rules["escalate"]), part="escalate", levels=[])

    def make_then(self):
        self.with_(lambda: self.walk(self.rules["then"]), levels=[])

    def make_axis(self):
        """Each of the three at most once: the second and third would have to differ."""
        if "axis" not in self.units_of:
            self.units_of["axis"] = self.rng.sample(self.rules["axis"][1], 3)
        self.walk(self.units_of["axis"].pop() if self.units_of["axis"] else self.rules["axis"])

    def make_prim(self):
        self.with_(lambda: self.walk(self.rules["prim"]), plain=True)

    def make_followed(self):
        self.with_(lambda: self.walk(self.rules["followed"]), plain=True)

    def make_held(self):
        self.with_(lambda: self.walk(self.rules["held"]), plain=True)

    def make_hold(self):
        self.walk(self.rules["hold"][1][0] if self.rng.random() < 0.7 else self.rules["hold"])

    # What is named

    def pick_watched(self, kind, all_names):
        if self.part == "watch":
            free = [n for n in all_names if n not in self.watched[kind]] or all_names
            self.watched[kind].append(self.rng.choice(free))
            return self.watched[kind][-1]
        return self.rng.choice(self.watched[kind] or all_names)

    def make_watched(self):
        """A quantity first, each name once."""
        driver = not self.watched["quantity"]
        kinds = ["quantity"] if driver else ["quantity", "state"]
        self.produce(self.rng.choice(kinds))

    def make_quantity(self):
        name = self.pick_watched("quantity", sorted(QUANTITIES))
        zh, self.unit, self.middle, self.step = QUANTITIES[name]
        self.name((name, zh))

    def make_state(self):
        self.state = self.pick_watched("state", sorted(STATES))
        self.name((self.state, STATES[self.state][0]))

    def make_measured(self):
        way = self.rng.choice([w for w in self.rules["measured"][1] if self.possible(w)])
        self.doubtful = ("name", "quantity") in leaves(way)
        self.walk(way)

    def make_number_test(self):
        self.doubtful = False
        self.walk(self.rules["number-test"][1][1])

    def make_row(self):
        """One value of the tier, and the others."""
        for way in self.rules["row"][1][0][1]:
            self.walk(way)
            self.produce("literal")
            if way != self.rules["row"][1][0][1][-1]:
                self.word(";")

    def make_set(self):
        """Of a time, or of a quantity that is watched."""
        time = self.rng.random() < 0.5
        q = QUANTITIES[self.rng.choice(self.watched["quantity"])]
        want = ("min", 30, 5) if time else q[1:]
        self.with_(super().make_set, unit=want[0], middle=want[1], step=want[2], tunable=True,
                   limits=not time)
        self.units_of[self.new] = want[0]

    def make_let(self):
        """Sums of one quantity; products with plain numbers."""
        self.with_(super().make_let, part="factor", limits=True)
        self.units_of[self.new] = self.unit

    def make_product(self):
        factors = self.rules["product"][1]
        self.with_(lambda: self.walk(factors[0]), part="factor")
        if self.rng.random() < 0.3:
            unit = self.unit
            self.word(self.rng.choice("*/"))
            self.unit = None
            self.make_amount()
            self.unit = unit

    # Numbers

    def measured(self, name, unit, middle, step):
        self.with_(lambda: self.walk(self.rules[name]), unit=unit, middle=middle, step=step,
                   limits=False, tunable=False)

    def make_duration(self):
        self.measured("duration", *self.rng.choice([("min", 30, 5), ("h", 6, 1)]))

    def make_percentage(self):
        self.measured("percentage", "%", 50, 10)

    def make_interval(self):
        self.measured("interval", "min", 5, 1)

    def make_dose(self):
        limits = self.limits
        self.with_(lambda: self.walk(self.rules["dose"]), unit="dose", middle=300, step=50,
                   limits=limits)

    def number(self, v):
        self.put(f"{v:g}" + (".0" if v == int(v) and self.rng.random() < 0.2 else ""))

    def make_amount(self, at=0):
        self.value = self.middle + self.step * (at or self.rng.randint(-2, 2))
        self.number(self.value)
        if self.unit == "dose":
            self.put(self.spelling(self.of_dose) + self.rng.choice("*·") + self.spelling("min"))
        elif self.unit:
            self.put(self.spelling(self.unit))

    def make_exposure(self):
        q = self.rng.choice(self.watched["quantity"])
        self.of_dose = {"°C": "K"}.get(QUANTITIES[q][1], QUANTITIES[q][1]) or "L"
        self.with_(lambda: self.walk(self.rules["exposure"]),
                   watched=dict(self.watched, quantity=[q]))

    def make_literal(self):
        self.make_amount()
        if self.limits or self.rng.random() < 0.3:
            self.mark()

    def mark(self):
        value = self.value
        self.word("[")
        if self.tunable and self.rng.random() < 0.5:
            self.word("tunable")
            self.make_amount(-3)
            self.word("to")
            self.make_amount(3)
        else:
            self.word(self.rng.choice(["law", "policy"]))
        self.word("]")
        self.value = value

    def make_range(self):
        self.make_amount(-3)
        self.word("to")
        self.make_amount(3)
        self.mark()


def make(rules, seed, wild=False):
    """One file: a rule, perhaps scenarios and tunings of it."""
    t = (Wild if wild else Tame)(rules, random.Random(seed))
    t.produce("rule")
    if wild:
        for name in t.rng.choices(["scenario", "tuning"], k=2):
            t.zh = t.rng.random() < 0.5
            t.put("\n")
            if name == "scenario" or t.sets:
                t.produce(name)
    return t.text() + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--wild", action="store_true")
    p.add_argument("--out", help="a file each into this folder, else all to the standard output")
    a = p.parse_args()
    rules = grammar()
    for i in range(a.count):
        text = make(rules, a.seed + i, a.wild)
        if a.out:
            with open(os.path.join(a.out, f"{a.seed + i}.rules"), "w", encoding="utf-8") as f:
                f.write(text)
        else:
            print(text, end="")


if __name__ == "__main__":
    main()
