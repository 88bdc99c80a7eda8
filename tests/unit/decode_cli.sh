#!/bin/sh
# steelyard decode as a person runs it: the lines, the exit codes, the reasons.
# usage: decode_cli.sh STEELYARD
set -eu
bin=$1
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cd "$dir"

expect() { # expect NAME WANTED GOT
    if [ "$2" != "$3" ]; then
        printf '%s: wanted\n%s\ngot\n%s\n' "$1" "$2" "$3"
        exit 1
    fi
}

printf '[{"bn":"a:","n":"t","u":"Cel","v":-18.25,"t":1276020071.001},{"n":"s","vs":"\\u6e29\\""},{"n":"b","vb":true,"t":-5}]' >pack
printf '{"door":null}' >object
printf '21.50\n' >number
printf '##0285QN=' >other
expect pack '{"name":"a:t","value":-18.25,"unit":"Cel","time":1276020071.001,"quality":"good"}
{"name":"a:s","value":"温\"","unit":null,"time":null,"quality":"good"}
{"name":"a:b","value":true,"unit":null,"time":null,"quality":"good"}' "$("$bin" decode pack)"
expect several '{"name":"door","value":null,"unit":null,"time":null,"quality":"good"}
{"name":"","value":21.5,"unit":null,"time":null,"quality":"good"}' "$("$bin" decode object number)"
expect named '{"name":"","value":21.5,"unit":null,"time":null,"quality":"good"}' \
    "$("$bin" decode --format number number)"

printf '0367F1FF' >em300-th_1.hex
printf '050001' >unnamed.hex
expect 'model by the name' '{"name":"temperature","value":-1.5,"unit":"Cel","time":null,"quality":"good"}' \
    "$("$bin" decode --format lorawan_milesight em300-th_1.hex)"
expect 'model by the option' '{"name":"pir","value":"trigger","unit":null,"time":null,"quality":"good"}' \
    "$("$bin" decode --format milesight --model am307 unnamed.hex)"

fails() { # fails CODE WORDS ARGUMENTS…
    code=$1 words=$2
    shift 2
    rc=0
    "$bin" decode "$@" >out 2>err || rc=$?
    expect "exit code of $*" "$code" "$rc"
    grep -q "$words" err || { cat err; echo "no '$words'"; exit 1; }
}
fails 1 'of no known format' other
fails 1 'not a decimal number' --format number pack
fails 1 'No such file' absent
fails 1 'of no known format' number other # the good one is printed all the same
grep -q 21.5 out
fails 2 "no format 'xml'" --format xml pack
fails 1 "give the device's .model" --format milesight unnamed.hex
fails 2 "milesight has no model 'em300', but: am102 .* em300-th" --format milesight --model em300 unnamed.hex
fails 2 "no model 'am307'" --model am307 unnamed.hex
fails 2 'usage' --wrong pack
fails 2 'usage'
"$bin" decode --help | grep -q senml-cbor
