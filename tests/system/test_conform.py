# SPDX-License-Identifier: Apache-2.0
"""The conformance test of receivers: the inbox behind an nginx that ends mutual TLS passes, and a
receiver that says yes to everything fails where it is wrong. The description for machines is sound,
and its own examples are taken by the inbox."""

import json
import os
import pathlib
import shutil
import ssl
import subprocess
import unittest
import urllib.request

import steel

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
ROOT = pathlib.Path(os.environ.get("SY_SOURCE_DIR", pathlib.Path(__file__).parents[2]))

NGINX_CONF = """
daemon off;
pid %(dir)s/nginx.pid;
error_log %(dir)s/error.log;
worker_processes 1;
%(user)s
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy;
  fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
  ssl_certificate %(keys)s/authority.pem;
  ssl_certificate_key %(keys)s/authority.key;
  ssl_client_certificate %(keys)s/ca.pem;
  server {
    listen 127.0.0.1:%(port)d ssl;
    ssl_verify_client on;
    client_max_body_size 2m;
    location / {
      proxy_pass https://127.0.0.1:%(inbox)d;
      proxy_http_version 1.1;
      proxy_ssl_certificate %(keys)s/gateway.pem;
      proxy_ssl_certificate_key %(keys)s/gateway.key;
    }
  }
  server {
    listen 127.0.0.1:%(yes)d ssl;
    ssl_verify_client optional;
    client_max_body_size 0;
    location / { return 204; }
  }
}
"""


class Conform(steel.Case):
    def setUp(self):
        super().setUp()
        self.keys = self.dir / "keys"
        steel.cli("keys", "demo", "--out", self.keys, "--gateway", "gw-c")
        self.inbox_port = steel.free_port()
        self.inbox = steel.Child(
            ["inbox", "--listen", "127.0.0.1:%d" % self.inbox_port, "--cert",
             self.keys / "authority.pem", "--key", self.keys / "authority.key", "--client-ca",
             self.keys / "ca.pem", "--data", self.dir / "inbox"], self.dir / "inbox.log")
        self.inbox.start()
        self.addCleanup(self.inbox.stop)
        steel.until(lambda: steel.listening(self.inbox_port), "the inbox")

    def conform(self, port, expect, sign=True):
        more = ["--sign-key", self.keys / "ledger.key", "--sign-cert", self.keys / "ledger.pem",
                "--gateway", "gw-c"] if sign else []
        text = steel.cli("conform", "--url", "https://127.0.0.1:%d/events" % port, "--ca",
                         self.keys / "ca.pem", "--cert", self.keys / "gateway.pem", "--key",
                         self.keys / "gateway.key", "--json", *more, expect=expect)
        told = json.loads(text)
        self.assertEqual(told["conforms"], expect == 0, text)
        return {row["name"]: row for row in told["rows"]}

    @unittest.skipUnless(NGINX, "the package nginx is not installed")
    def test_behind_nginx_and_one_that_says_yes(self):
        folder, port, yes = self.dir / "nginx", steel.free_port(), steel.free_port()
        folder.mkdir()
        (folder / "nginx.conf").write_text(NGINX_CONF % {
            "dir": folder, "port": port, "yes": yes, "keys": self.keys, "inbox": self.inbox_port,
            "user": "user root;" if os.geteuid() == 0 else ""})
        with open(folder / "out.log", "ab") as log:
            nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"),
                                      "-e", str(folder / "early.log")], stdout=log, stderr=log)
        self.addCleanup(nginx.wait, 20)
        self.addCleanup(nginx.terminate)
        steel.until(lambda: steel.listening(port) and steel.listening(yes), "nginx")
        rows = self.conform(port, 0)
        self.assertEqual(len(rows), 26)
        rows = self.conform(yes, 1)
        self.assertEqual({name for name, row in rows.items() if not row["pass"]}, {
            "24-MiB", "no-json", "no-utf-8", "no-object", "no-id", "other-specversion",
            "half-malformed", "other-media-type", "get", "no-certificate", "one-of-three-altered",
            "known-and-altered", "in-the-name-of-another", "signed-by-another-key"})

    def test_without_a_key_signatures_are_not_tried(self):
        rows = self.conform(self.inbox_port, 0, sign=False)
        self.assertNotIn("signed", rows)

    # -- the description for machines

    def resolve(self, node, root):
        while "$ref" in node:
            path = node["$ref"]
            self.assertTrue(path.startswith("#/"), path)
            node = root
            for part in path[2:].split("/"):
                self.assertIn(part, node, path)
                node = node[part]
        return node

    def bundled(self, schema, root):
        """The schema with the others as definitions beside it."""
        text = json.dumps({"allOf": [schema], "$defs": root["components"]["schemas"]})
        return json.loads(text.replace("#/components/schemas/", "#/$defs/"))

    def test_the_description_is_sound_and_its_examples_are_taken(self):
        try:
            import jsonschema
            import yaml
        except ImportError:
            self.skipTest("no python3-jsonschema or python3-yaml")
        root = yaml.safe_load((ROOT / "docs/receiver.openapi.yaml").read_text())
        self.assertEqual(root["openapi"], "3.1.0")
        self.assertLessEqual({"title", "version"}, set(root["info"]))
        for schema in root["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        sent = 0
        names = set()
        for path, item in root["paths"].items():
            for method, operation in item.items():
                self.assertIn(method, ("get", "post", "put"))
                names.add(operation["operationId"])
                in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
                self.assertEqual(in_path, {p[1:-1] for p in path.split("/") if p[:1] == "{"})
                contents = [(operation.get("requestBody") or {}).get("content", {})]
                for status, response in operation["responses"].items():
                    self.assertRegex(status, "^[2-5][0-9][0-9]$")
                    response = self.resolve(response, root)
                    self.assertIn("description", response)
                    contents.append(response.get("content", {}))
                for content in contents:
                    for media, body in content.items():
                        sent += self.try_examples(root, media, body, content is contents[0])
        self.assertEqual(names, {"deliver", "orders", "evidence"})
        self.assertEqual(sent, 3)
        wrong = {"specversion": "1.0", "id": "", "source": "/x", "type": "t"}
        check = self.bundled(root["components"]["schemas"]["Event"], root)
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(wrong, check, jsonschema.Draft202012Validator)

    def try_examples(self, root, media, body, to_send):
        import jsonschema
        schema = self.bundled(body["schema"], root)
        self.resolve(body["schema"], root)
        n = 0
        for example in body.get("examples", {}).values():
            jsonschema.validate(example["value"], schema, jsonschema.Draft202012Validator)
            if to_send:
                answer = self.deliver(media, example["value"])
                jsonschema.validate(answer, self.bundled(root["components"]["schemas"]["Taken"],
                                                         root))
                events = example["value"] if isinstance(example["value"], list) else [
                    example["value"]]
                self.assertEqual(answer, {"stored": len(events), "known": 0})
                n += 1
        return n

    def deliver(self, media, value):
        context = ssl.create_default_context(cafile=str(self.keys / "ca.pem"))
        context.load_cert_chain(self.keys / "gateway.pem", self.keys / "gateway.key")
        request = urllib.request.Request("https://127.0.0.1:%d/events" % self.inbox_port,
                                         json.dumps(value).encode(), {"Content-Type": media})
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return json.loads(answer.read())


if __name__ == "__main__":
    steel.main()
