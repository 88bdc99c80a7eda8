#!/bin/sh
# steelyard rules check as a person runs it: rules_check_cli.sh STEELYARD
set -eu
steelyard=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "rules_check_cli: $1" >&2
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

cat >"$dir/good.rules" <<'END'
rule A-1 version 4 "Cold room"
  basis "b" law
  watch each room: temperature
  alert serious when temperature outside 2 to 8 °C [law] for 10 min
end
END
cat >"$dir/good.zh.rules" <<'END'
规则 A-1 版本 4 “冷库”
  依据 “乙” 法定
  监测每个库房：温度
  报警 严重 当温度超出2至8℃【法定】持续10分钟
结束
END
sed 's/when temperature/when temperture/; s/\[law\] for/ for/' "$dir/good.rules" >"$dir/bad.rules"
printf 'rule \271\346\324\362' >"$dir/gb18030.rules"

export LC_ALL=C
expect 0 "$steelyard" rules check "$dir/good.rules"
has out '^A-1 version 4 [0-9a-f]\{64\} Cold room$'
has err 'warning: no scenario'
en=$(cut -d' ' -f4 "$dir/out")
expect 0 env LC_ALL=zh_CN.UTF-8 "$steelyard" rules check "$dir/good.zh.rules"
has out "^A-1 version 4 $en 冷库\$"
has err '警告：'

expect 1 "$steelyard" rules check "$dir/bad.rules"
has err 'bad.rules:4:22: error: unknown quantity'
has err "did you mean 'temperature'?"
expect 1 "$steelyard" rules check "$dir/gb18030.rules"
has err 'save it as UTF-8'

expect 1 "$steelyard" rules check --json "$dir/bad.rules"
python3 - "$dir/out" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["errors"] == 1 and d["rules"] == [] and d["set"] is None, d
e = [f for f in d["findings"] if f["severity"] == "error"][0]
assert (e["code"], e["line"], e["column"], e["near"]) == ("unknown-name", 4, 22, "temperature"), e
END
expect 0 "$steelyard" rules check --json "$dir/good.rules" "$dir/good.zh.rules"
python3 - "$dir/out" "$en" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
[r] = d["rules"]
assert (r["rule"], r["version"], r["judgement"]) == ("A-1", 4, sys.argv[2]), r
assert (r["title"], r["title_zh"]) == ("Cold room", "冷库"), r
END

expect 2 "$steelyard" rules check
expect 2 "$steelyard" rules check --bogus
expect 2 "$steelyard" rules check "$dir/none.rules"
has err 'No such file'
expect 2 "$steelyard" rules nonsense
expect 0 "$steelyard" rules --help
has out 'check'
