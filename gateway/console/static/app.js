// Who is signed in, which page is shown, and what the head of the page says.
import * as api from '/api.js';
import {h, say} from '/dom.js';
import {w, turnLanguage} from '/words.js';
import * as alerts from '/alerts.js';
import {devices, health} from '/health.js';
import {overview, series} from '/overview.js';
import {workshop} from '/workshop.js';

const page = document.getElementById('main'), top = document.getElementById('top');
const pages = {
  '': [overview, 'overview', 'view'], alerts: [alerts.list, 'alerts', 'view'], alert: [alerts.one, 'alerts', 'view'], series: [series, 'overview', 'view'],
  devices: [devices, 'devices', 'view'], health: [health, 'health', 'view'], workshop: [workshop, 'workshop', 'rules'],
};
let leave = [], turn = 0;
const lamp = h('span', {className: 'tag', id: 'lamp'});

function head() {
  const here = location.hash.split('/')[1] ?? '';
  const entry = (key, to) => h('a', {href: '#/' + to, 'aria-current': pages[here]?.[1] === key ? 'page' : null}, w(key));
  top.replaceChildren(h('span', {className: 'name'}, 'Steelyard'), h('nav', {'aria-label': 'Steelyard'}, api.who ? [entry('overview', ''), entry('alerts', 'alerts'),
    entry('devices', 'devices'), entry('health', 'health'), api.may('rules') && entry('workshop', 'workshop')] : []),
  api.who ? lamp : '', h('button', {type: 'button', onclick: turnLanguage}, w('language')), api.who ? h('button', {type: 'button', title: `${api.who.user} (${api.who.role})`, onclick: async () => {
    await api.signOut().catch(() => {});
    api.deafen();
    show();
  }}, w('signOut')) : '');
}

async function signIn() {
  const {accounts, certificates} = await api.session();
  const name = h('input', {name: 'name', autocomplete: 'username', required: true}), password = h('input', {name: 'password', type: 'password', autocomplete: 'current-password', required: true});
  const error = h('p', {className: 'error', role: 'alert'});
  page.replaceChildren(h('form', {className: 'card', style: 'max-width:28rem;margin:2rem auto', onsubmit: async (e) => {
    e.preventDefault();
    try {
      await api.signIn(name.value, password.value);
      show();
    } catch (x) {
      error.textContent = x.message || w('connectionLost');
    }
  }}, h('h1', {}, w('signIn')), !accounts && !certificates ? h('p', {}, w('noAccounts')) : '', h('label', {}, w('name'), name), h('label', {}, w('password'), password),
  h('button', {className: 'main'}, w('signIn')), error));
  name.focus();
}

async function show() {
  const mine = ++turn;
  leave.forEach((f) => f());
  leave = [];
  if (!api.who) await api.session();
  head();
  document.title = 'Steelyard';
  if (!api.who) return signIn();
  api.hear();
  const [, name = '', argument] = location.hash.split('/');
  const [render, title, need] = pages[name] ?? pages[''];
  document.title = `${w(title)} · Steelyard`;
  if (!api.may(need)) return page.replaceChildren(h('p', {}, w('mayNot')));
  try {
    await render(page, (f) => (mine === turn ? leave.push(f) : f()), argument && decodeURIComponent(argument));
  } catch (e) {
    page.replaceChildren(h('p', {className: 'error', role: 'alert'}, e.message || w('connectionLost')));
  }
}

api.listen('state', (on) => {
  lamp.textContent = w(on ? 'live' : 'stalled');
  lamp.className = 'tag ' + (on ? 'good' : 'bad');
});
addEventListener('hashchange', () => { show(); page.focus(); });
addEventListener('again', show);
addEventListener('signed-out', () => { api.deafen(); location.reload(); });
addEventListener('unhandledrejection', (e) => say(e.reason?.message || w('connectionLost')));
await show().catch((e) => page.replaceChildren(h('p', {className: 'error'}, e.message || w('connectionLost'))));
