# SPDX-License-Identifier: Apache-2.0
"""The demonstration, as ./run plays it, with the binary under test; and a replay whose gateway is
killed again and again."""

import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import steel

DEMO = steel.SOURCE / "packaging" / "demo"


def play(folder, *arguments):
    done = subprocess.run(
        [sys.executable, DEMO / "play.py", steel.SOURCE, "--once", *arguments],
        capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "STEELYARD": str(steel.BINARY), "STEELYARD_DEMO": str(folder)})
    return done.returncode, done.stdout + done.stderr


class Demonstration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="steelyard-demo-")
        self.addCleanup(shutil.rmtree, self.folder)

    def test_it_plays_once_and_repeats_nothing(self):
        code, text = play(self.folder)
        self.assertEqual(code, 0, text)
        self.assertIn("exactly the expected alerts", text)
        code, text = play(self.folder)
        self.assertEqual(code, 0, text)
        self.assertIn("played before", text)
        self.assertIn("0 duplicates", text)


RULE = """rule WARM version 1 "Cold room"
  basis "GSP appendix 1" clause verify law
  applies to subject drug-wholesaler; goods refrigerated-drug; stage storage
  effective from 2026-01-01
  watch each room: temperature
  alert serious when temperature above 8 °C [law] for 10 min
end
"""
CONFIG = """gateway: {id: gw-1, data: data, rules: [warm.rules]}
mqtt: {broker: managed, listen: ["127.0.0.1:0"]}
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
devices:
  - {id: d1, transport: mqtt, topic: a/d1, format: json}
"""


class Recording(unittest.TestCase):
    """A recording and a configuration of the user's own."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="steelyard-demo-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.demo = self.dir / "demo"
        self.config, self.csv = self.dir / "gw.yaml", self.dir / "day.csv"
        self.config.write_text(CONFIG)
        (self.dir / "warm.rules").write_text(RULE)
        self.csv.write_text("time,device,point,value\n" + "".join(
            f"2026-03-02T01:{m:02}:00Z,d1,t,9.5\n" for m in range(20)))

    def refused(self, *arguments):
        before = sorted(self.dir.iterdir())
        code, text = play(self.demo, *arguments)
        self.assertEqual(code, 1, text)
        self.assertNotIn("Traceback", text)
        self.assertEqual(sorted(self.dir.iterdir()), before)
        return text

    def test_options_stand_before_or_after_the_recording(self):
        for arguments in ([self.csv, "--config", self.config], ["--config", self.config, self.csv]):
            code, text = play(self.demo, *arguments)
            self.assertEqual(code, 0, text)
            self.assertIn("1 raised", text)
            self.assertIn("rule WARM tells nobody: 1 alert not sent", text)

    def test_a_missing_file_is_one_line_and_leaves_nothing(self):
        none = self.dir / "none"
        for arguments in ([none, "--config", self.config], [self.csv, "--config", none]):
            text = self.refused(*arguments)
            self.assertEqual(text, f"run: {none}: No such file or directory\n")

    def test_a_gateway_without_rules_is_told_so_before_anything_is_played(self):
        self.config.write_text(CONFIG.replace(", rules: [warm.rules]", ""))
        text = self.refused(self.csv, "--config", self.config)
        self.assertIn(f"{self.config}: there are no rules", text)
        self.config.write_text(CONFIG.replace("warm.rules", "cold.rules"))
        text = self.refused(self.csv, "--config", self.config)
        self.assertIn(f"{self.config}:1:41: error: cold.rules is not there", text)


class Killed(steel.Case):
    """Kills of the gateway in the middle of a replay cost time and nothing else."""

    def test_a_replay_survives_its_gateway(self):
        shutil.copytree(DEMO / "rules", self.dir / "rules")
        config = self.dir / "steelyard.yaml"
        shutil.copy(DEMO / "steelyard.yaml", config)
        steel.cli("keys", "demo", "--out", self.dir / "keys")
        steel.cli("demo", "--out", self.dir)
        recording, data = self.dir / "market.csv", self.dir / "data"
        gateway = self.start(steel.Gateway(config, data, "--clock", "replay"))
        replay = subprocess.Popen(
            [steel.BINARY, "replay", recording, "--config", config, "--data", data, "--shuffle",
             "5"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ended = threading.Event()
        threading.Thread(target=lambda: (replay.wait(), ended.set()), daemon=True).start()
        chance, kills = random.Random(11), 0
        while not ended.wait(chance.uniform(0.05, 0.5)) and kills < 6:
            gateway.kill()
            gateway.start()
            kills += 1
        text = replay.communicate(timeout=120)[0]
        self.assertEqual(replay.returncode, 0, text)
        self.assertGreaterEqual(kills, 3)
        with open(recording) as f:
            want = sorted(f.read().splitlines())
        got = steel.cli("export", "--data", data, "--format", "csv")
        self.assertEqual(sorted(got.replace("+unauthenticated", "").splitlines()), want)
        end = want[-2].split(",")[0]
        rules = self.dir / "rules" / "market.rules"
        live = gateway.alerts("--to", end)
        self.assertEqual(live, steel.cli("rules", "backtest", rules, "--config", config,
                                         "--readings", recording, "--to", end, "--json"))
        self.assertEqual(live.count('"id"'), 5)


if __name__ == "__main__":
    unittest.main()
