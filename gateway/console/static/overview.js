// Premises with their places, and one series over time.
import {get, listen} from '/api.js';
import {h} from '/dom.js';
import {plot} from '/plot.js';
import {w, age, valueText, wordOf, both, time} from '/words.js';

const order = ['notice', 'warning', 'serious', 'major'];

export function pointsOf(site) {
  const points = new Map();
  for (const premises of site.premises)
    for (const place of premises.places)
      for (const p of place.points) points.set(p.series, {...p, place, premises});
  return points;
}

export async function overview(page, stay) {
  const [site, last, alerts] = await Promise.all([get('site'), get('last'), get('alerts?state=active&limit=1000')]);
  const now = new Map(last.map((r) => [r.series, r]));
  const shown = new Map();

  function put(series) {
    const at = shown.get(series), r = now.get(series);
    if (!at) return;
    at.value.textContent = r ? valueText(at.point, r.value) : w('noData');
    at.age.textContent = r ? age(r.t) : '';
    at.value.className = 'value' + (!r ? ' dim' : r.quality.startsWith('good') ? '' : r.quality.startsWith('bad') ? ' bad' : ' warning');
    at.value.title = r ? r.quality : '';
  }
  function pointLine(p) {
    const value = h('span', {className: 'value'}), old = h('span', {className: 'dim'});
    shown.set(p.series, {point: p, value, age: old});
    return h('a', {className: 'point', href: '#/series/' + encodeURIComponent(p.series)},
      h('span', {}, h('span', {className: 'what'}, wordOf(p.quantity)), h('br'), h('span', {className: 'dim'}, p.device)),
      h('span', {style: 'text-align:right'}, value, h('br'), old));
  }
  function placeCard(place) {
    const series = new Set(place.points.map((p) => p.series));
    const open = alerts.filter((a) => series.has(a.series));
    const worst = open.map((a) => a.severity).sort((a, b) => order.indexOf(b) - order.indexOf(a))[0];
    return h('section', {className: 'card', 'data-place': place.id}, h('div', {className: 'row'},
      h('h3', {style: 'margin:0'}, place.name), worst
        ? h('a', {className: 'tag ' + worst, href: '#/alerts'}, `${open.length} · ${w(worst)}`)
        : h('span', {className: 'tag good'}, w('inOrder'))),
    h('p', {className: 'dim', style: 'margin:.1rem 0 .5rem'}, wordOf(place.kind)), place.points.map(pointLine));
  }
  page.replaceChildren(h('h1', {}, w('overview')), ...site.premises.map((p) => h('div', {},
    h('h2', {}, p.name, ' ', p.code ? h('span', {className: 'dim'}, p.code) : null),
    h('div', {className: 'grid'}, p.places.map(placeCard)))));
  if (!site.premises.length) page.append(h('p', {}, w('noData')));
  shown.forEach((_, series) => put(series));
  stay(listen('reading', (r) => {
    now.set(r.series, {series: r.series, t: Date.parse(r.time), value: r.value ?? r.state, quality: r.quality});
    put(r.series);
  }));
  stay(listen('alert', () => dispatchEvent(new Event('again'))));
  const ticking = setInterval(() => shown.forEach((_, s) => put(s)), 10000);
  stay(() => clearInterval(ticking));
}

export async function series(page, stay, name) {
  const site = await get('site');
  const point = pointsOf(site).get(name);
  const box = h('div', {className: 'card'});
  const spans = [['hour', 1], ['day', 24], ['week', 168], ['month', 720]];
  let hours = 24;

  async function load() {
    const to = Date.now(), from = to - hours * 3600000;
    const [data, alerts] = await Promise.all([
      get(`readings?series=${encodeURIComponent(name)}&from=${from}&to=${to}&points=1000`), get('alerts?limit=1000')]);
    const mine = alerts.filter((a) => a.series === name && (!a.cleared || Date.parse(a.cleared) > from));
    box.replaceChildren(plot(point, data, mine.map((a) => ({from: Date.parse(a.onset), to: a.cleared ? Date.parse(a.cleared) : undefined,
      severity: a.severity, text: both(a.message)}))),
    h('ul', {}, mine.map((a) => h('li', {}, h('a', {href: '#/alert/' + a.id}, `${w(a.severity)} · ${time(a.onset)}`), ' ', both(a.message)))));
  }
  const buttons = spans.map(([key, n]) => h('button', {type: 'button', 'aria-pressed': String(n === hours), onclick: (e) => {
    hours = n;
    buttons.forEach((b) => b.setAttribute('aria-pressed', String(b === e.currentTarget)));
    load();
  }}, w(key)));
  page.replaceChildren(h('h1', {}, `${point.place.name} · ${wordOf(point.quantity)}`),
    h('p', {className: 'dim'}, `${point.premises.name} · ${name}`), h('div', {className: 'row', style: 'justify-content:flex-start'}, buttons), box);
  await load();
  stay(listen('alert', load));
  const again = setInterval(load, 30000);
  stay(() => clearInterval(again));
}
