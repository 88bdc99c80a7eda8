#!/bin/sh
# steelyard rules mutate, cover, backtest --against and explain as a person runs them: rules_tools_cli.sh STEELYARD
set -eu
steelyard=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "rules_tools_cli: $1" >&2
    exit 1
}
# expect STATUS COMMAND …: the exit status; what it says is in $dir/out and $dir/err.
expect() {
    want=$1
    shift
    got=0
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [ "$got" = "$want" ] || fail "$*: exit $got, not $want: $(cat "$dir/out" "$dir/err")"
}
has() {
    grep -q -- "$2" "$dir/$1" || fail "no '$2' in $1: $(cat "$dir/$1")"
}
export LC_ALL=C
zh_expect() {
    LC_ALL=zh_CN.UTF-8
    expect "$@"
    LC_ALL=C
}

cat >"$dir/a.rules" <<'END'
rule A-1 version 1 "Cold room"
  basis "b" law
  watch each room: temperature
  alert serious when temperature above 8 °C [law] for 10 min
end
rule B-1 version 1 "Warm room"
  basis "b" law
  watch each room: temperature
  alert notice when temperature below 20 °C [law]
end
END
cat >"$dir/s.rules" <<'END'
scenario "10 min above 8" tests A-1
  from 07:00 to 07:59 every 1 min: temperature 8.0 °C
  from 08:00 to 08:20 every 1 min: temperature 9.0 °C
  expect alert serious at 08:10
end
scenario "the reading itself" tests B-1
  from 08:00 to 08:20 every 1 min: temperature 20 °C
  at 08:21: temperature 19.9 °C
  expect alert notice at 08:21
end
END
expect 0 "$steelyard" rules mutate "$dir/a.rules" "$dir/s.rules"
has out '^A-1  9 caught, 0 survive, 0 not loadable$'
has out '^14 changes, 14 caught (100.0 %), another 0 not loadable$'
[ -s "$dir/err" ] && fail "something is said where nobody looks: $(cat "$dir/err")"

# A scenario that is far from the limit leaves a hole.
sed 's/temperature 9.0/temperature 9.5/' "$dir/s.rules" >"$dir/hole.rules"
expect 1 "$steelyard" rules mutate "$dir/a.rules" "$dir/hole.rules"
has out '^A-1  8 caught, 1 survive, 0 not loadable$'
has out "a.rules:4:40: '8' as '9'\$"
has out '^14 changes, 13 caught (92.9 %), another 0 not loadable$'
expect 0 "$steelyard" rules mutate --at-least 92 "$dir/a.rules" "$dir/hole.rules"
expect 0 "$steelyard" rules mutate --rule B-1 "$dir/a.rules" "$dir/hole.rules"
has out '^5 changes, 5 caught'
expect 1 env LC_ALL=zh_CN.UTF-8 "$steelyard" rules mutate "$dir/a.rules" "$dir/hole.rules"
has out 'a.rules:4:40: “8”改为“9”$'
expect 1 "$steelyard" rules mutate --json "$dir/a.rules" "$dir/hole.rules"
python3 - "$dir/out" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
assert (d["caught"], d["survived"], d["refused"], d["share"]) == (13, 1, 0, 92.86), d
[c] = d["rules"][0]["changes"]
assert (c["line"], c["column"], c["was"], c["is"], c["fate"]) == (4, 40, "8", "9", "survives"), c
END
sed 's/08:10/08:11/' "$dir/s.rules" >"$dir/wrong.rules"
expect 1 "$steelyard" rules mutate "$dir/a.rules" "$dir/wrong.rules"
has err '^A-1  10 min above 8: '
has err '1 scenario fails as the rules stand'
expect 2 "$steelyard" rules mutate --rule C-1 "$dir/a.rules"
# wrong LINE COMMAND …: wrong use is said in one line and nothing else.
wrong() {
    line=$1
    shift
    expect 2 "$@"
    has err "$line; see steelyard rules [a-z]* --help\$"
    [ "$(cat "$dir/out" "$dir/err" | wc -l)" = 1 ] || fail "$*: more than a line: $(cat "$dir/err")"
}
wrong "mutate: --at-least: '101' is not a number of 0 to 100" \
    "$steelyard" rules mutate --at-least 101 "$dir/a.rules"
