# SPDX-License-Identifier: Apache-2.0
"""The console's pages in Debian's Chromium (tests/browser/look.js): each role, desktop and phone, both
languages. Screenshots are left in the build folder, in browser/."""

import os
import shutil
import subprocess

import node_modules
import steel
import test_console

HERE = steel.SOURCE / "tests" / "browser"


class Browser(test_console.Console):
    def test_pages(self):
        if not shutil.which("chromium"):
            self.skipTest("chromium is not installed here")
        modules = node_modules.installed(HERE, "puppeteer-core")
        if not modules:
            self.skipTest("puppeteer-core cannot be had by npm here")
        rules = self.write("warm.rules", steel.warm_rule("warm", "10 min"))
        tree = steel.base_config(
            [rules], [{"id": "probe", "transport": "coap", "format": "senml-json",
                       "credential": "none", "from": "127.0.0.0/8"}],
            [{"id": "fridge", "kind": "cabinet", "name": "冷柜 1", "points": [
                {"quantity": "temperature", "device": "probe", "name": "t", "unit": "degC",
                 "every": "1 min"}]}], console={"listen": "127.0.0.1:0"})
        del tree["mqtt"]
        self.gateway = self.start(steel.Gateway(self.config(tree), self.dir / "data"))
        status = self.gateway.status()
        for role in ("viewer", "inspector", "deployer", "regulator", "auditor"):
            self.account(role, role)
        pictures = steel.BUILD / "browser"
        pictures.mkdir(exist_ok=True)
        shutil.copy(HERE / "look.js", modules / "look.js")
        done = subprocess.run(
            ["node", "look.js", "http://127.0.0.1:%d/" % status["console"]["port"],
             str(status["coap"]["ports"][0]), str(pictures)],
            cwd=modules, capture_output=True, text=True, timeout=300,
            env={**os.environ, "HOME": str(self.dir)})
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        said = steel.cli("verify", pictures / "evidence.html", expect=None)
        self.assertIn("proven", said.stdout)


if __name__ == "__main__":
    steel.main()
