// The rule workshop: a text with highlighting and the checker's findings at their place, its
// scenarios, and what it would have done on the stored readings against the text in force.
import {ask, get} from '/api.js';
import {h, say, sheet} from '/dom.js';
import {pointsOf} from '/overview.js';
import {plot} from '/plot.js';
import {w, time, zh} from '/words.js';

const words = ['rule', 'version', 'end', 'basis', 'clause', 'verify', 'law', 'policy', 'tunable', 'applies to', 'subject', 'goods', 'stage', 'any', 'effective', 'from', 'to',
  'watch', 'each', 'missing after', 'set', 'let', 'alert', 'when', 'for', 'clear', 'escalate', 'then', 'tell', 'respond within', 'say', 'except while', 'during', 'and', 'or', 'not', 'above',
  'below', 'outside', 'within', 'at least', 'at most', 'scenario', 'tests', 'given', 'every', 'expect', 'until', 'mode trial', 'tune', 'cumulative', 'daily', 'share', 'count',
  '规则', '版本', '结束', '依据', '条款', '待核', '法定', '裁量', '可调', '适用', '主体', '品种', '环节', '不限', '生效', '自', '至', '监测', '每个', '缺数据超过', '设', '令', '报警', '当', '持续', '解除',
  '升级', '处置', '通知', '响应时限', '告知', '除外情形', '限于', '且', '或', '非', '高于', '低于', '超出', '处于', '不低于', '不高于', '至多', '情景', '检验', '已知', '每隔', '预期', '直到', '试运行', '累计'];
const ascii = words.filter((x) => /^[a-z]/.test(x)).sort((a, b) => b.length - a.length).join('|');
const han = words.filter((x) => !/^[a-z]/.test(x)).sort((a, b) => b.length - a.length).join('|');
const token = new RegExp(`(#.*)|("[^"\\n]*"|“[^”\\n]*”)|(\\b(?:${ascii})\\b|${han})|(\\d{4}-\\d\\d-\\d\\d|\\d+(?:\\.\\d+)?)`, 'g');

function line(text, findings, number) {
  const out = h('span', {}, h('span', {className: 'n', 'aria-hidden': 'true'}, String(number)));
  let at = 0;
  const put = (part, name) => { if (part) out.append(name ? h('span', {className: name}, part) : part); };
  for (const m of text.matchAll(token)) {
    put(text.slice(at, m.index));
    put(m[0], m[1] ? 'c' : m[2] ? 's' : m[3] ? 'k' : 'v');
    at = m.index + m[0].length;
  }
  put(text.slice(at));
  const worst = findings.some((f) => f.severity === 'error') ? 'wrong' : findings.length ? 'doubt' : '';
  if (worst) out.className = worst;
  return out;
}

