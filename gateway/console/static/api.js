// What the pages ask of the box. A failure is an Error with the box's own words.
let token = '';
export let who = null;

export async function ask(method, path, body) {
  const head = {'X-Steelyard-Token': token};
  if (body !== undefined) head['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch('/api/v1/' + path, {method, headers: head, body: body && JSON.stringify(body)});
  } catch {
    throw Object.assign(new Error(), {code: 'no-answer'});
  }
  const what = await answer.json();
  if (answer.ok) return what;
  if (answer.status === 401 && who) dispatchEvent(new Event('signed-out'));
  throw Object.assign(new Error(what.error.text), {code: what.error.code, status: answer.status});
}
export const get = (path) => ask('GET', path);

function keep(session) {
  who = session.user ? session : null;
  token = session.token || '';
  return session;
}
export const session = async () => keep(await get('session'));
export const signIn = async (name, password) => keep(await ask('POST', 'session', {name, password}));
export async function signOut() {
  await ask('DELETE', 'session');
  keep({user: null});
}
export const may = (what) => Boolean(who && who.may.includes(what));

// Live: one stream for the page; who listens is told until the function that comes back is called.
const listeners = {reading: new Set(), alert: new Set(), state: new Set()};
let stream = null;
const tell = (kind, what) => listeners[kind].forEach((f) => f(what));

export function listen(kind, f) {
  listeners[kind].add(f);
  return () => listeners[kind].delete(f);
}
export function hear() {
  if (stream) return;
  stream = new EventSource('/api/v1/live');
  for (const name of ['reading', 'alert'])
    stream.addEventListener(name, (e) => tell(name, JSON.parse(e.data)));
  stream.addEventListener('open', () => tell('state', true));
  stream.addEventListener('error', () => tell('state', false));
}
export function deafen() {
  if (stream) stream.close();
  stream = null;
}
