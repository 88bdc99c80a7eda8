# SPDX-License-Identifier: Apache-2.0
"""The demonstration, as ./run plays it, with the binary under test; and a replay whose gateway is
killed again and again."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import steel

DEMO = steel.SOURCE / "packaging" / "demo"


def play(folder, source=DEMO):
    done = subprocess.run(
        [sys.executable, source / "play.py", steel.SOURCE, "--once"], capture_output=True,
        text=True, timeout=300, check=False,
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
        while not ended.wait(chance.uniform(0.05, 0.5)) and kills < 12:
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
