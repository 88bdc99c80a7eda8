// A line over time on a canvas: the band between lowest and highest where there are stretches,
// alerts as shaded stretches, readings that are not good as marks. Times are local.
import {h} from '/dom.js';
import {valueText, time, zh, w} from '/words.js';

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function ticks(lo, hi, n) {
  const step = 10 ** Math.floor(Math.log10((hi - lo) / n));
  const f = [1, 2, 5, 10].find((k) => (hi - lo) / (k * step) <= n) * step;
  const out = [];
  for (let v = Math.ceil(lo / f) * f; v <= hi + f / 1e6; v += f) out.push(Math.abs(v) < f / 1e6 ? 0 : v);
  return out;
}
const clock = new Intl.DateTimeFormat(zh ? 'zh-CN' : 'en-GB', {hour: '2-digit', minute: '2-digit'});
const date = new Intl.DateTimeFormat(zh ? 'zh-CN' : 'en-GB', {day: '2-digit', month: '2-digit'});

// data: as /readings gives it; stretches: [{from, to, severity, text}] in ms.
export function plot(point, data, stretches = []) {
  const canvas = h('canvas', {className: 'plot', tabIndex: 0, role: 'img'});
  const note = h('p', {className: 'dim', 'aria-live': 'polite'});
  const {t, value} = data, lo = data.lowest.length ? data.lowest : value, hi = data.highest.length ? data.highest : value;
  const known = value.filter((v) => v !== null);
  const lowest = Math.min(...lo.filter((v) => v !== null)), highest = Math.max(...hi.filter((v) => v !== null));
  canvas.setAttribute('aria-label', known.length ? `${point.series}: ${known.length} ${w('readings')}, ` +
    `${w('lowest')} ${valueText(point, lowest)}, ${w('highest')} ${valueText(point, highest)}` : w('noData'));
  note.textContent = known.length ? '' : w('noData');
  let at = -1;

  function draw() {
    const scale = devicePixelRatio || 1, wide = canvas.clientWidth, tall = canvas.clientHeight;
    if (!wide) return;
    canvas.width = wide * scale;
    canvas.height = tall * scale;
    const c = canvas.getContext('2d');
    c.scale(scale, scale);
    const left = 52, right = wide - 8, top = 8, bottom = tall - 24;
    const pad = known.length ? (highest - lowest || Math.abs(highest) || 1) * 0.08 : 1;
    const y0 = known.length ? lowest - pad : 0, y1 = known.length ? highest + pad : 1;
    const x = (ms) => left + (ms - data.from) / (data.to - data.from) * (right - left);
    const y = (v) => bottom - (v - y0) / (y1 - y0) * (bottom - top);
    c.font = '12px system-ui, sans-serif';
    c.clearRect(0, 0, wide, tall);
    c.fillStyle = color('--shade');
    for (const s of stretches) {
      const a = Math.max(left, x(s.from)), b = Math.min(right, x(s.to ?? data.to));
      if (b > left && a < right) c.fillRect(a, top, Math.max(2, b - a), bottom - top);
    }
    c.strokeStyle = color('--line');
    c.fillStyle = color('--dim');
    c.lineWidth = 1;
    c.textBaseline = 'middle';
    c.textAlign = 'right';
    const marks = point.states ? point.states.map((_, i) => i).filter((i) => i >= y0 && i <= y1) : ticks(y0, y1, 5);
    for (const v of marks) {
      c.beginPath();
      c.moveTo(left, y(v));
      c.lineTo(right, y(v));
      c.stroke();
      c.fillText(point.states ? valueText(point, v).slice(0, 6) : String(+v.toPrecision(6)), left - 6, y(v));
    }
    c.textAlign = 'center';
    c.textBaseline = 'top';
    const long = data.to - data.from > 2 * 86400000;
    for (let i = 0; i <= 4; i++) {
      const ms = data.from + (data.to - data.from) * i / 4;
      c.textAlign = i === 0 ? 'left' : i === 4 ? 'right' : 'center';
      c.fillText((long ? date : clock).format(ms), x(ms), bottom + 6);
    }
    const gap = data.bucket_ms ? 2.5 * data.bucket_ms : Math.max(5 * (point.every_ms || 0), (data.to - data.from) / 60);
    if (data.bucket_ms) {
      c.fillStyle = color('--accent') + '44';
      t.forEach((ms, i) => c.fillRect(x(ms), y(hi[i]), Math.max(1, x(ms + data.bucket_ms) - x(ms)), Math.max(1, y(lo[i]) - y(hi[i]))));
    }
    c.strokeStyle = color('--accent');
    c.lineWidth = 1.6;
    c.beginPath();
    t.forEach((ms, i) => {
      if (value[i] === null) return;
      const whole = i && ms - t[i - 1] <= gap && value[i - 1] !== null;
      if (whole && point.states) c.lineTo(x(ms), y(value[i - 1]));
      if (whole) c.lineTo(x(ms), y(value[i]));
      else c.moveTo(x(ms), y(value[i]));
    });
    c.stroke();
    t.forEach((ms, i) => {
      const q = data.quality[i];
      const alone = t.length < 80 || (i && ms - t[i - 1] > gap);
      if (value[i] === null || (!alone && (!q || q.startsWith('good')))) return;
      c.fillStyle = !q || q.startsWith('good') ? color('--accent') : q.startsWith('bad') ? color('--serious') : color('--warning');
      c.beginPath();
      c.arc(x(ms), y(value[i]), 2.5, 0, 7);
      c.fill();
    });
    if (at >= 0 && at < t.length) {
      c.strokeStyle = color('--text');
      c.beginPath();
      c.moveTo(x(t[at]), top);
      c.lineTo(x(t[at]), bottom);
      c.stroke();
    }
  }
  function show(i) {
    at = Math.min(t.length - 1, Math.max(0, i));
    if (t.length) {
      const inAlert = stretches.find((s) => t[at] >= s.from && t[at] <= (s.to ?? Infinity));
      note.textContent = `${time(t[at])}: ${valueText(point, value[at])}` +
        (data.bucket_ms ? ` (${valueText(point, lo[at])} … ${valueText(point, hi[at])})` : '') +
        (data.quality[at] && !data.quality[at].startsWith('good') ? `, ${data.quality[at]}` : '') + (inAlert ? ` · ${inAlert.text}` : '');
    }
    draw();
  }
  canvas.addEventListener('pointermove', (e) => {
    const ms = data.from + (e.offsetX - 52) / (canvas.clientWidth - 60) * (data.to - data.from);
    let best = 0;
    t.forEach((x, i) => { if (Math.abs(x - ms) < Math.abs(t[best] - ms)) best = i; });
    show(best);
  });
  canvas.addEventListener('keydown', (e) => {
    const step = {ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10}[e.key];
    if (!step) return;
    e.preventDefault();
    show((at < 0 ? t.length : at) + step);
  });
  new ResizeObserver(draw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  canvas.dataset.points = known.length;
  return h('div', {}, canvas, note);
}