wrong "mutate: --at-least: 'abc' is not a number of 0 to 100" \
    "$steelyard" rules mutate --at-least abc "$dir/a.rules"
wrong 'mutate: no rule file is named' "$steelyard" rules mutate
wrong "fmt: --language: 'fr' is neither en nor zh" \
    "$steelyard" rules fmt --language fr "$dir/a.rules"
wrong 'check: no rule file is named' "$steelyard" rules check

cat >"$dir/gw.yaml" <<'END'
gateway: {id: gw-1, data: data}
mqtt: {broker: managed, listen: ["127.0.0.1:1883"]}
premises:
  - id: depot
    subject: drug-wholesaler
    stage: storage
    places:
      - id: cr-1
        kind: room
        goods: [refrigerated-drug]
        points:
          - {quantity: temperature, device: d1, name: t, unit: degC, every: 1 min}
      - id: cr-2
        kind: room
        goods: [refrigerated-drug]
        points:
          - {quantity: humidity, device: d2, name: h, unit: "%RH", every: 1 min}
  - id: canteen
    subject: caterer
    stage: serving
    places:
      - id: cab-1
        kind: cabinet
        goods: [chilled-food]
        points:
          - {quantity: temperature, device: d3, name: t, unit: degC, every: 10 min}
devices:
  - {id: d1, transport: mqtt, topic: a/d1, format: json}
  - {id: d2, transport: mqtt, topic: a/d2, format: json}
  - {id: d3, transport: mqtt, topic: a/d3, format: json}
END
cat >"$dir/c.rules" <<'END'
rule A-1 version 1 "Cold room"
  basis "b" clause verify law
  applies to subject drug-wholesaler; goods refrigerated-drug; stage storage
  watch each room: temperature
  alert serious when temperature above 8 °C [law]
end
rule B-1 version 1 "Truck"
  basis "b" law
  watch each vehicle: temperature
  alert serious when temperature above 8 °C [law]
end
rule C-1 version 1 "Door"
  basis "b" law
  watch each room: temperature, door
  alert serious when temperature above 8 °C [law] and door is open
end
END
expect 0 "$steelyard" rules cover --config "$dir/gw.yaml" "$dir/c.rules"
has out '^3 rules, 3 bases, 1 of them with a clause to verify$'
has out '^A-1: 1 instance, [1-9][0-9]* bytes$'
has out '^  depot/cr-2: the place has no temperature$'
has out '^  depot/cr-1/d1/t: the place has no door$'
has out '^B-1: matches nothing here$'
has out '^C-1: watches nothing$'
has out '^  drug-wholesaler × refrigerated-drug × storage, 2 places: A-1$'
has out '^  caterer × chilled-food × serving, 1 place: no rule$'
has out '^place without a rule: depot/cr-2$'
has out '^place without a rule: canteen/cab-1$'
has out '^point without a rule: canteen/cab-1/d3/t (temperature)$'
expect 0 "$steelyard" rules cover --json --config "$dir/gw.yaml" "$dir/c.rules"
python3 - "$dir/out" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
assert (d["bases"], d["verify"]) == (3, 1), d
assert [r["instances"] for r in d["rules"]] == [1, 0, 0], d
assert [(u["place"], u["series"]) for u in d["rules"][2]["unwatched"]] == [
    ("cr-1", "d1/t"), ("cr-2", None)], d
