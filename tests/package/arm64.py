#!/usr/bin/env python3
"""Cross-built for arm64 in a fresh Debian 12, its unit tests run by qemu-user, and the package made:
arm64.py [FOLDER] (as root; FOLDER is kept and used again, else it is a temporary one)
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ARCH = "arm64"
# Of packages.list: programs run on the build machine, libraries are those of the other one.
PROGRAMS = {"cmake", "ninja-build", "pkg-config", "protobuf-c-compiler", "python3-minimal",
            "libpython3-stdlib", "git", "tzdata", "mosquitto"}
NEVER = {"gcc", "libc6-dev"}
# What starts the program by itself, which only an emulator can, ends a process by a signal, which
# the emulator takes for its own, or speaks to a peer, which the other builds do.
LEFT_OUT = r"^(decode_cli|pending_cli|test_inbox$|test_pipeline_attempt|check_|test_mqtt|test_broker|test_coap_|test_hj212|test_child|test_upstream|test_self|packs_|rules_|export_cli|payloads)"
failures = []


def check(condition, what):
    print("%-5s %s" % ("ok" if condition else "FAIL", what), flush=True)
    if not condition:
        failures.append(what)


class Chroot:
    def __init__(self, root):
        self.root, self.mounted = root, []

    def run(self, *args, seconds=3600):
        return subprocess.run(["chroot", self.root, *map(str, args)], capture_output=True, text=True,
                              timeout=seconds,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"})

    def must(self, *args):
        done = self.run(*args)
        if done.returncode:
            sys.exit("%s failed:\n%s\n%s" % (" ".join(map(str, args))[:200], done.stdout[-3000:],
                                             done.stderr[-3000:]))

    def mount(self):
        for source, at, kind in (("proc", "proc", "proc"), ("devpts", "dev/pts", "devpts")):
            if subprocess.run(["mount", "-t", kind, source, self.root / at]).returncode == 0:
                self.mounted.append(self.root / at)

    def unmount(self):
        for at in reversed(self.mounted):
            subprocess.run(["umount", "-l", at])


def wanted():
    """Names for apt: libraries with the architecture."""
    names = []
    for line in (SOURCE / "packaging" / "packages.list").read_text().splitlines():
        words = line.split("#")[0].split()
        if not words or words[-1] in ("test", "long"):
            continue
        name = words[0].split("|")[0]
        if name not in NEVER:
            names.append(name if name in PROGRAMS else "%s:%s" % (name, ARCH))
    return names + ["libcmocka-dev:arm64", "libc6-dev:arm64", "libudunits2-0:arm64"]


def make(chroot):
    if not (chroot.root / "usr/bin/dpkg").exists():
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", chroot.root], check=True,
                       stdout=subprocess.DEVNULL)
    policy = chroot.root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    chroot.must("dpkg", "--add-architecture", ARCH)
    chroot.must("apt-get", "update")
    # Packages for every architecture are asked for without one.
    names = [n if chroot.run("apt-cache", "show", n).returncode == 0 else n.split(":")[0]
             for n in wanted()]
    chroot.must("apt-get", "install", "-y", "--no-install-recommends", "gcc-aarch64-linux-gnu",
                "qemu-user-static", "dpkg-dev", "file", *names)


def build(chroot):
    source = chroot.root / "src"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    archive = subprocess.run(["git", "-C", SOURCE, "archive", "HEAD"], check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", source], input=archive.stdout, check=True)
    chroot.must("cmake", "-S", "/src", "-B", "/build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                "-DCMAKE_INSTALL_PREFIX=/usr", "-DCMAKE_TOOLCHAIN_FILE=/src/cmake/arm64.cmake",
                "-DSY_TESTS=ON")
    done = chroot.run("cmake", "--build", "/build", "-j", str(os.cpu_count()))
    if done.returncode:
        sys.exit("it does not build:\n" + done.stdout[-3000:])
    check(True, "it builds")
    kind = chroot.run("file", "/build/steelyard").stdout
    check("aarch64" in kind, "the program is for arm64")


def test(chroot):
    done = chroot.run("ctest", "--test-dir", "/build", "-LE", "system", "-E", LEFT_OUT, "-j",
                      str(os.cpu_count()), "--timeout", "600")
    found = re.search(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)", done.stdout)
    check(found and int(found[2]) == 0 and int(found[3]) > 50,
          "unit tests by qemu: %s" % (found[0] if found else done.stdout[-500:]))
    for name in re.findall(r"^\s*\d+ - (\S+) \((?:Failed|Timeout)", done.stdout, re.M):
        print("      %s" % name)


def package(chroot):
    done = chroot.run("cmake", "--build", "/build", "--target", "package")
    made = list((chroot.root / "build").glob("steelyard_*_arm64.deb"))
    check(done.returncode == 0 and len(made) == 1, "the package for arm64 is made " +
          (done.stdout[-800:] + done.stderr[-800:]) * (not made))


def main():
    if os.geteuid() != 0:
        sys.exit("arm64.py: root is needed for debootstrap")
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="sy-arm64-"))
    folder.mkdir(exist_ok=True)
    chroot = Chroot(folder / "root")
    try:
        make(chroot)
        chroot.mount()
        build(chroot)
        test(chroot)
        package(chroot)
    finally:
        chroot.unmount()
        if len(sys.argv) == 1:
            shutil.rmtree(folder, ignore_errors=True)
    print("arm64: %d failures" % len(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
