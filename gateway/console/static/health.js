// Devices; and what the box says of itself: destinations, ledger, log, store, calibration.
import {ask, get, may} from '/api.js';
import {facts, h, say, sheet} from '/dom.js';
import {pointsOf} from '/overview.js';
import {w, age, both, time} from '/words.js';

// Of a device, a place or a point; who announces it is in the ledger.
function maintenanceForm(site, again) {
  const targets = site.premises.flatMap((p) => p.places.flatMap((x) => [[`place:${p.id}/${x.id}`, `${p.name} · ${x.name}`],
    ...new Set(x.points.map((q) => q.device))].map((t) => (Array.isArray(t) ? t : [`device:${t}`, t]))));
  const on = h('select', {'aria-label': w('place')}, targets.map(([value, text]) => h('option', {value}, text)));
  const minutes = h('input', {type: 'number', min: 1, max: 44640, value: 60, 'aria-label': w('minutes'), style: 'flex:0 1 7rem'});
  const why = h('input', {'aria-label': w('why'), placeholder: w('why'), required: true, maxLength: 300});
  return h('form', {className: 'actions', 'data-act': 'maintenance', onsubmit: async (e) => {
    e.preventDefault();
    try {
      await ask('POST', 'maintenance', {on: on.value, minutes: Number(minutes.value), why: why.value});
      say(w('done'));
      await again();
    } catch (error) {
      say(error.message || w('connectionLost'));
    }
  }}, on, minutes, why, h('button', {}, w('announce')));
}

const running = (status) => (status.maintenance.length ? sheet(['', '', w('until'), w('why')], status.maintenance.map((m) => [m.kind, m.on, time(m.until), `${m.who}: ${m.why}`])) : h('p', {}, w('nonePending')));

function assessment() {
  const box = h('div', {});
  const button = h('button', {type: 'button', 'data-tool': 'assess', onclick: async () => {
    button.disabled = true;
    box.replaceChildren(h('p', {}, w('working')));
    try {
      const r = await get('assess');
      const order = ['bad', 'weak', 'note', 'pass'];
      box.replaceChildren(h('p', {className: 'value', 'data-grade': r.grade}, `${w('grade')} ${r.grade}`), sheet(['', '', '', ''], r.findings
        .sort((a, b) => order.indexOf(a.grade) - order.indexOf(b.grade)).map((f) => [h('span', {className: {bad: 'bad', weak: 'warning', pass: 'good'}[f.grade] ?? 'dim'}, w(f.grade)),
          `${f.etsi} ${both(f.etsi_heading)}`, `${both(f.text)}${f.subject ? ` (${f.subject})` : ''}`, both(f.todo)])));
    } catch (e) {
      box.replaceChildren(h('p', {className: 'error'}, e.message || w('connectionLost')));
    }
    button.disabled = false;
  }}, w('assess'));
  return [h('h2', {}, w('assessment')), button, box];
}

export async function devices(page) {
  const again = () => devices(page);
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
  h('p', {className: 'dim'}, w('adopt')), h('h2', {}, w('maintenance')), running(status), may('devices') ? maintenanceForm(site, again) : '');
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
    .map((k) => [k, String(s[k] ?? '')])), ...(may('audit') ? assessment() : []));
}
