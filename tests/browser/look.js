// Looks at the console's pages as people do: look.js URL COAP-PORT FOLDER. Each role on desktop and
// phone, in both languages; a live value, a plot, an alert acknowledged, an error at its place, a
// backtest, an evidence file. Prints a line for each thing seen; exit 1 where one was not.
import fs from 'node:fs';
import path from 'node:path';
import {execFileSync} from 'node:child_process';
import {createRequire} from 'node:module';
import puppeteer from 'puppeteer-core';

const [url, coap, folder] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const password = 'correct horse battery';
const sizes = {desktop: {width: 1280, height: 860}, phone: {width: 360, height: 740, isMobile: true, hasTouch: true}};
let failures = 0;

function check(good, what) {
  console.log(`${good ? 'ok   ' : 'FAIL '} ${what}`);
  if (!good) failures++;
}

function send(value) {
  const record = JSON.stringify([{n: 't', u: 'Cel', v: value, t: Date.now() / 1000}]);
  execFileSync('coap-client-openssl', ['-m', 'post', '-t', '110', '-e', record, `coap://127.0.0.1:${coap}/r/probe`]);
}

const browser = await puppeteer.launch({executablePath: '/usr/bin/chromium', headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']});

async function open(size, language, dark = false) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (e) => wrong.push(String(e)));
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 40[19]/.test(m.text())) wrong.push(m.text()); });
  await page.setViewport(sizes[size]);
  await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}]);
  await page.evaluateOnNewDocument((l) => localStorage.setItem('lang', l), language);
  return {page, wrong, context};
}

async function signIn(page, name) {
  await page.goto(url, {waitUntil: 'domcontentloaded'});
  await page.waitForSelector('input[name=name]');
  await page.type('input[name=name]', name);
  await page.type('input[name=password]', password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('nav a');
}

async function go(page, hash, ready) {
  await page.evaluate((h) => { document.getElementById('main').replaceChildren(); location.hash = h; }, hash);
  await page.waitForSelector(ready, {timeout: 20000});
}

const shot = (page, name) => page.screenshot({path: path.join(folder, name + '.png')});
const fitsIn = (page) => page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth);

async function accessible(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await globalThis.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']})).violations
    .map((v) => `${v.id}: ${v.nodes.slice(0, 2).map((n) => n.target + ' ' + (n.any[0]?.message ?? '')).join('; ')}`));
  check(found.length === 0, `${what}: WCAG A and AA ${found.join(' | ')}`);
}

// Every page of a role, and that it shows nothing else.
async function tour(role, size, language, alert) {
  const {page, wrong, context} = await open(size, language, size === 'phone');
  await signIn(page, role);
  const pages = [['overview', '#/', '[data-place]'], ['alerts', '#/alerts/all', '[data-alert]'], ['alert', '#/alert/' + alert, 'dl'],
    ['series', '#/series/probe%2Ft', 'canvas'], ['devices', '#/devices', 'table'], ['health', '#/health', 'table']];
  if (role === 'regulator') pages.push(['workshop', '#/workshop', 'textarea']);
  for (const [name, hash, ready] of pages) {
    await go(page, hash, ready);
    check(await fitsIn(page), `${role} ${size} ${language} ${name}: fits the width`);
    if (role === 'regulator') await accessible(page, `${size} ${language} ${name}`);
    if (role === 'regulator' || role === 'inspector') await shot(page, `${name}-${role}-${size}-${language}`);
  }
  const offered = await page.$$eval('nav a', (as) => as.map((a) => a.getAttribute('href')));
  check(offered.includes('#/workshop') === (role === 'regulator'), `${role}: the workshop is offered to the regulator alone`);
  await go(page, '#/alert/' + alert, 'dl');
  const acts = await page.$$eval('form[data-act]', (fs) => fs.map((f) => f.dataset.act).sort().join());
  const wanted = {viewer: '', auditor: '', inspector: 'acknowledge,comment', deployer: 'acknowledge,comment', regulator: 'acknowledge,comment,shelve'}[role];
  check(acts === wanted, `${role}: may ${acts || 'nothing'}`);
  check(Boolean(await page.$('[data-evidence]')) === ['inspector', 'regulator', 'auditor'].includes(role), `${role}: evidence as the role says`);
  check(wrong.length === 0, `${role} ${size} ${language}: no error in the page ${wrong.join(' ').slice(0, 300)}`);
  await context.close();
}

async function liveAndAct(alert) {
  const {page, wrong, context} = await open('desktop', 'en');
  await signIn(page, 'inspector');
  await page.waitForSelector('#lamp.good', {timeout: 20000});
  send(7.25);
  await page.waitForFunction(() => [...document.querySelectorAll('.value')].some((v) => v.textContent.startsWith('7.25')), {timeout: 20000});
  check(true, 'a live value appears');
  await go(page, '#/series/probe%2Ft', 'canvas');
  const drawn = await page.waitForFunction(() => {
    const c = document.querySelector('canvas');
    if (!c?.width || !(c.dataset.points > 0)) return false;
    const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    return pixels.some((v, i) => i % 4 === 3 && v > 0);
  }, {timeout: 20000});
  check(Boolean(drawn), 'the plot draws');
  await page.focus('canvas');
  await page.keyboard.press('ArrowLeft');
  check((await page.$eval('canvas + p', (p) => p.textContent)).includes('°C'), 'the plot is read by keyboard');
  await go(page, '#/alert/' + alert, 'form[data-act=acknowledge]');
  await page.type('form[data-act=acknowledge] input', 'on my way');
  await page.click('form[data-act=acknowledge] button');
  await page.waitForFunction(() => document.body.textContent.includes('acknowledged by inspector'), {timeout: 20000});
  check(!(await page.$('form[data-act=acknowledge]')), 'an alert is acknowledged');
  const file = await page.evaluate(async (id) => {
    const a = await fetch(`/api/v1/alerts/${id}/evidence?lang=en`);
    return a.ok ? a.text() : '';
  }, alert);
  fs.writeFileSync(path.join(folder, 'evidence.html'), file);
  check(file.includes('<html'), 'an evidence file is got');
  await page.goto('file://' + path.join(folder, 'evidence.html'));
  await shot(page, 'evidence');
  check(wrong.length === 0, `no error in the page ${wrong.join(' ').slice(0, 300)}`);
  await context.close();
}

