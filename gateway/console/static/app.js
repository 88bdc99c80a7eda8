// The page: asks the API who is signed in, and shows what there is for them.
const page = document.getElementById('page');

async function ask(method, path, body) {
  const head = {'X-Steelyard-Token': sessionToken};
  if (body !== undefined) head['Content-Type'] = 'application/json';
  const answer = await fetch(path, {method, headers: head, body: body && JSON.stringify(body)});
  const what = await answer.json();
  if (!answer.ok) throw new Error(what.error.text);
  return what;
}

let sessionToken = '';

function element(name, text, props = {}) {
  const e = Object.assign(document.createElement(name), props);
  if (text !== undefined) e.textContent = text;
  return e;
}

function signIn() {
  const form = element('form');
  const name = element('input', undefined, {name: 'name', autocomplete: 'username', required: true});
  const password = element('input', undefined,
    {name: 'password', type: 'password', autocomplete: 'current-password', required: true});
  const error = element('p', '', {className: 'error'});
  for (const [text, input] of [['Name', name], ['Password', password]]) {
    const label = element('label', text + ' ');
    label.append(input);
    form.append(label);
  }
  form.append(element('button', 'Sign in'), error);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      show(await ask('POST', '/api/v1/session', {name: name.value, password: password.value}));
    } catch (e) {
      error.textContent = e.message;
    }
  });
  page.replaceChildren(element('h1', 'Steelyard'), form);
}

async function show(who) {
  if (!who.user) return signIn();
  sessionToken = who.token;
  const status = await ask('GET', '/api/v1/status');
  const out = element('button', 'Sign out');
  out.addEventListener('click', async () => {
    await ask('DELETE', '/api/v1/session');
    signIn();
  });
  page.replaceChildren(element('h1', 'Steelyard'), element('p', `${who.user} (${who.role})`),
    element('p', `${status.stored} readings, ${status.alerts} alerts`), out);
}

show(await ask('GET', '/api/v1/session'));
