#!/usr/bin/env python3
"""The package in a fresh Debian 12, made by debootstrap: clean.py PACKAGE.deb (as root)

The deployer's guide is followed there to the letter, from the package's installation to an alert at
an authority's receiver, and the inspector's with that alert; the transcript is printed. Then:
installed with what it depends on by apt; the gateway runs there as its own user; an upgrade keeps
readings and configuration; removal leaves nothing but the evidence, a purge too.
"""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests"))
import guide  # noqa: E402

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

    def run(self, *args, before=(), **more):
        return subprocess.run([*before, "chroot", self.root, *map(str, args)], capture_output=True, text=True,
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


# What a service manager and sudo do, where neither is: the unit's command as the unit's user. Then
# the authority, which is another machine in truth.
GUIDE = r"""
cd /root
sudo() { "$@"; }
systemctl() {
  case "$*" in
    "start steelyard")
      mkfifo /tmp/ready
      (umask 0077; exec runuser -u steelyard -- steelyard run --config /etc/steelyard/steelyard.yaml \
        --data /var/lib/steelyard --ready-fd 3 3>/tmp/ready >/tmp/gateway.log 2>&1) &
      gateway=$!
      read -r line </tmp/ready; test -n "$line" ;;
    "reload steelyard") kill -HUP "$(pgrep -n -x -u steelyard steelyard)" ;;
  esac
}
"""
AUTHORITY = r"""
ip link set lo up
steelyard inbox --listen 127.0.0.1:8443 --cert server.pem --key server.key \
  --client-ca authority-ca.pem --est-ca authority-ca.pem --est-ca-key ca.key --est-tokens tokens \
  --data /tmp/inbox --ready-fd 4 4>/tmp/inbox-ready >/tmp/inbox.log 2>&1 &
inbox=$!
read -r line </tmp/inbox-ready
"""
THEN = r"""
for i in $(seq 300); do
  steelyard alerts --data /var/lib/steelyard | grep -q VACCINE-FROZEN &&
    steelyard status --data /var/lib/steelyard --json | grep -q '"waiting":0' && break
  sleep 0.1
done
printf '\n(a moment later)\n$ sudo steelyard alerts --data /var/lib/steelyard\n'
steelyard alerts --data /var/lib/steelyard
ALERT=$(steelyard alerts --data /var/lib/steelyard --json --full |
  sed -n 's/.*"id": "\([^"]*\)", "rule": "VACCINE-FROZEN".*/\1/p')
"""
STOP = "\nkill $(pgrep -x -u steelyard steelyard); wait $gateway || true; kill $inbox; wait $inbox || true\n"


def certify(folder):
    """The authority's CA and its receiver's certificate."""
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], cwd=folder, check=True, capture_output=True)
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "authority-ca.pem", "-days", 30, "-subj",
            "/CN=County CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-new", *new, "-keyout", "server.key", "-out", "csr", "-subj", "/CN=inbox.example")
    (folder / "ext").write_text("subjectAltName=DNS:inbox.example\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", "csr", "-CA", "authority-ca.pem", "-CAkey", "ca.key", "-days", 20,
            "-CAcreateserial", "-extfile", "ext", "-out", "server.pem")
    (folder / "tokens").write_text("gw-0042 TOKEN-OF-THIS-BOX\n")


def follow(fresh, package):
    """The guides, with a network of their own, so that their ports are free."""
    home = fresh.root / "root"
    shutil.copy(package, home)
    (fresh.root / "etc/apt/apt.conf.d/90test").write_text(
        'APT::Get::Assume-Yes "true"; APT::Install-Recommends "false";\n')
    certify(home)
    with open(fresh.root / "etc/hosts", "a") as hosts:
        hosts.write("127.0.0.1 localhost inbox.example\n")
    page = SOURCE / "docs/guide-deployer.md"
    for name, text in (("install.sh", GUIDE + guide.script(page, 0, 1)),
                       ("guide.sh", GUIDE + "mkfifo /tmp/inbox-ready\n" + AUTHORITY +
                        guide.script(page, 1) + THEN +
                        guide.script(SOURCE / "docs/guide-inspector.md") + STOP)):
        (fresh.root / "tmp" / name).write_text(text)
    fresh.run("apt-get", "update", timeout=300)
    fresh.run("apt-get", "install", "-y", "iproute2", "procps", timeout=300)
    done = fresh.run("bash", "/tmp/install.sh", timeout=600)
    print("\n".join(line for line in done.stdout.splitlines() if line.startswith("$")), flush=True)
    check(done.returncode == 0, "the guide's installation " + done.stderr[-800:] * (done.returncode != 0))
    done = fresh.run("bash", "/tmp/guide.sh", timeout=300, before=("unshare", "--net"))
    print(done.stdout)
    failed = done.returncode != 0
    check(not failed, "the guides, to the letter " + done.stderr[-1500:] * failed)
    check("all that was checked stands" in done.stdout, "the evidence of the alert is proven")
    with sqlite3.connect(fresh.root / "tmp/inbox/inbox.db") as db:
        rows = "".join(str(row) for row in db.execute("SELECT * FROM events"))
    for rule in ("SETUP-TEST", "VACCINE-FROZEN"):
        check(rule in rows, "the authority has the alert " + rule)
    fresh.run("apt-get", "purge", "-y", "steelyard", timeout=300)
    for path in ("var/lib/steelyard", "tmp/inbox"):
        shutil.rmtree(fresh.root / path, ignore_errors=True)


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
        follow(fresh, sys.argv[1])
        life(fresh, sys.argv[1])
    finally:
        fresh.close()
        shutil.rmtree(folder, ignore_errors=True)
    print("clean: %d failures" % len(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