async function workshop() {
  const {page, wrong, context} = await open('desktop', 'en');
  await signIn(page, 'regulator');
  await go(page, '#/workshop', 'textarea');
  await page.waitForSelector('.editor .k');
  const line = await page.$eval('textarea', (t) => t.value.split('\n').findIndex((l) => l.includes('alert warning')) + 1);
  const edit = (from, to) => page.$eval('textarea', (t, a, b) => {
    t.value = t.value.replace(a, b);
    t.dispatchEvent(new Event('input'));
  }, from, to);
  await edit('temperature above', 'temperature abov');
  await page.waitForSelector('[data-line]', {timeout: 20000});
  check(await page.$eval('[data-line]', (e) => Number(e.dataset.line)) === line, 'an error is told with its line');
  check(await page.$$eval('.editor pre > span', (ls, n) => ls[n - 1].className === 'wrong', line), 'and marked at its place');
  await shot(page, 'workshop-error');
  await edit('temperature abov', 'temperature above');
  await edit('above 8 °C', 'above 20 °C');
  await page.waitForFunction(() => !document.querySelector('[data-line]'), {timeout: 20000});
  await page.click('[data-tool=backtest]');
  await page.waitForSelector('[data-change=lost]', {timeout: 60000});
  check(true, 'a backtest shows the alert that would be lost');
  await page.waitForSelector('canvas');
  await shot(page, 'workshop-backtest');
  check(wrong.length === 0, `no error in the page ${wrong.join(' ').slice(0, 300)}`);
  await context.close();
}

async function auditAndMaintain() {
  const {page, wrong, context} = await open('desktop', 'en');
  await signIn(page, 'deployer');
  await go(page, '#/health', '[data-tool=assess]');
  await page.click('[data-tool=assess]');
  await page.waitForSelector('[data-grade]', {timeout: 60000});
  check(/^[A-E]$/.test(await page.$eval('[data-grade]', (e) => e.dataset.grade)), 'the box is assessed');
  await accessible(page, 'assessment');
  await shot(page, 'assessment');
  await go(page, '#/devices', 'form[data-act=maintenance]');
  await page.select('form[data-act=maintenance] select', 'device:probe');
  await page.type('form[data-act=maintenance] input:not([type=number])', 'new battery');
  await page.click('form[data-act=maintenance] button');
  await page.waitForFunction(() => document.body.textContent.includes('deployer: new battery'), {timeout: 20000});
  check(true, 'maintenance is announced');
  await accessible(page, 'devices with a form');
  check(wrong.length === 0, `no error in the page ${wrong.join(' ').slice(0, 300)}`);
  await context.close();
}

// What a phone on a slow line loads until something is seen.
async function weight() {
  const {page, context} = await open('phone', 'zh');
  const client = await page.createCDPSession();
  await client.send('Network.emulateNetworkConditions', {offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8});
  await client.send('Emulation.setCPUThrottlingRate', {rate: 4});
  await client.send('Network.enable');
  let bytes = 0;
  const from = new Set();
  client.on('Network.loadingFinished', (e) => { bytes += e.encodedDataLength; });
  page.on('request', (r) => from.add(new URL(r.url()).host));
  await page.goto(url, {waitUntil: 'networkidle2'});
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  check(bytes < 300e3, `the page weighs ${Math.round(bytes / 1000)} KB`);
  check(from.size === 1, 'nothing is loaded from elsewhere');
  console.log(`note  first paint on a slow phone: ${Math.round(paint)} ms`);
  await context.close();
}

send(9.5);
const first = await open('desktop', 'en');
await signIn(first.page, 'viewer');
await first.page.waitForFunction(async () => (await (await fetch('/api/v1/alerts?state=active')).json()).length > 0, {timeout: 20000, polling: 200});
const alert = await first.page.evaluate(async () => (await (await fetch('/api/v1/alerts?state=active')).json())[0].id);
await first.context.close();
const tours = process.env.SY_LONG
  ? ['viewer', 'inspector', 'deployer', 'regulator', 'auditor'].flatMap((r) => ['desktop', 'phone'].flatMap((s) => ['en', 'zh'].map((l) => [r, s, l])))
  : [['viewer', 'desktop', 'en'], ['inspector', 'phone', 'zh'], ['deployer', 'desktop', 'zh'], ['auditor', 'phone', 'en'], ['regulator', 'desktop', 'en'], ['regulator', 'phone', 'zh']];
for (const [role, size, language] of tours) await tour(role, size, language, alert);
await weight();
await workshop();
await liveAndAct(alert);
await auditAndMaintain();
await browser.close();
console.log(`browser: ${failures} failures`);
process.exit(failures ? 1 : 0);
