#!/usr/bin/env python3
"""The package in a fresh Debian 12, made by debootstrap: clean.py PACKAGE.deb (as root)

Installed with what it depends on by apt; the gateway runs there as its own user; an upgrade keeps
readings and configuration; removal leaves nothing but the evidence, a purge too.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SUITE = "bookworm"
failures = []


def check(condition, what):
    print("%-5s %s" % ("ok" if condition else "FAIL", what), flush=True)
    if not condition:
        failures.append(what)


class Fresh:
    """A Debian of its own in a folder."""

    def __init__(self, folder):
        self.root = folder / "root"
        self.mounted = []

    def make(self):
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, self.root], check=True,
                       stdout=subprocess.DEVNULL)
        for source, at, kind in (("proc", "proc", "proc"), ("devpts", "dev/pts", "devpts")):
            if subprocess.run(["mount", "-t", kind, source, self.root / at]).returncode == 0:
                self.mounted.append(self.root / at)
        # apt as this machine is set up to use it; no service is to start in there.
        for name in ("sources.list", "sources.list.d", "apt.conf.d", "trusted.gpg.d", "keyrings"):
            source, target = pathlib.Path("/etc/apt") / name, self.root / "etc/apt" / name
            if name == "apt.conf.d" and source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)

    def close(self):
        for at in reversed(self.mounted):
            subprocess.run(["umount", "-l", at])

    def run(self, *args, **more):
        return subprocess.run(["chroot", self.root, *map(str, args)], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
                                   "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, **more)


SCRIPT = r"""
set -e
cd /tmp
exec 3<>fifo
steelyard run --config /etc/steelyard/steelyard.yaml --data /var/lib/steelyard --ready-fd 3 2>run.log &
pid=$!
head -n 1 <&3
steelyard status --data /var/lib/steelyard --json >status.json
kill -TERM $pid
wait $pid
"""


def as_service(fresh):
    """The gateway as the user that the package made; its status."""
    (fresh.root / "tmp/go.sh").write_text("rm -f /tmp/fifo; mkfifo /tmp/fifo\n" + SCRIPT)
    done = fresh.run("runuser", "-u", "steelyard", "--", "sh", "/tmp/go.sh", timeout=120)
    log = fresh.root / "tmp/run.log"
    check(done.returncode == 0, "the gateway runs and ends as its own user " +
          ("" if done.returncode == 0 else done.stderr[-500:] + log.read_text()[-800:]))
    status = fresh.root / "tmp/status.json"
    return json.loads(status.read_text()) if status.exists() else {}


def life(fresh, package):
    shutil.copy(package, fresh.root / "tmp/steelyard.deb")
    fresh.run("apt-get", "update", timeout=300)
    done = fresh.run("apt-get", "install", "-y", "--no-install-recommends", "/tmp/steelyard.deb",
                     timeout=600)
    check(done.returncode == 0, "apt installs it " + done.stderr[-500:] * (done.returncode != 0))
    check("steelyard" in (fresh.root / "etc/passwd").read_text(), "it made its own user")
    (fresh.root / "etc/steelyard").mkdir(exist_ok=True)
    (fresh.root / "etc/steelyard/steelyard.yaml").write_text(json.dumps({
        "gateway": {"id": "gw-clean", "rules": ["/usr/share/steelyard/rules/drugs.en.rules"]},
        "mqtt": {"broker": "managed", "listen": ["127.0.0.1:0"]}}))
    done = fresh.run("steelyard", "check", "--config", "/etc/steelyard/steelyard.yaml")
    check(done.returncode == 0, "its check takes the configuration " + done.stderr[-300:])
    first = as_service(fresh)
    check(first.get("journal_seq", 0) > 0, "it kept a log")
    done = fresh.run("apt-get", "install", "-y", "--reinstall", "/tmp/steelyard.deb", timeout=300)
    check(done.returncode == 0, "an upgrade goes through")
    second = as_service(fresh)
    check(second.get("journal_seq", 0) > first.get("journal_seq", 0), "the log goes on after it")
    done = fresh.run("apt-get", "remove", "-y", "steelyard", timeout=300)
    check(done.returncode == 0 and not (fresh.root / "usr/bin/steelyard").exists(), "it is removed")
    check((fresh.root / "etc/steelyard/steelyard.yaml").exists(), "its configuration stays")
    done = fresh.run("apt-get", "purge", "-y", "steelyard", timeout=300)
    check(done.returncode == 0 and not (fresh.root / "etc/default/steelyard").exists() and
          not (fresh.root / "etc/steelyard").exists(), "a purge takes its configuration")
    check((fresh.root / "var/lib/steelyard/store.db").exists() and "evidence" in done.stderr + done.stdout,
          "the evidence stays, and it is said where")
    left = [str(p) for p in (fresh.root / "usr").rglob("*steelyard*")]
    check(not left, "nothing else is left " + " ".join(left))


def main():
    if os.geteuid() != 0:
        sys.exit("clean.py: root is needed for debootstrap")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sy-clean-"))
    fresh = Fresh(folder)
    try:
        fresh.make()
        life(fresh, sys.argv[1])
    finally:
        fresh.close()
        shutil.rmtree(folder, ignore_errors=True)
    print("clean: %d failures" % len(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
