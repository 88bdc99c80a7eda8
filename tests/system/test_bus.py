# SPDX-License-Identifier: Apache-2.0
"""Destinations of kind mqtt: a mosquitto and a RabbitMQ over mutual TLS, and what dies in the middle:
the process that speaks MQTT, the gateway, the broker. What arrived is read by mosquitto_sub and, from
RabbitMQ's queue, by an AMQP client."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest

import devices
import steel

RABBIT = next(iter(sorted(pathlib.Path("/usr/lib/rabbitmq/lib").glob(
    "rabbitmq_server-*/sbin/rabbitmq-server"))), None)
sys.path.append("/usr/lib/python3/dist-packages")  # for a python3 that is not Debian's
try:
    import pika
except ImportError:
    pika = None
START = 1767571200000  # 2026-01-05
RULES = steel.warm_rule("BUS-01", missing="400 days")
SUB = shutil.which("mosquitto_sub")
RABBIT_CONF = """
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:%(amqp)d
mqtt.listeners.tcp = none
mqtt.listeners.ssl.1 = 127.0.0.1:%(mqtt)d
mqtt.allow_anonymous = false
mqtt.ssl_cert_login = true
ssl_cert_login_from = common_name
auth_mechanisms.1 = EXTERNAL
ssl_options.cacertfile = %(keys)s/ca.pem
ssl_options.certfile = %(keys)s/broker.pem
ssl_options.keyfile = %(keys)s/broker.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
load_definitions = %(dir)s/definitions.json
"""


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Keys:
    """A CA, the broker's certificate for localhost, the gateway's, and a list that revokes the
    broker's."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir()
        self.new("ca", "-x509", "-days", 30, "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        for name, more in (("broker", "subjectAltName=DNS:localhost"),
                           ("gateway", "extendedKeyUsage=clientAuth"),
                           ("reader", "extendedKeyUsage=clientAuth")):
            self.certify(name, more)
        self.new("other", "-x509", "-days", 30)
        (self.dir / "index").write_text("")
        (self.dir / "ca.conf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\n"
                                          "default_md=sha256\ndefault_crl_days=30\n" % self.dir)
        by = ("-config", self.dir / "ca.conf", "-cert", self.dir / "ca.pem", "-keyfile",
              self.dir / "ca.key")
        openssl("ca", *by, "-gencrl", "-out", self.dir / "empty.crl")
        openssl("ca", *by, "-revoke", self.dir / "broker.pem")
        openssl("ca", *by, "-gencrl", "-out", self.dir / "crl.pem")

    def certify(self, name, more):
        self.new(name, "-addext", more, "-out", self.dir / (name + ".csr"))
        openssl("x509", "-req", "-in", self.dir / (name + ".csr"), "-CA", self.dir / "ca.pem",
                "-CAkey", self.dir / "ca.key", "-days", 30, "-copy_extensions", "copy",
                "-out", self.dir / (name + ".pem"))

    def new(self, name, *more):
        where = () if "-out" in more else ("-out", self.dir / (name + ".pem"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.dir / (name + ".key"), "-subj", "/CN=" + name, *more, *where)


class Mosquitto:
    def __init__(self, folder, keys):
        self.dir, self.port, self.process = pathlib.Path(folder), steel.free_port(), None
        self.dir.mkdir()
        (self.dir / "m.conf").write_text(
            "listener %d 127.0.0.1\ncafile %s/ca.pem\ncertfile %s/broker.pem\nkeyfile %s/broker.key\n"
            "require_certificate true\nuse_identity_as_username true\npersistence true\n"
            "persistence_location %s/\nmax_queued_messages 0\nmax_inflight_messages 0\n%s" %
            (self.port, keys.dir, keys.dir, keys.dir, self.dir,
             "user root\n" if os.geteuid() == 0 else ""))

    def start(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with open(self.dir / "m.log", "ab") as log:
            self.process = subprocess.Popen([program, "-c", str(self.dir / "m.conf")],
                                            stdout=log, stderr=log)
        steel.until(lambda: steel.listening(self.port), "mosquitto")

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None


class Reader:
    """mosquitto_sub; lines of topic, content type and payload."""

    def __init__(self, broker, keys):
        self.broker, self.keys, self.lines, self.process = broker, keys, [], None

    def start(self):
        log, broker, keys = self.broker.dir / "m.log", self.broker, self.keys
        before = log.read_text().count("as reader")
        self.process = subprocess.Popen(
            [SUB, "-V", "5", "-h", "localhost", "-p", str(broker.port), "--cafile",
             str(keys.dir / "ca.pem"), "--cert", str(keys.dir / "reader.pem"), "--key",
             str(keys.dir / "reader.key"), "-i", "reader", "-q", "1", "-t", "steelyard/#", "-F",
             "%t %C %p"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True).start()
        steel.until(lambda: log.read_text().count("as reader") > before, "the reader to be let in")
        return self

    def read(self, out):
        with out:
            self.lines.extend(out)

    def events(self):
        return [(line.split(" ", 1)[0], line[line.index("{"):]) for line in list(self.lines)]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Rabbit:
    """RabbitMQ without systemd, on loopback alone, with a durable queue for what arrives."""

    def __init__(self, folder, keys):
        self.dir, self.keys, self.process = pathlib.Path(folder), keys, None
        self.dir.mkdir()
        self.port, self.amqp, self.epmd = steel.free_port(), steel.free_port(), steel.free_port()
        users = [{"name": n, "password_hash": "", "hashing_algorithm":
                  "rabbit_password_hashing_sha256", "tags": []} for n in ("gateway", "reader")]
        everything = {"configure": ".*", "write": ".*", "read": ".*", "vhost": "/"}
        (self.dir / "definitions.json").write_text(json.dumps({
            "users": users, "vhosts": [{"name": "/"}],
            "permissions": [dict(everything, user=u["name"]) for u in users],
            "queues": [{"name": "alerts", "vhost": "/", "durable": True, "auto_delete": False,
                        "arguments": {}}],
            "bindings": [{"source": "amq.topic", "vhost": "/", "destination": "alerts",
                          "destination_type": "queue", "routing_key": "steelyard.#",
                          "arguments": {}}]}))
        (self.dir / "r.conf").write_text(RABBIT_CONF % {
            "amqp": self.amqp, "mqtt": self.port, "keys": keys.dir, "dir": self.dir})
        (self.dir / "plugins").write_text(
            "[rabbitmq_mqtt,rabbitmq_auth_mechanism_ssl].")
        self.env = dict(
            os.environ, HOME=str(self.dir), RABBITMQ_CONFIG_FILE=str(self.dir / "r"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self.dir / "plugins"),
            RABBITMQ_MNESIA_BASE=str(self.dir / "db"), RABBITMQ_LOG_BASE=str(self.dir / "log"),
            RABBITMQ_NODENAME="r%d@localhost" % self.port,
            RABBITMQ_DIST_PORT=str(steel.free_port()), RABBITMQ_CONF_ENV_FILE="/dev/null",
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}",
            ERL_EPMD_ADDRESS="127.0.0.1", ERL_EPMD_PORT=str(self.epmd))

    def start(self):
        epmd = shutil.which("epmd") or str(next(pathlib.Path("/usr/lib/erlang").glob(
            "erts-*/bin/epmd")))
        with open(self.dir / "out.log", "ab") as log:
            self.names = subprocess.Popen([epmd], env=self.env, stdout=log, stderr=log)
            self.process = subprocess.Popen([str(RABBIT)], env=self.env, stdout=log, stderr=log,
                                            start_new_session=True)
        steel.until(lambda: steel.listening(self.port), "RabbitMQ", 60, 0.1)

    def stop(self):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(20)
            self.names.terminate()
            self.names.wait(20)
            self.process = None

    def events(self, n):
        """Take what is in the queue until there are n different ones."""
        context = steel_context(self.keys)
        got, seen = [], set()
        with pika.BlockingConnection(pika.ConnectionParameters(
                "localhost", self.amqp, ssl_options=pika.SSLOptions(context, "localhost"),
                credentials=pika.credentials.ExternalCredentials())) as line:
            channel = line.channel()
            for method, _, body in channel.consume("alerts", auto_ack=True, inactivity_timeout=10):
                if method is None:
                    break
                got.append((method.routing_key.replace(".", "/"), body.decode()))
                seen.add(json.loads(got[-1][1])["id"])
                if len(seen) == n:
                    break
        return got


def steel_context(keys):
    import ssl
    context = ssl.create_default_context(cafile=str(keys.dir / "ca.pem"))
    context.load_cert_chain(str(keys.dir / "reader.pem"), str(keys.dir / "reader.key"))
    return context


@unittest.skipUnless(SUB, "the package mosquitto-clients is not installed")
class Bus(steel.Case):
    def setUp(self):
        super().setUp()
        self.keys = Keys(self.dir / "keys")
        self.at, self.count = START, 0

    def tree(self, port, **more):
        tls = {"ca": str(self.keys.dir / "ca.pem"), "cert": str(self.keys.dir / "gateway.pem"),
               "key": str(self.keys.dir / "gateway.key")}
        tls.update(more.pop("tls", {}))
        tree = steel.base_config(
            [self.write("bus.rules", RULES)],
            [{"id": "c1", "transport": "coap", "format": "senml-json", "credential": "none",
              "from": "127.0.0.0/8"}],
            [{"id": "cab", "kind": "cabinet", "points": [
                {"quantity": "temperature", "device": "c1", "name": "t", "unit": "degC"}]}],
            coap={"listen": ["127.0.0.1:%d" % self.coap_port]},
            destinations=[dict({"name": "bus", "kind": "mqtt",
                                "url": "mqtts://localhost:%d" % port, "tls": tls,
                                "serves": ["inspector"], "egress": {"classes": ["alert"]}},
                               **more)])
        del tree["mqtt"]
        return tree

    def run_gateway(self, port, **more):
        self.coap_port = steel.free_port(socket.SOCK_DGRAM)
        self.gateway = self.start(steel.Gateway(
            self.config(self.tree(port, **more)), self.dir / "data", "--clock", "replay",
            log=self.dir / "gateway.log"))
        self.coap = devices.CoapDevice(("127.0.0.1", self.coap_port))
        self.addCleanup(self.coap.close)
        self.gateway.control("mark %d" % (START - 1))

    def alerts(self, n):
        """n alerts, each raised and cleared again: 2 n events."""
        rows = []
        for i in range(2 * n):
            rows.append('{"n":"t","u":"Cel","v":%s,"t":%d}' % ("4" if i % 2 else "9",
                                                              self.at // 1000))
            self.at += 60000
            if len(rows) == 16 or i == 2 * n - 1:
                code, text = self.coap.request("r/c1", ("[" + ",".join(rows) + "]").encode())
                self.assertEqual(code, "2.04", text)
                rows.clear()
        self.gateway.control("mark %d" % self.at)
        self.gateway.drained()
        self.count += n

    def state(self):
        return self.gateway.status()["upstream"][0]

    def kick(self):
        self.gateway.process.send_signal(signal.SIGHUP)

    def delivered(self):
        steel.until(lambda: self.state()["waiting"] == 0, "all to be delivered")

    def child(self):
        """The pid of the process that speaks MQTT; None: there is none."""
        with contextlib.suppress(OSError):
            for task in pathlib.Path("/proc/%d/task" % self.gateway.process.pid).iterdir():
                for pid in (task / "children").read_text().split():
                    with contextlib.suppress(OSError):
                        if b"mqtt-road" in pathlib.Path("/proc/%s/cmdline" % pid).read_bytes():
                            return int(pid)
        return None

    def refused_tls(self, why, **tls):
        self.config(self.tree(self.broker.port, tls=tls))
        self.kick()
        steel.until(lambda: why in self.state()["last_error"], why)
        self.assertEqual(self.state()["connects"], 0)

    def compare(self, got, doubles):
        """All events, those of an alert in their order, and few of them twice."""
        first = {}
        seen = []
        for topic, text in got:
            event = json.loads(text)
            alert, number = event["id"].rsplit("/", 1)
            self.assertEqual(event["specversion"], "1.0")
            self.assertEqual(topic, "steelyard/gw-test-1/prem/" +
                             event["data"]["alert"]["severity"])
            if event["id"] in seen:
                continue
            seen.append(event["id"])
            self.assertEqual(int(number), first.get(alert, 0) + 1, event["id"])
            first[alert] = int(number)
        self.assertEqual(len(seen), 2 * self.count)
        self.assertLessEqual(len(got) - len(seen), doubles)
        print("%d events, %d of them came twice" % (len(seen), len(got) - len(seen)))

    def test_mosquitto(self):
        self.broker = Mosquitto(self.dir / "m", self.keys)
        self.addCleanup(lambda: self.broker.stop())
        self.broker.start()
        reader = Reader(self.broker, self.keys).start()
        self.addCleanup(reader.stop)
        self.run_gateway(self.broker.port)
        self.alerts(20)
        self.delivered()
        steel.until(lambda: len(reader.events()) >= 40, "the events at the reader")
        self.compare(reader.events(), 0)
        self.assertIn("application/cloudevents+json", reader.lines[0])

        # The process dies while nothing is under way, then while there is.
        first = self.child()
        self.assertIsNotNone(first)
        os.kill(first, signal.SIGKILL)
        steel.until(lambda: not self.state()["connected"], "the gateway to see it")
        self.alerts(20)
        self.delivered()
        self.broker.process.send_signal(signal.SIGSTOP)
        self.alerts(20)
        steel.until(lambda: self.child(), "a process")
        os.kill(self.child(), signal.SIGKILL)
        self.broker.process.send_signal(signal.SIGCONT)
        self.delivered()
        self.assertEqual(self.state()["refused"], 0)

        # The broker is killed; an outage; the gateway is killed in the drain.
        self.broker.stop(signal.SIGKILL)
        reader.stop()  # it may end with its connection by itself, or try again
        self.alerts(60)
        self.assertGreater(self.state()["waiting"], 100)
        self.broker.start()
        reader.start()
        self.broker.process.send_signal(signal.SIGSTOP)
        self.kick()
        steel.until(lambda: self.child(), "a process")
        orphan = self.child()
        self.gateway.kill()
        steel.until(lambda: not pathlib.Path("/proc/%d" % orphan).exists(),
                    "the process to end with its gateway")
        self.broker.process.send_signal(signal.SIGCONT)
        steel.until(lambda: steel.listening(self.broker.port), "mosquitto")
        self.gateway.start()
        self.delivered()
        steel.until(lambda: len({json.loads(e)["id"] for _, e in reader.events()}) ==
                    2 * self.count, "the events at the reader")
        self.compare(reader.events(), 200)

        # TLS: another CA, another name, a revoked certificate; an empty list is none of these.
        self.broker.stop()
        self.broker.start()
        self.alerts(1)
        self.delivered()
        self.broker.stop()
        self.alerts(1)
        self.broker.start()
        self.refused_tls("certificate that is refused", ca=str(self.keys.dir / "other.pem"))
        self.refused_tls("revoked", crl=str(self.keys.dir / "crl.pem"))
        self.refused_tls("no list of revoked", crl=str(self.keys.dir / "ca.pem"))
        tree = self.tree(self.broker.port)
        tree["destinations"][0]["url"] = "mqtts://127.0.0.1:%d" % self.broker.port
        self.config(tree)
        self.kick()
        steel.until(lambda: "IP address mismatch" in self.state()["last_error"], "a wrong name")
        self.config(self.tree(self.broker.port, tls={"crl": str(self.keys.dir / "empty.crl")}))
        self.kick()
        self.delivered()

        # Another certificate in the same files: the next connection shows it, without a restart.
        self.keys.certify("renewed", "extendedKeyUsage=clientAuth")
        for kind in (".pem", ".key"):
            os.replace(self.keys.dir / ("renewed" + kind), self.keys.dir / ("gateway" + kind))
        log = self.broker.dir / "m.log"
        self.assertNotIn("u'renewed'", log.read_text())
        before = self.state()["connects"]
        self.kick()
        self.alerts(1)
        self.delivered()
        steel.until(lambda: "u'renewed'" in log.read_text(), "the new certificate at the broker")
        self.assertGreater(self.state()["connects"], before)

    @unittest.skipUnless(RABBIT and pika, "rabbitmq-server or python3-pika is not installed")
    def test_rabbitmq(self):
        self.broker = Rabbit(self.dir / "r", self.keys)
        self.addCleanup(lambda: self.broker.stop())
        starting = threading.Thread(target=self.broker.start)
        starting.start()
        self.run_gateway(self.broker.port, version="3.1.1")
        self.alerts(50)  # an outage, while it starts
        starting.join()
        self.kick()
        self.delivered()
        self.alerts(50)
        steel.until(lambda: self.child(), "a process")
        os.kill(self.child(), signal.SIGKILL)
        self.delivered()
        self.compare(self.broker.events(2 * self.count), 100)


if __name__ == "__main__":
    steel.main()