assert [c["rules"] for c in d["cells"]] == [["A-1"], []], d
assert [p["series"] for p in d["points_without"]] == ["d2/h", "d3/t"], d
END
sed 's/each room: temperature$/each cabinet: temperature/; s/^  applies.*/  missing after 15 min/' "$dir/c.rules" >"$dir/even.rules"
expect 0 "$steelyard" rules cover --config "$dir/gw.yaml" "$dir/even.rules"
grep -q blind "$dir/out" && fail "15 min of 10 are not blind"
sed 's/15 min/14 min/' "$dir/even.rules" >"$dir/blind.rules"
expect 0 "$steelyard" rules cover --config "$dir/gw.yaml" "$dir/blind.rules"
has out 'canteen/cab-1: blind for d3/t: a reading is expected every 600 s, data is missing after 840 s$'
wrong 'cover: --config FILE is missing' "$steelyard" rules cover "$dir/c.rules"

# Two sets of rules on one recording.
python3 - "$dir" <<'END'
import sys
rows = ["time,device,point,value"]
at = lambda m: "2026-03-02T%02d:%02d:00Z" % (8 + m // 60, m % 60)
hot = lambda m: 20 <= m < 35 or 60 <= m < 66 or 100 <= m < 140
for m in range(260):
    rows.append("%s,d1,t,%s" % (at(m), 9.5 if hot(m) else 8.4 if 200 <= m < 225 else 5.0))
open(sys.argv[1] + "/r.csv", "w").write("\n".join(rows) + "\n")
END
rule() {
    cat <<END
rule A-1 version $1 "Cold room"
  basis "b" law
  watch each room: temperature
  alert serious when temperature above $2 °C [law] for $3 min
end
END
}
rule 1 9 10 >"$dir/old.rules"
rule 2 8 20 >"$dir/new.rules"
against() {
    "$steelyard" rules backtest --config "$dir/gw.yaml" --readings "$dir/r.csv" "$@"
}
expect 0 against --against "$dir/old.rules" "$dir/new.rules"
has out '^  depot A-1: 1 1 1 0$'
has out '^lost    2026-03-02T08:30:00.000Z  serious  A-1          depot/cr-1/d1/t  2026-03-02T08:45:00.000Z$'
has out '^moved   2026-03-02T10:00:00.000Z  serious  A-1          depot/cr-1/d1/t  2026-03-02T10:40:00.000Z$'
has out '^      raised 2026-03-02T09:50:00.000Z → 2026-03-02T10:00:00.000Z$'
has out '^      cleared 2026-03-02T10:30:00.000Z → 2026-03-02T10:40:00.000Z$'
has out '^gained  2026-03-02T11:40:00.000Z'
expect 0 against --against "$dir/new.rules" "$dir/new.rules"
has out '^  depot A-1: 0 0 0 2$'
expect 0 against --json --against "$dir/old.rules" "$dir/new.rules"
python3 - "$dir/out" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
assert [len(d[k]) for k in ("gained", "lost", "moved")] == [1, 1, 1], d
assert d["moved"][0]["changed"] == ["raised", "cleared"], d
assert d["moved"][0]["was"]["version"] == 1 and d["moved"][0]["now"]["version"] == 2, d
assert d["totals"] == [{"premises": "depot", "rule": "A-1", "gained": 1, "lost": 1, "moved": 1,
                        "same": 0}], d
END
expect 1 against --against "$dir/gw.yaml" "$dir/new.rules"
expect 2 against --against "$dir/none.rules" "$dir/new.rules"

# Text follows the locale, JSON does not; no alert is said.
zh_expect 0 against "$dir/new.rules"
has out '^2026-03-02T10:00:00.000Z  严重     A-1          已解除     depot/cr-1/d1/t  '
zh_expect 0 against --language en "$dir/new.rules"
has out 'Z  serious  A-1          cleared    depot/cr-1/d1/t  '
expect 0 against --json "$dir/new.rules"
cp "$dir/out" "$dir/json"
zh_expect 0 against --json "$dir/new.rules"
cmp -s "$dir/out" "$dir/json" || fail "backtest --json depends on the locale"
rule 3 12 10 >"$dir/quiet.rules"
expect 0 against "$dir/quiet.rules"
has out '^260 readings, no alert$'
wrong "backtest: --from: '2026-03-02' is neither RFC 3339 .* nor epoch milliseconds" \
    against --from 2026-03-02 "$dir/new.rules"
wrong 'backtest: --readings and --data exclude each other' against --data "$dir" "$dir/new.rules"
wrong 'backtest: --config FILE is missing' \
    "$steelyard" rules backtest --readings "$dir/r.csv" "$dir/new.rules"

# Why at that time? Rows every minute: hot from 08:20, 09:00 and 09:40 on.
explain() {
    "$steelyard" rules explain A-1 --config "$dir/gw.yaml" --readings "$dir/r.csv" "$@"
}
expect 0 explain --place depot/cr-1 --at 2026-03-02T08:27:30Z "$dir/old.rules"
has out '^A-1 depot/cr-1/d1/t at 2026-03-02 16:27:30: no alert$'
has out 'for 10 min \[policy\]: counted 7 min 30 s of 10 min, since 2026-03-02 16:20:00$'
has out 'true: temperature above 9 °C \[law\]$'
has out 'd1/t: 9.5 °C at 2026-03-02 16:27:00 good, by itself true; limit 9 °C \[law\]$'
expect 0 explain --place cr-1 --at 2026-03-02T08:33:00Z "$dir/old.rules"
has out ': alert serious, onset 2026-03-02 16:20:00, raised 2026-03-02 16:30:00$'
# Cleared at 08:45: what came later does not show at 08:40, and what was does.
expect 0 explain --place cr-1 --at 2026-03-02T08:40:00Z "$dir/old.rules"
has out 'alert serious, open$'
has out 'known false: counted 5 min of 10 min, since 2026-03-02 16:35:00$'
expect 0 explain --place cr-1 --at 2026-03-02T08:46:00Z "$dir/old.rules"
has out ': no alert$'
# After the last reading nothing is presumed.
expect 0 explain --place cr-1 --at 2026-03-02T14:00:00Z "$dir/old.rules"
has out 'unknown: temperature above'
expect 0 explain --place cr-1 --at 2026-03-02T08:27:30Z --json "$dir/old.rules"
python3 - "$dir/out" <<'END'
import json, sys
[i] = json.load(open(sys.argv[1]))
assert (i["kind"], i["rule"], i["alert"], i["in_force"]) == ("instance", "A-1", None, True), i
level, point = i["inside"]
hold = level["inside"][0]
assert (hold["counted_ms"], hold["needed_ms"], hold["reached"]) == (450000, 600000, False), hold
assert hold["length"] == "10 min [policy]", hold
cond = hold["inside"][0]
assert cond["value"] == "true" and cond["text"] == "temperature above 9 °C [law]", cond
leaf = cond["inside"][0]
assert (leaf["reading"], leaf["by_itself"], leaf["limit_used"]) == ("9.5 °C", "true", 9), leaf
assert point["latest_quality"] == "good", point
END
expect 0 env LC_ALL=zh_CN.UTF-8 "$steelyard" rules explain A-1 --config "$dir/gw.yaml" \
    --readings "$dir/r.csv" --place cr-1 --at 2026-03-02T08:33:00Z "$dir/old.rules"
has out '：报警 严重，起始 2026-03-02 16:20:00'
expect 0 explain --place cr-1 --at 2026-03-02T08:33:00Z --json "$dir/old.rules"
cp "$dir/out" "$dir/json"
zh_expect 0 explain --place cr-1 --at 2026-03-02T08:33:00Z --json "$dir/old.rules"
cmp -s "$dir/out" "$dir/json" || fail "explain --json depends on the locale"
# Without a hold the default clear has nothing to count.
sed 's/ for 10 min//' "$dir/old.rules" >"$dir/now.rules"
expect 0 explain --place cr-1 --at 2026-03-02T08:33:00Z "$dir/now.rules"
has out '^  clear by default, once the above is known false: false$'
expect 1 explain --place cr-2 --at 2026-03-02T08:27:30Z "$dir/old.rules"
has err 'A-1 is not watched there: the place has no temperature'
expect 2 explain --place cr-9 --at 2026-03-02T08:27:30Z "$dir/old.rules"
has err "there is no place 'cr-9'"
expect 1 "$steelyard" rules explain C-1 --config "$dir/gw.yaml" --readings "$dir/r.csv" \
    --place cr-1 --at 2026-03-02T08:27:30Z "$dir/c.rules"
has err 'C-1 is not watched there: d1/t: the place has no door$'
expect 0 explain --place cr-1 --at 2026-03-01T08:00:00Z "$dir/old.rules"
has out "d1/t: no valid reading; limit"
wrong "explain: --at: '2026-03-02 09:18' is neither RFC 3339 .* nor epoch milliseconds" \
    explain --place cr-1 --at "2026-03-02 09:18" "$dir/old.rules"
wrong 'explain: no readings: --readings CSV or --data DIR is missing' "$steelyard" rules explain A-1 \
    --config "$dir/gw.yaml" --place cr-1 --at 0 "$dir/old.rules"
wrong 'explain: --place PLACE is missing' explain --at 0 "$dir/old.rules"
expect 2 explain --place cr-1 --at 2026-03-02T08:27:30Z "$dir/b-only.rules"

# A derived quantity: 60 min of 9.5 °C for 15 and 5 °C for 45.
cat >"$dir/mean.rules" <<'END'
rule A-1 version 1 "Cold room"
  basis "b" law
  watch each room: temperature
  alert serious when mean of temperature over 60 min above 6 °C [law]
end
END
expect 0 explain --place cr-1 --at 2026-03-02T08:59:00Z "$dir/mean.rules"
has out 'true: mean of temperature over 60 min above 6 °C \[law\]$'
has out 'comes to 6.125 °C at 2026-03-02 16:59:00, by itself true; limit 6 °C \[law\]$'
expect 0 explain --place cr-1 --at 2026-03-02T08:59:00Z --json "$dir/mean.rules"
has out '"comes_to": 6.125,'
sed 's/mean of .*/temperature above 9 °C [law] in 3 of 5 readings/' "$dir/mean.rules" >"$dir/of.rules"
expect 1 "$steelyard" rules mutate "$dir/of.rules"
has out "without 'in 3 of 5 readings'\$"
has out "'5' as '4'\$"

sed 's/for 10 min/cumulative 20 min in any 2 h/' "$dir/old.rules" >"$dir/cum.rules"
expect 0 explain --place cr-1 --at 2026-03-02T09:03:00Z "$dir/cum.rules"
has out '^    cumulative 20 min \[policy\] in any 2 h \[policy\]: counted 17 min of 20 min$'
expect 0 explain --place cr-1 --at 2026-03-02T09:50:00Z "$dir/cum.rules"
has out ': alert serious, onset'

# An exemption used up is one of its local day.
cat >"$dir/door.rules" <<'END'
rule A-1 version 1 "Cold room"
  basis "b" law
  watch each room: temperature, door
  alert serious when temperature above 8 °C [law] for 10 min
    except while door open, each at most 5 min, daily at most 8 times
end
END
sed 's/^\( *\)- {quantity: temperature, device: d1, .*/&\n\1- {quantity: door, device: d1, name: door}/' \
    "$dir/gw.yaml" >"$dir/door.yaml"
cat >"$dir/door.csv" <<'END'
time,device,point,value
2026-03-02T08:00:00Z,d1,t,9.0
2026-03-02T08:01:00Z,d1,door,open
2026-03-02T08:02:00Z,d1,t,9.0
2026-03-02T08:03:00Z,d1,door,closed
2026-03-02T08:04:00Z,d1,t,9.0
END
door() {
    "$steelyard" rules explain A-1 --place cr-1 --config "$dir/door.yaml" \
        --readings "$dir/door.csv" "$@" "$dir/door.rules"
}
expect 0 door --at 2026-03-02T15:59:00Z
has out 'daily at most 8 times: 1 used$'
expect 0 door --at 2026-03-02T16:01:00Z
has out 'daily at most 8 times: 0 used$'
