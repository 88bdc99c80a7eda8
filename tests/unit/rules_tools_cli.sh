#!/bin/sh
# steelyard rules mutate as a person runs it: rules_tools_cli.sh STEELYARD
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
has err '1 scenarios fail as the rules stand'
expect 2 "$steelyard" rules mutate --rule C-1 "$dir/a.rules"
expect 2 "$steelyard" rules mutate --at-least 101 "$dir/a.rules"
expect 2 "$steelyard" rules mutate
