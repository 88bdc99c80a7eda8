// Elements with their children; text is always text.
export function h(name, props = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) e.addEventListener(key.slice(2), value);
    else if (key in e && key !== 'list') e[key] = value;
    else e.setAttribute(key, value === true ? '' : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}
export function say(text) {
  const box = document.getElementById('said');
  box.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { box.textContent = ''; }, 6000);
}
export const facts = (rows) => h('dl', {}, rows.filter((r) => r[1] !== '' && r[1] !== null && r[1] !== undefined)
  .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
export const sheet = (heads, rows) => h('div', {className: 'scroll'}, h('table', {},
  h('thead', {}, h('tr', {}, heads.map((t) => h('th', {scope: 'col'}, t)))),
  h('tbody', {}, rows.map((r) => h('tr', {}, r.map((c) => h('td', {}, c)))))));
