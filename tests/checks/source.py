#!/usr/bin/env python3
"""Checks on the source text: who includes whom, how long files and functions are, no fixed sleeps,
no leftover markers, headers that compile alone, and what the pure libraries call.

usage: source.py CHECK [--root DIR] [ARG ...]      CHECK: see CHECKS at the end
Prints one line a violation; exit 1 where there are any.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile

C_LINES, H_LINES, FUNCTION_LINES = 600, 200, 100
FOLDERS = ("gateway", "drivers", "rules", "tools", "tests")

# Folder to what its quoted includes may begin with, besides files of its own folder.
MAY_INCLUDE = {
    "gateway/base": ("base/",),
    "rules": ("base/", "rules/"),
    "drivers": ("base/", "drivers/"),
}
# The pure half of base/ and all of rules/: no header of the operating system, nor of base's OS half.
PURE_HEADERS = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "float.h"}
OS_BASE = {"base/os.h", "base/log.h", "base/intake.h"}
# A foreign library is behind few files of ours: header to the folders or files that may name it,
# besides tests.
FOREIGN = {
    "libfyaml.h": ("gateway/config/yaml.c",),
    "sqlite3.h": ("gateway/store/", "gateway/inbox/", "gateway/assess/parts.c"),
    "zstd.h": ("gateway/intake/", "gateway/store/", "gateway/assess/parts.c"),
    "MQTTAsync.h": ("drivers/mqtt/", "gateway/upstream/mqtt_child.c",
                    "gateway/assess/parts.c"),
    "mosquitto": ("drivers/mqtt/plugin/",),
    "coap3/": ("drivers/coap/", "gateway/assess/parts.c"),
    "microhttpd.h": ("gateway/web/", "gateway/inbox/", "gateway/console/",
                     "gateway/assess/parts.c"),
    "gnutls/": ("gateway/web/", "gateway/inbox/", "gateway/console/"),
    "argon2.h": ("gateway/console/users.c",),
    "http_parser.h": ("gateway/upstream/",),
    "curl/": ("gateway/upstream/carrier.c",),
    "udunits2.h": ("tools/",),
}
MARKERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SLEEP = re.compile(r"\b(u?sleep|nanosleep|clock_nanosleep)\s*\(|\btime\.sleep\s*\(")
# A pause between two looks at a condition is no fixed sleep; its function says so by its name.
POLLS = re.compile(r"wait|poll|until|nap|pause")
# What code without a system call may leave undefined: string.h, which only reads and writes memory,
# and what compilers put in.
PURE_SYMBOLS = re.compile(
    r"^(mem(cpy|cmp|set|move|chr)|strlen|strn?cmp|strchr"
    r"|__(mem(cpy|set|move)|str\w+)_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
    r"|__(a|u|t)san_\w+|__ubsan_\w+|__gcov_\w+|__llvm_\w+|__sanitizer_\w+)$")


def files(root, *endings):
    """Tracked and new files with these endings, ignored ones left out."""
    try:
        out = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True).stdout.decode()
        names = [n for n in out.split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.relpath(os.path.join(d, f), root)
                 for d, _, fs in os.walk(root) for f in fs]
    return sorted({n for n in names if n.endswith(endings) and n.split("/")[0] in FOLDERS
                   and os.path.isfile(os.path.join(root, n))})


def lines(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as f:
        return f.read().splitlines()


def area_of(name):
    return next((a for a in MAY_INCLUDE if name.startswith(a + "/")), None)


def is_pure(root, name):
    if name.startswith("rules/"):
        return True
    if not name.startswith("gateway/base/"):
        return False
    text = "\n".join(lines(root, name)[:40])
    return name.endswith(".h") and re.search(r"\bPure\.", text) is not None


def check_includes(root):
    for name in files(root, ".c", ".h"):
        area = area_of(name)
        for number, line in enumerate(lines(root, name), 1):
            m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not m:
                continue
            quoted, what = m.group(1) == '"', m.group(2)
            where = f"{name}:{number}"
            if quoted and "../" in what:
                yield f"{where}: {what} climbs out of its folder"
            if quoted and area and "/" in what and not what.startswith(MAY_INCLUDE[area]):
                yield f"{where}: {area}/ may not include {what}"
            if is_pure(root, name):
                if quoted and what in OS_BASE:
                    yield f"{where}: pure code may not include {what}"
                if not quoted and what not in PURE_HEADERS:
                    yield f"{where}: pure code may not include <{what}>"
            for header, homes in FOREIGN.items():
                if not quoted and what.startswith(header) and not name.startswith(homes + ("tests/",)):
                    yield f"{where}: <{what}> belongs to {', '.join(homes)}"


def functions(text):
    """(first line, lines) of each body: by the layout, '{' and '}' alone in the first column."""
    start = None
    for number, line in enumerate(text, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            yield start, number - start + 1
            start = None


def check_sizes(root):
    for name in files(root, ".c", ".h"):
        text = lines(root, name)
        most = C_LINES if name.endswith(".c") else H_LINES
        if len(text) > most:
            yield f"{name}: {len(text)} lines, at most {most}: split it by responsibility"
        for start, n in functions(text):
            if n > FUNCTION_LINES:
                yield f"{name}:{start}: a function of {n} lines, at most {FUNCTION_LINES}"


def enclosing(text, index):
    """The name of the function around a line, as far as its layout tells."""
    for line in reversed(text[:index + 1]):
        m = re.match(r"\s*def (\w+)", line) or re.match(r"[a-z].*?\b(\w+)\([^;]*$", line)
        if m:
            return m.group(1)
    return ""


def check_sleeps(root):
    for name in files(root, ".c", ".py", ".h"):
        if not name.startswith("tests/") or name.startswith("tests/checks/"):
            continue
        text = lines(root, name)
        for index, line in enumerate(text):
            if SLEEP.search(line) and not POLLS.search(enclosing(text, index)):
                yield f"{name}:{index + 1}: a fixed sleep: wait for the condition instead"


def check_text(root):
    for name in files(root, ".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt"):
        if name.startswith("tests/checks/"):
            continue
        text = lines(root, name)
        for number, line in enumerate(text, 1):
            m = MARKERS.search(line)
            if m:
                yield f"{name}:{number}: a leftover {m.group(1)}"
        if name.endswith(".c") and (not text or "SPDX-License-Identifier" not in text[0]):
            yield f"{name}:1: the first line names the license (SPDX)"


def check_headers(root, *flags):
    """Each header compiles as the only thing in a file. flags: the compiler and its options."""
    compiler = list(flags) or ["gcc"]
    config = subprocess.run(
        ["pkg-config", "--cflags", "libfyaml", "sqlite3", "jansson", "libcbor",
         "libcoap-3-openssl", "libmicrohttpd", "gnutls"], capture_output=True, text=True)
    command = compiler + shlex.split(config.stdout) + [
        "-std=c17", "-D_GNU_SOURCE", "-DSY_VERSION=\"0\"", "-Wall", "-Wextra", "-Wpedantic",
        "-Wshadow", "-Wconversion", "-Werror", "-fsyntax-only",
        f"-I{root}/gateway", f"-I{root}"]
    running = []

    def finish():
        name, process, path = running.pop(0)
        message = process.communicate()[1].decode(errors="replace")
        os.unlink(path)
        if process.returncode:
            first = next((x for x in message.splitlines() if "error" in x), message[:200])
            return f"{name}: does not compile alone: {first}"
        return None

    found = []
    for name in files(root, ".h"):
        # cmocka's own header asks for these before it
        own = ["-include", "setjmp.h", "-include", "stdarg.h", "-include", "stddef.h",
               "-include", "stdint.h"] if name.startswith("tests/") else []
        handle, path = tempfile.mkstemp(suffix=".c")
        with os.fdopen(handle, "w") as f:
            f.write(f'#include "{os.path.abspath(os.path.join(root, name))}"\n'
                    "typedef int sy_not_empty;\n")
        folder = os.path.dirname(os.path.join(root, name))
        running.append((name, subprocess.Popen(command + own + [f"-I{folder}", path],
                                               stderr=subprocess.PIPE), path))
        if len(running) >= (os.cpu_count() or 2):
            found.append(finish())
    while running:
        found.append(finish())
    yield from (f for f in found if f)


def check_symbols(root, *archives):
    """nm over the pure libraries together leaves only what PURE_SYMBOLS names."""
    del root
    defined, wanted = set(), {}
    for archive in archives:
        out = subprocess.run(["nm", "-A", "-P", archive], capture_output=True, text=True, check=True)
        for line in out.stdout.splitlines():
            where, _, rest = line.partition(": ")
            symbol, kind = (rest.split() + ["", ""])[:2]
            if kind in ("U", "w", "v"):
                wanted.setdefault(symbol, where)
            else:
                defined.add(symbol)
    if not defined:
        yield "no symbols found: nothing was checked"
    for symbol, where in sorted(wanted.items()):
        if symbol not in defined and not PURE_SYMBOLS.match(symbol):
            yield f"{where}: pure code calls {symbol}"


def check_format(root, *flags):
    """clang-format would change nothing."""
    tool = flags[0] if flags else "clang-format"
    names = files(root, ".c", ".h")
    if not names:
        return
    done = subprocess.run([tool, "--dry-run", "-Werror", "--ferror-limit=1"] +
                          [os.path.join(root, n) for n in names], capture_output=True, text=True)
    told = set()
    for line in done.stderr.splitlines():
        m = re.match(r"(.+?):(\d+):\d+: error:", line)
        if m and m.group(1) not in told:
            told.add(m.group(1))
            yield f"{os.path.relpath(m.group(1), root)}:{m.group(2)}: not laid out by clang-format"
    if done.returncode and not told:
        yield f"clang-format: {done.stderr.strip()[:300]}"


def check_events(root):
    """docs/log.md names every event of the log, and no other."""
    manual = "docs/log.md"
    told = set()
    for line in lines(root, manual):
        if line.startswith("| `"):
            told |= set(re.findall(r"`([a-z0-9-]+)`", line.split("|")[1]))
    logged = {}
    call = re.compile(r"\b(?:sy_log(?:_fail)?|(?:sy_sender__)?report|nap)\([^\";]*\"([a-z][a-z0-9-]+)\"", re.S)
    for name in files(root, ".c"):
        if name.startswith(("gateway/", "drivers/")):
            for event in call.findall("\n".join(lines(root, name))):
                logged.setdefault(event, name)
    for event in sorted(set(logged) - told):
        yield f"{logged[event]}: the event '{event}' is not in {manual}"
    for event in sorted(told - set(logged)):
        yield f"{manual}: nothing logs '{event}'"


CHECKS = {"events": check_events, "includes": check_includes, "sizes": check_sizes, "sleeps": check_sleeps,
          "text": check_text, "headers": check_headers, "symbols": check_symbols,
          "format": check_format}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("check", choices=sorted(CHECKS))
    p.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    p.add_argument("args", nargs="*")
    a = p.parse_args()
    found = list(CHECKS[a.check](os.path.abspath(a.root), *a.args))
    for line in found:
        print(line)
    print(f"{a.check}: {len(found)} violations" if found else f"{a.check}: fine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
