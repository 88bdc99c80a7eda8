"""Play the demonstration market, or a recording, through a gateway and an inbox of its own.

Called by ./run. Everything lies in demo/<name>/: keys, configuration, the gateway's data, the
inbox's data, logs. What was played is not played again; what was interrupted starts afresh.
Environment, for tests: STEELYARD is the program, STEELYARD_DEMO the folder instead of demo/.
"""
import argparse
import ctypes
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import urllib.request

RECIPIENTS = ("premises, inspector, duty-chief, quality-manager, maintainer, laboratory-chief, "
              "emergency-service, ecology-authority")
DESTINATION = """
destinations:
  - name: inbox
    kind: https
    url: https://127.0.0.1:{port}/events
    tls: {{ca: {keys}/ca.pem, cert: {keys}/gateway.pem, key: {keys}/gateway.key}}
    serves: [{recipients}]
    severity: notice
"""
PAGE_PORT = 8088
ARRIVE_S = 120
PR_SET_PDEATHSIG = 1
TEXT_RULES = 4


class Failed(Exception):
    """Something that the user is told in one line."""


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """A steelyard process that says when it is ready, and logs to a file."""

    def __init__(self, steelyard, log, arguments):
        self.log = log
        self.name = arguments[0]
        read, write = os.pipe()
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                [steelyard, *arguments, "--ready-fd", str(write)], stdout=out, stderr=out,
                pass_fds=[write], start_new_session=True, preexec_fn=die_with_parent)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.ready = pipe.readline().split()
        if not self.ready:
            self.child.wait()
            raise Failed(f"steelyard {self.name} does not start:\n{tail(log)}")

    def value(self, key):
        return next(w[len(key) + 1:] for w in self.ready if w.startswith(key + "="))

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def tail(path, lines=5):
    with open(path, errors="replace") as f:
        return "".join("    " + line for line in f.readlines()[-lines:])


