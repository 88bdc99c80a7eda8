// The list of alerts, and one with what it rests on and what people did.
import {ask, get, listen, may} from '/api.js';
import {facts, h, say, sheet} from '/dom.js';
import {pointsOf} from '/overview.js';
import {plot} from '/plot.js';
import {w, both, time, valueText, age, zh} from '/words.js';

function marks(a) {
  return [a.trial && w('trial'), a.acknowledged && `${w('acknowledgedBy')} ${a.acknowledged_by}`,
    a.shelved_until && `${w('shelvedUntil')} ${time(a.shelved_until)}`, a.unanswered && w('unanswered')]
    .filter(Boolean).map((t) => h('span', {className: 'tag'}, t));
}

function card(a, points) {
  const p = points.get(a.series);
  return h('article', {className: `card alert ${a.severity}`, 'data-alert': a.id}, h('div', {className: 'row'},
    h('span', {className: 'tag ' + a.severity}, w(a.severity)), h('span', {className: 'dim'}, `${w(a.state)} · ${age(Date.parse(a.onset))}`)),
  h('h3', {style: 'margin:.4rem 0'}, h('a', {href: '#/alert/' + a.id}, both(a.message) || a.rule)),
  h('p', {style: 'margin:.2rem 0'}, p ? `${p.premises.name} · ${p.place.name}` : a.subject),
  h('p', {className: 'row', style: 'justify-content:flex-start;margin:.2rem 0'}, marks(a)));
}

export async function list(page, stay, state = 'active') {
  const points = pointsOf(await get('site'));
  const box = h('div', {});
  const load = async () => {
    const alerts = await get(`alerts?state=${state}&limit=500`);
    box.replaceChildren(...(alerts.length ? alerts.map((a) => card(a, points)) : [h('p', {}, w('noAlerts'))]));
  };
  const choice = (key, to) => h('a', {href: to, className: 'tag', 'aria-current': state === key ? 'page' : null}, w(key === 'all' ? 'all' : 'onlyActive'));
  page.replaceChildren(h('h1', {}, w('alerts')), h('p', {className: 'row', style: 'justify-content:flex-start'},
    choice('active', '#/alerts'), choice('all', '#/alerts/all')), box);
  await load();
  stay(listen('alert', load));
}

function actionForm(a, kind, again) {
  const why = h('input', {name: 'why', 'aria-label': w('why'), placeholder: w('why'), maxLength: 500, required: kind !== 'acknowledge' && kind !== 'unshelve'});
  const minutes = kind === 'shelve' ? h('input', {type: 'number', min: 1, max: 10080, value: 60, 'aria-label': w('minutes'), style: 'flex:0 1 7rem'}) : null;
  const button = h('button', {className: kind === 'acknowledge' ? 'main' : ''}, w(kind));
  return h('form', {className: 'actions', 'data-act': kind, onsubmit: async (e) => {
    e.preventDefault();
    button.disabled = true;
    try {
      await ask('POST', `alerts/${a.id}/${kind}`, {why: why.value, ...(minutes ? {minutes: Number(minutes.value)} : {})});
      say(w('done'));
      await again();
    } catch (error) {
      say(error.message || w('connectionLost'));
      button.disabled = false;
    }
  }}, why, minutes, button);
}

function actions(a, again) {
  const over = a.state === 'withdrawn';
  return [!over && may('answer') && !a.acknowledged && actionForm(a, 'acknowledge', again), may('answer') && actionForm(a, 'comment', again),
    may('shelve') && a.state === 'active' && !a.shelved_until && actionForm(a, 'shelve', again),
    may('shelve') && a.shelved_until && actionForm(a, 'unshelve', again)];
}

export async function one(page, stay, id) {
  const points = pointsOf(await get('site'));
  async function load() {
    const a = await get('alerts/' + id);
    const point = points.get(a.series), said = a.events.map((e) => e.data).filter((d) => d && d.rule).at(-1) || {};
    const rule = said.rule || {};
    const to = (a.cleared ? Date.parse(a.cleared) : Date.now()), from = Date.parse(a.onset), margin = Math.max(1800000, (to - from) / 3);
    const data = point && await get(`readings?series=${encodeURIComponent(a.series)}&from=${Math.round(from - margin)}&to=${Math.round(Math.min(Date.now(), to + margin))}&points=1000`);
    const basis = (rule.basis || []).map((b) => h('div', {}, both(b.text), b.clause ? ` ${both(b.clause)}` : ''));
    page.replaceChildren(h('p', {}, h('a', {href: '#/alerts'}, '← ' + w('seeAll'))),
      h('div', {className: `card alert ${a.severity}`}, h('div', {className: 'row'}, h('span', {className: 'tag ' + a.severity}, w(a.severity)), h('span', {}, w(a.state))),
        h('h1', {style: 'margin:.5rem 0'}, both(a.message) || a.rule), h('p', {className: 'row', style: 'justify-content:flex-start'}, marks(a)), facts([
          [w('premises'), point ? point.premises.name : ''], [w('place'), point ? point.place.name : ''], [w('device'), point ? `${point.device} · ${a.series}` : a.series],
          [w('limit'), both(rule.limit)], [w('highest'), a.max === null ? '' : valueText(point, a.max)], [w('lowest'), a.min === null ? '' : valueText(point, a.min)],
          [w('onset'), time(a.onset)], [w('raised'), time(a.raised)], [w('clearedAt'), a.cleared ? time(a.cleared) : ''],
          [w('rule'), `${both(rule.title)} (${a.rule}, ${w('version')} ${a.version})`], [w('basis'), basis.length ? h('div', {}, basis) : ''], [w('readings'), String(a.count)]])),
      point ? h('div', {className: 'card'}, plot(point, data, [{from, to: a.cleared ? to : undefined, text: both(a.message)}])) : '',
      h('div', {className: 'card'}, ...actions(a, load).filter(Boolean),
        may('evidence') ? h('p', {}, h('a', {href: `/api/v1/alerts/${a.id}/evidence?lang=${zh ? 'zh' : 'en'}`, download: '', 'data-evidence': ''}, w('evidence'))) : ''),
      h('h2', {}, w('history')), sheet(['', '', ''], [...a.events.map((e) => [time(e.time), h('code', {}, e.type.replace('steelyard.alert.', '')), '']),
        ...a.actions.map((x) => [time(x.at), h('code', {}, x.kind), `${x.who} (${x.via})${x.why ? ': ' + x.why : ''}`])]
        .sort((x, y) => String(x[0]).localeCompare(String(y[0])))),
      h('details', {}, h('summary', {}, w('events')), h('pre', {}, JSON.stringify(a.events, null, 1))));
  }
  await load();
  stay(listen('alert', (x) => { if (x.id === id) load(); }));
}