export async function workshop(page, stay) {
  const [files, site] = await Promise.all([get('rules'), get('site')]);
  const points = pointsOf(site);
  const back = h('pre', {'aria-hidden': 'true'}), area = h('textarea', {spellcheck: false, 'aria-label': w('workshop'), autocapitalize: 'off'});
  const found = h('div', {role: 'status'}), results = h('div', {});
  const choose = h('select', {'aria-label': w('file')}, files.map((f, i) => h('option', {value: i}, f.name)));
  const days = h('input', {type: 'number', min: 1, max: 366, value: 7, style: 'width:6rem', 'aria-label': w('days')});
  let findings = [], timer, asked = 0;

  function paint() {
    back.replaceChildren(...area.value.split('\n').flatMap((text, i) => [line(text, findings.filter((f) => f.line === i + 1 && f.severity !== 'note'), i + 1), '\n']));
    back.scrollTop = area.scrollTop;
    back.scrollLeft = area.scrollLeft;
  }
  function goTo(f) {
    const start = area.value.split('\n').slice(0, f.line - 1).reduce((n, l) => n + l.length + 1, 0) + Math.max(0, f.column - 1);
    area.focus();
    area.setSelectionRange(start, start);
    area.scrollTop = (f.line - 5) * 21.7;
  }
  async function check() {
    const mine = ++asked;
    try {
      const r = await ask('POST', 'rules/check', {text: area.value});
      if (mine !== asked) return;
      findings = r.result?.findings ?? [];
      const errors = findings.filter((f) => f.severity === 'error');
      found.replaceChildren(errors.length ? h('ul', {}, errors.map((f) => h('li', {className: 'error', 'data-line': f.line}, h('button', {type: 'button', onclick: () => goTo(f)},
        `${w('line')} ${f.line}`), ' ', zh ? f.message_zh : f.message))) : h('p', {className: 'good'}, w('fine')));
      paint();
    } catch (e) {
      say(e.message || w('connectionLost'));
    }
  }
  const changed = () => {
    paint();
    clearTimeout(timer);
    timer = setTimeout(check, 500);
  };
  async function run(button, tool, body, show) {
    button.disabled = true;
    results.replaceChildren(h('p', {}, w('working')));
    try {
      const r = await ask('POST', 'rules/' + tool, {text: area.value, ...body});
      results.replaceChildren(...(r.result ? await show(r.result) : [h('pre', {className: 'error'}, r.said ?? '')]));
    } catch (e) {
      results.replaceChildren(h('p', {className: 'error'}, e.message || w('connectionLost')));
    }
    button.disabled = false;
  }
  const scenarios = (r) => [h('h2', {}, `${r.passed} ${w('passed')}, ${r.failed} ${w('failed')}`), sheet([w('rule'), '', ''], r.scenarios.map((s) =>
    [s.rule ?? '', s.scenario ?? '', h('span', {className: s.passed ? 'good' : 'bad'}, s.passed ? w('passed') : `${w('failed')}: ${s.reason ?? ''}`)]))];
  const bySubject = (a) => [...points.values()].find((p) => p.series === a.subject || a.subject.includes(p.series) || a.subject.endsWith('/' + p.place.id));
  async function differences(r) {
    const rows = Array.isArray(r) ? r.map((a) => ['', a]) : [...r.gained.map((a) => ['gained', a]), ...r.lost.map((a) => ['lost', a]), ...r.moved.map((m) => ['moved', m.now])];
    const out = [h('h2', {}, Array.isArray(r) ? `${r.length} ${w('alerts')}` : ['gained', 'lost', 'moved'].map((k) => `${r[k].length} ${w(k)}`).join(', '))];
    if (!rows.length) out.push(h('p', {}, w('noChange')));
    out.push(sheet(['', w('rule'), w('place'), w('onset'), w('clearedAt')], rows.slice(0, 500).map(([k, a]) =>
      [h('span', {className: k === 'lost' ? 'bad' : 'good', 'data-change': k}, k ? w(k) : ''), a.rule, a.subject, time(a.onset), a.cleared ? time(a.cleared) : ''])));
    const shown = new Map();
    for (const [k, a] of rows) {
      const p = bySubject(a);
      if (p) shown.set(p.series, [...(shown.get(p.series) ?? []), {from: Date.parse(a.onset), to: a.cleared ? Date.parse(a.cleared) : undefined, text: `${w(k)}: ${a.rule}`}]);
    }
    const to = Date.now(), from = to - days.value * 86400000;
    for (const [name, stretches] of [...shown].slice(0, 6)) {
      const data = await get(`readings?series=${encodeURIComponent(name)}&from=${from}&to=${to}&points=1000`);
      out.push(h('h3', {}, name), plot(points.get(name), data, stretches));
    }
    return out;
  }
  const testButton = h('button', {type: 'button', 'data-tool': 'test', onclick: () => run(testButton, 'test', {}, scenarios)}, w('test'));
  const backButton = h('button', {type: 'button', className: 'main', 'data-tool': 'backtest', onclick: () => run(backButton, 'backtest',
    {file: files[choose.value]?.file, from: new Date(Date.now() - days.value * 86400000).toISOString()}, differences)}, w('backtest'));
  const save = h('button', {type: 'button', onclick: () => {
    const url = URL.createObjectURL(new Blob([area.value], {type: 'text/plain'}));
    h('a', {href: url, download: files[choose.value]?.name ?? 'edited.rules'}).click();
    URL.revokeObjectURL(url);
  }}, w('download'));
  choose.addEventListener('change', () => { area.value = files[choose.value].text; findings = []; changed(); });
  area.addEventListener('input', changed);
  area.addEventListener('scroll', () => { back.scrollTop = area.scrollTop; back.scrollLeft = area.scrollLeft; });
  area.addEventListener('keydown', (e) => { if (e.key === 's' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); check(); } });
  page.replaceChildren(h('h1', {}, w('workshop')), h('p', {className: 'row', style: 'justify-content:flex-start'}, choose, testButton, h('label', {style: 'margin:0'}, w('days') + ' ', days), backButton, save),
    h('div', {className: 'editor'}, back, area), found, results);
  stay(() => clearTimeout(timer));
  if (files.length) {
    area.value = files[0].text;
    changed();
  }
}