def ask(steelyard, *arguments):
    done = subprocess.run([steelyard, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, text=True)
    if done.returncode != 0:
        raise Failed(f"steelyard {' '.join(arguments[:2])} failed:\n{done.stderr}")
    return done.stdout


def write_beside(path, text):
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    except OSError as e:
        raise Failed(f"{path}: {e.strerror}: the folder of the configuration must be writable, "
                     "for a copy with the inbox as its destination") from e


def plural(n, word):
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def has_rows(path):
    with open(path, "rb") as f:
        f.readline()
        return bool(f.readline().strip())


class Play:
    def __init__(self, root, recording, config, once):
        self.steelyard = os.environ.get("STEELYARD",
                                        os.path.join(root, "build", "release", "steelyard"))
        self.here = os.path.join(root, "packaging", "demo")
        self.made_up = recording is None
        self.recording, self.config, self.once = recording, config, once
        name = "market"
        if recording:
            key = os.path.realpath(recording) + "\0" + os.path.realpath(config)
            stem = re.sub(r"[^A-Za-z0-9_-]", "-", os.path.splitext(os.path.basename(recording))[0])
            name = stem + "-" + hashlib.sha256(key.encode()).hexdigest()[:8]
        self.dir = os.path.join(os.environ.get("STEELYARD_DEMO", os.path.join(root, "demo")), name)
        self.data = os.path.join(self.dir, "data")
        self.inbox_data = os.path.join(self.dir, "inbox")
        self.played = os.path.join(self.dir, "played.json")
        self.keys = os.path.join(self.dir, "keys")
        self.inbox = self.gateway = None
        self.derived = None
        self.quiet = {}

    # ---- preparation ----

    def check(self):
        """What is missing is said before anything is made or played."""
        if self.made_up:
            return
        try:
            with open(self.recording, "rb") as f:
                header = f.readline().decode(errors="replace").strip().split(",")
        except OSError as e:
            raise Failed(f"{self.recording}: {e.strerror}") from e
        if "time" not in header or not has_rows(self.recording):
            raise Failed(f"{self.recording}: a recording is a CSV file whose first line names its "
                         "columns: time, device, point, value")
        folder, base = os.path.split(self.config)
        trial = os.path.join(folder, f".{base}.check-{os.getpid()}.yaml")
        write_beside(trial, self.without_destinations() + "\ndestinations: []\n")
        try:
            done = subprocess.run([self.steelyard, "check", "--config", trial, "--json"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            if done.returncode != 0:
                shown = subprocess.run([self.steelyard, "check", "--config", trial], check=False,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                raise Failed("the configuration has errors; nothing was played\n" +
                             shown.stdout.decode().strip().replace(trial, self.config))
            if json.loads(done.stdout)["rules"] == 0:
                raise Failed(f"{self.config}: there are no rules to judge by: name rule files or "
                             "folders under gateway, as in rules: [cold.rules]")
        finally:
            os.remove(trial)

    def prepare(self):
        os.makedirs(self.dir, exist_ok=True)
        self.lock = open(os.path.join(self.dir, "lock"), "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed("this demonstration runs already; end that one with Ctrl-C") from None
        if not os.path.exists(os.path.join(self.keys, "gateway.pem")):
            ask(self.steelyard, "keys", "demo", "--out", self.keys, "--force")
        if self.made_up:
            self.recording = os.path.join(self.dir, "market.csv")
            ask(self.steelyard, "demo", "--out", self.dir)
            shutil.copytree(os.path.join(self.here, "rules"), os.path.join(self.dir, "rules"),
                            dirs_exist_ok=True)
        self.hash = hashlib.sha256()
        for path in (self.recording, self.source()):
            with open(path, "rb") as f:
                self.hash.update(f.read())
        if not self.facts():
            for path in (self.data, self.inbox_data):
                shutil.rmtree(path, ignore_errors=True)

    def source(self):
        return os.path.join(self.here, "steelyard.yaml") if self.made_up else self.config

    def facts(self):
        """What the last start left, where it had played this very recording to its end."""
        try:
            with open(self.played, encoding="utf-8") as f:
                facts = json.load(f)
        except (OSError, ValueError):
            return None
        return facts if facts.get("hash") == self.hash.hexdigest() else None

    def ports(self):
        """Those of the last start, so that a bookmark and the configuration stay good."""
        try:
            with open(os.path.join(self.dir, "ports.json")) as f:
                return json.load(f)
        except (OSError, ValueError):
            return {"events": 0, "page": PAGE_PORT}

    def start_inbox(self):
        ports = self.ports()
        zone = ["--time-zone", "Asia/Shanghai"] if self.made_up else []
        for page in (ports["page"], 0):
            for events in (ports["events"], 0):
                try:
                    self.inbox = Process(
                        self.steelyard, os.path.join(self.dir, "inbox.log"),
                        ["inbox", "--listen", f"127.0.0.1:{events}", "--page", f"127.0.0.1:{page}",
                         "--cert", os.path.join(self.keys, "authority.pem"),
                         "--key", os.path.join(self.keys, "authority.key"),
                         "--client-ca", os.path.join(self.keys, "ca.pem"),
                         "--data", self.inbox_data, *zone])
                except Failed:
                    if page == 0 and events == 0:
                        raise
                    continue
                self.events_port = int(self.inbox.value("events"))
                self.page_port = int(self.inbox.value("page"))
                with open(os.path.join(self.dir, "ports.json"), "w") as f:
                    json.dump({"events": self.events_port, "page": self.page_port}, f)
                return

    def without_destinations(self):
        """The configuration's text without its destinations; the other lines keep their numbers."""
        source = self.source()
        try:
            with open(source, encoding="utf-8") as f:
                text = f.read()
        except OSError as e:
            raise Failed(f"{source}: {e.strerror}") from e
        except UnicodeDecodeError as e:
            raise Failed(f"{source}: not UTF-8 text") from e
        return re.sub(r"(?ms)^destinations:.*?(?=^[^\s#-]|\Z)",
                      lambda m: "\n" * m[0].count("\n"), text)

    def write_config(self):
        """The configuration with our inbox as its destination, beside what it refers to."""
        source = self.source()
        text = self.without_destinations()
        text += DESTINATION.format(port=self.events_port, keys=self.keys, recipients=RECIPIENTS)
        if self.made_up:
            target = os.path.join(self.dir, "steelyard.yaml")
        else:
            folder, base = os.path.split(os.path.abspath(source))
            target = self.derived = os.path.join(folder, f".{base}.run.yaml")
        write_beside(target, text)
        self.config = target

    def start_gateway(self):
        self.gateway = Process(self.steelyard, os.path.join(self.dir, "gateway.log"),
                               ["run", "--config", self.config, "--data", self.data,
                                "--clock", "replay"])

    # ---- playing ----

    def play(self):
        facts = self.facts()
        if facts:
            print("played before; nothing is repeated (remove "
                  f"{os.path.relpath(self.dir)} to play again)")
            return facts
        line = subprocess.run(
            [self.steelyard, "replay", self.recording, "--config", self.config, "--data",
             self.data], stdout=subprocess.PIPE, check=False, text=True)
        if line.returncode != 0:
            raise Failed(f"replay: {line.stdout.strip() or 'failed'}")
        facts = {"replay": line.stdout.strip(), "hash": self.hash.hexdigest()}
        with open(self.played, "w", encoding="utf-8") as f:
            json.dump(facts, f)
        return facts

    def status(self):
        return json.loads(ask(self.steelyard, "status", "--data", self.data, "--json"))

    def await_delivery(self):
        until = time.monotonic() + ARRIVE_S
        while True:
            status = self.status()
            waiting = status["events_queued"] - status["events_delivered"]
            if waiting <= 0:
                return status
            if time.monotonic() > until:
                raise Failed(f"{waiting} events were not delivered in {ARRIVE_S} s:\n"
                             + tail(self.gateway.log))
            time.sleep(0.1)

    def delivered(self):
        alerts, after = [], 0
        while True:
            url = f"http://127.0.0.1:{self.page_port}/api/alerts?after={after}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                some = json.load(answer)
            if not some:
                return alerts
            alerts += some
            after = max(a["seq"] for a in some)

    # ---- verdict ----

    def verify(self, live, arrived):
        """What was judged live is what a backtest judges, and is what arrived; for the market it
        is also what its makers say."""
        problems = []
        backtest = ask(self.steelyard, "rules", "backtest", *self.rules(), "--config", self.config,
                       "--readings", self.recording, "--json")
        with open(os.path.join(self.dir, "alerts.backtest.json"), "w") as f:
            f.write(backtest)
        with open(os.path.join(self.dir, "alerts.live.json"), "w") as f:
            f.write(live)
        if backtest != live:
            problems.append("the alerts judged live are not those of rules backtest: compare "
                            f"{os.path.relpath(self.dir)}/alerts.*.json")
        judged = json.loads(live)
        ours, theirs = {a["id"] for a in judged}, {a["id"] for a in arrived}
        if len(arrived) != len(theirs):
            problems.append("an alert arrived as two")
        self.quiet = self.untold(judged)
        lost = ours - theirs - {i for ids in self.quiet.values() for i in ids}
        if lost:
            problems.append(f"did not arrive: {plural(len(lost), 'alert')}")
        if theirs - ours:
            problems.append(f"arrived and was not judged: {plural(len(theirs - ours), 'alert')}")
        if self.made_up:
            with open(os.path.join(self.here, "expected.json"), encoding="utf-8") as f:
                expected = json.load(f)
            got = [{k: a[k] for k in ("rule", "subject", "severity", "raised", "cleared")}
                   for a in judged]
            if got != expected:
                problems.append("the alerts are not those of packaging/demo/expected.json")
        return problems

    def rules(self):
        """The rule files in force, from the set of texts that the gateway accepted (see
        gateway/config/kept.c): the program found them, in whatever style the YAML is written."""
        accepted = os.path.join(self.data, "accepted")
        with open(os.path.join(accepted, "current")) as f:
            name = f.read().strip()
        with open(os.path.join(accepted, name + ".set"), "rb") as f:
            kept = f.read()
        at, files = 8, []

        def blob():
            nonlocal at
            n = struct.unpack_from("<I", kept, at)[0]
            at += 4 + n
            return kept[at - n:at]

        folder = blob().decode()
        texts = struct.unpack_from("<I", kept, at)[0]
        at += 4
        for _ in range(texts):
            kind = kept[at]
            at += 1
            path = blob().decode()
            blob()
            if kind == TEXT_RULES:
                files.append(os.path.join(folder, path))
        return files

    def untold(self, judged):
        """Of the alerts, those that nobody is told: of each rule, why."""
        tells = {r["rule"]: r["then"] for r in
                 json.loads(ask(self.steelyard, "rules", "tree", "--config", self.config,
                             *self.rules()))["rules"]}
        quiet, served = {}, set(RECIPIENTS.split(", "))
        for a in judged:
            then = tells.get(a["rule"], [])
            own = [t for t in then if t["level"] == a["severity"]] or \
                [t for t in then if t["level"] is None]
            told = own[0]["tell"] if own else []
            if not served & set(told):
                why = "tells nobody" if not then else \
                    f"tells nobody of level {a['severity']}" if not told else \
                    f"tells {', '.join(told)}, whom the inbox does not serve"
                quiet.setdefault(f"rule {a['rule']} {why}", []).append(a["id"])
        return quiet

    def live_alerts(self):
        return ask(self.steelyard, "alerts", "--data", self.data, "--json", "--to",
                   self.last_time())

    def last_time(self):
        """The time of the recording's last row: later than that a backtest does not look."""
        with open(self.recording, "rb") as f:
            header = f.readline().decode().strip().split(",")
            f.seek(max(0, os.path.getsize(self.recording) - 65536))
            last = f.read().decode(errors="replace").strip().splitlines()[-1]
        return last.split(",")[header.index("time")].strip('"')

    def show(self, facts, status, judged, problems):
        what = "a made-up market" if self.made_up else os.path.basename(self.recording)
        print(f"\n{what}\n  readings  {facts['replay']}")
        print(f"            {status['received']} messages received, {status['stored']} readings "
              f"stored, {status['duplicates']} duplicates, {status['rejected']} rejected")
        print(f"  alerts    {len(judged)} raised; {status['events_delivered']} events delivered to "
              "the inbox over mutual TLS")
        for a in judged[:12]:
            until = a["cleared"][:16].replace("T", " ") if a["cleared"] else "still active"
            print(f"            {a['severity']:8} {a['rule']:10} {a['subject']:42} "
                  f"{a['raised'][:16].replace('T', ' ')} UTC to {until}")
        if len(judged) > 12:
            print(f"            … and {len(judged) - 12} more")
        for why, ids in self.quiet.items():
            print(f"  note      {why}: {plural(len(ids), 'alert')} not sent")
        if problems:
            for p in problems:
                print(f"  WRONG     {p}")
        else:
            print("  verified  exactly the expected alerts were judged, and those that someone is "
                  "told delivered" if self.quiet else
                  "  verified  exactly the expected alerts were judged and delivered")
        if not self.once:
            print(f"  page      http://127.0.0.1:{self.page_port}/")
            print("  stop      Ctrl-C")

    def run(self):
        self.check()
        self.prepare()
        self.start_inbox()
        self.write_config()
        self.start_gateway()
        facts = self.play()
        status = self.await_delivery()
        live = self.live_alerts()
        problems = self.verify(live, self.delivered())
        self.show(facts, status, json.loads(live), problems)
        sys.stdout.flush()
        if not self.once:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
            print("\nstopping")
        return 1 if problems else 0

    def end(self):
        for process in (self.gateway, self.inbox):
            if process:
                process.stop()
        if self.derived and os.path.exists(self.derived):
            os.remove(self.derived)


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupted)
    parser = argparse.ArgumentParser(prog="run")
    parser.add_argument("recording", nargs="?")
    parser.add_argument("--config")
    parser.add_argument("--once", action="store_true")
    root, *arguments = sys.argv[1:]
    a = parser.parse_intermixed_args(arguments)  # --once and --config before or after RECORDING
    if bool(a.recording) != bool(a.config):
        parser.error("a recording and --config go together")
    play = Play(root, a.recording, a.config, a.once)
    try:
        return play.run()
    except Failed as e:
        print(f"run: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    finally:
        play.end()


if __name__ == "__main__":
    sys.exit(main())
