// SPDX-License-Identifier: Apache-2.0
// An edge node by the real sparkplug-client: node node.js PORT USER PASSWORD GROUP NODE. Reads one
// JSON object a line: {"do": "birth" | "data" | "dbirth" | "ddata" | "ddeath" | "skip" | "die",
// "device": …, "metrics": […]}; writes what happens, one word a line: connected, rebirth, done.
'use strict';
const sparkplug = require(process.env.SY_SPARKPLUG_CLIENT || 'sparkplug-client');
const [port, username, password, groupId, edgeNode] = process.argv.slice(2);
const say = (word) => process.stdout.write(word + '\n');
const client = sparkplug.newClient({
  serverUrl: 'mqtt://127.0.0.1:' + port, username, password, groupId, edgeNode,
  clientId: edgeNode + '-' + process.pid, version: 'spBv1.0', keepalive: 30,
  mqttOptions: { reconnectPeriod: 200 },
});
let last = 0; // no two payloads of one time
const payload = (metrics) => ({
  timestamp: (last = Math.max(last + 1, Date.now())), metrics: metrics || [],
});
client.on('birth', () => say('connected'));
client.on('error', (e) => say('error ' + e.message));
client.on('ncmd', (p) => {
  for (const m of p.metrics || []) {
    if (m.name === 'Node Control/Rebirth' && m.value) say('rebirth');
  }
});
const actions = {
  birth: (c) => client.publishNodeBirth(payload(c.metrics)),
  data: (c) => client.publishNodeData(payload(c.metrics)),
  dbirth: (c) => client.publishDeviceBirth(c.device, payload(c.metrics)),
  ddata: (c) => client.publishDeviceData(c.device, payload(c.metrics)),
  ddeath: (c) => client.publishDeviceDeath(c.device, payload(c.metrics)),
  skip: () => client.incrementSeqNum(), // as if a message had been lost
  die: () => client.client.stream.destroy(), // without a word: the broker publishes the will
};
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const c = JSON.parse(line);
  actions[c.do](c);
  say('done');
}).on('close', () => process.exit(0));
