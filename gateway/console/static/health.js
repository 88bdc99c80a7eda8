// Devices; and what the box says of itself: destinations, ledger, log, store, calibration.
import {get} from '/api.js';
import {facts, h, sheet} from '/dom.js';
import {pointsOf} from '/overview.js';
import {w, age, time} from '/words.js';

export async function devices(page) {
  const [all, last, site, status] = await Promise.all([get('devices'), get('last'), get('site'), get('status')]);
  const points = pointsOf(site), seen = new Map();
  for (const r of last) {
    const d = points.get(r.series)?.device;
    if (d && (seen.get(d) ?? 0) < r.t) seen.set(d, r.t);
  }
  const due = new Map([...(status.calibration?.soon ?? []).map((x) => [x.series, [w('dueSoon'), x]]), ...(status.calibration?.overdue ?? []).map((x) => [x.series, [w('overdue'), x]])]);
  const calibration = (d) => [...points.values()].filter((p) => p.device === d && due.has(p.series))
    .map((p) => h('div', {className: due.get(p.series)[0] === w('overdue') ? 'bad' : 'warning'}, `${due.get(p.series)[0]}: ${time(due.get(p.series)[1].until)}`));
  const sources = all.pending?.sources ?? [];
  page.replaceChildren(h('h1', {}, w('devices')), sheet([w('device'), w('transport'), w('lastSeen'), w('calibration')], all.devices.map((d) =>
    [d.id, d.transport, seen.has(d.id) ? age(seen.get(d.id)) : h('span', {className: 'bad'}, w('noData')), h('div', {}, calibration(d.id))])),
  h('h2', {}, w('pending')), sources.length ? sheet([w('transport'), w('device'), ''], sources.map((s) => [s.transport ?? '', h('code', {}, s.source ?? ''), s.peer ?? ''])) : h('p', {}, w('nonePending')),
  h('p', {className: 'dim'}, w('adopt')));
}

export async function health(page) {
  const s = await get('status');
  const up = s.upstream ?? [];
  page.replaceChildren(h('h1', {}, w('health')), h('h2', {}, w('destinations')), sheet([w('name'), '', w('waiting'), w('refused'), w('lastError')],
    up.map((d) => [d.name, h('span', {className: d.connected ? 'good' : 'dim'}, w(d.connected ? 'connected' : 'notConnected')), String(d.waiting ?? ''), String(d.refused ?? ''), d.last_error ?? ''])),
  h('div', {className: 'grid', style: 'margin-top:1rem'},
    h('section', {className: 'card'}, h('h2', {style: 'margin-top:0'}, w('ledger')), facts([[w('state'), s.ledger?.state], [w('leaves'), String(s.ledger?.size ?? '')],
      ['', w(s.ledger?.certified ? 'certified' : 'uncertified')], ['', s.ledger?.trouble ?? '']])),
    h('section', {className: 'card'}, h('h2', {style: 'margin-top:0'}, w('configuration')), facts([[w('file'), s.configuration?.file],
      [w('state'), h('span', {className: s.configuration?.fell_back ? 'bad' : 'good'}, w(s.configuration?.fell_back ? 'fellBack' : 'inForce'))], ['', s.configuration?.refused ?? '']])),
    h('section', {className: 'card'}, h('h2', {style: 'margin-top:0'}, w('log')), facts([['seq', String(s.journal_seq)], [w('memory'), `${Math.round(s.rss / 1048576)} MiB`],
      ['MQTT', s.mqtt ? w(s.mqtt.connected ? 'connected' : 'notConnected') : '–'], [w('maintenance'), String((s.maintenance ?? []).length)]]))),
  h('h2', {}, w('counters')), sheet(['', ''], ['received', 'acknowledged', 'stored', 'duplicates', 'rejected', 'late', 'alerts', 'events_queued', 'events_delivered', 'bytes_received', 'bytes_written']
    .map((k) => [k, String(s[k] ?? '')])));
}
