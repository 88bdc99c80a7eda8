#!/bin/sh
# Install the Debian packages of packages.list that are missing; nothing when all are there.
# usage: packaging/setup.sh [--test] [--long] [--list FILE] [--dry-run]
#   --test     also those that only the tests need
#   --long     also those that only ./test --long needs
#   --dry-run  print what is missing
set -eu
list=$(dirname "$0")/packages.list
test=no
long=no
dry=no
while [ $# -gt 0 ]; do
    case $1 in
    --test) test=yes ;;
    --long) long=yes ;;
    --dry-run) dry=yes ;;
    --list) list=$2 && shift ;;
    *) sed -n '2,6s/^# //p' "$0" >&2 && exit 2 ;;
    esac
    shift
done

names=$(awk -v test="$test" -v long="$long" '
    { sub(/#.*/, "") }
    NF > 1 && $NF == "test" && test != "yes" { next }
    NF > 1 && $NF == "long" && long != "yes" { next }
    NF { print $1 }' "$list")
# One question for all: a second start costs nothing. Names that dpkg never heard of are on stderr.
# shellcheck disable=SC2086
there=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(echo "$names" | tr '|' ' ') 2>/dev/null |
    awk '$1 == "installed" { print $2 }')
# choose NAME|NAME: the one that is installed, else the one that this release has.
choose() {
    # Node.js that is not Debian's own brings its npm along, and does not go with Debian's.
    [ "$1" = npm ] && command -v npm >/dev/null && return
    for one in $(echo "$1" | tr '|' ' '); do
        echo "$there" | grep -qxF "$one" && return
    done
    for one in $(echo "$1" | tr '|' ' '); do
        apt-cache show "$one" >/dev/null 2>&1 && break
    done
    missing="$missing $one"
}
missing=
for name in $names; do
    choose "$name"
done
[ -n "$missing" ] || exit 0
if [ $dry = yes ]; then
    printf '%s\n' $missing
    exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages are missing, and this is neither root nor is there sudo. As root:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q || echo "package lists could not be brought up to date; trying on" >&2
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $missing
