// @segment/analytics-next in Chromium, on a page of another origin, as its documentation has it but for where it finds
// the service: `cdnURL`.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launch, visitor, watched } from '../browser/chromium.mjs';
import { eventually } from '../browser/eventually.mjs';
import { kept, rejections, traced } from './kept.mjs';
import { front, scene, service } from './scene.mjs';
import { CALLS, check } from './spec.mjs';

const PAGE = '<!doctype html><html lang="en"><head><title>Shop</title><script src="/bundle.js"></script></head><body>Tea</body></html>';

let site;
let browser;
let context;
let page;

/** A site of its own origin with the bundle. */
async function bundled() {
  const entry = fileURLToPath(new URL('page.mjs', import.meta.url));
  const { outputFiles: [script] } = await build({ entryPoints: [entry], bundle: true, write: false, define: { 'process.env.NODE_ENV': '"production"' } });
  const server = createServer(({ url }, response) => {
    const isScript = url === '/bundle.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script.contents : PAGE);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://localhost:${server.address().port}`, close: () => server.closeAllConnections() || server.close() };
}

before(async () => {
  [browser, site] = await Promise.all([launch(), bundled()]);
});
after(async () => {
  await browser?.close();
  site?.close();
});
scene();
beforeEach(async () => {
  context = await visitor(browser);
  page = await watched(context);
  await page.goto(`${site.url}/tea?utm_source=mail`);
});
afterEach(() => context.close());

/** Loads the client; `options` are those of its `load`. */
const load = (url, options) => page.evaluate(([cdnURL, more]) => window.load(cdnURL, more), [url, options]);

/** Makes the calls, each delivered before the next, and resolves with the user's id. */
const call = () => page.evaluate(async (calls) => {
  const { analytics } = window;
  const user = `browser-${crypto.randomUUID()}`;
  for (const [name, told] of calls) {
    await ({
      identify: () => analytics.identify(user, told.traits),
      track: () => analytics.track(told.event, told.properties),
      page: () => analytics.page(told.category, told.name, told.properties),
      screen: () => analytics.screen(told.category, told.name, told.properties),
      group: () => analytics.group(told.groupId, told.traits),
      alias: () => analytics.alias(user, told.previousId),
    })[name]();
  }
  return user;
}, CALLS);

const paths = (start = 0) => front.seen.slice(start).map(({ path, status }) => `${path} ${status}`);

test('every call is kept with its fields, and the settings say where to send', async () => {
  const start = front.seen.length;
  await load(front.url);
  const user = await call();
  const rows = await kept(service, user, CALLS.length);
  check(rows, user, /^analytics\.js\/npm:next-1\.84\.3$/);
  assert.deepEqual(paths(start), ['i', 't', 't', 'p', 's', 'g', 'a'].map((letter) => `/v1/${letter} 200`));
  // Because of this header the browser asks before each.
  assert.ok(front.seen.slice(start).every(({ headers }) => headers.authorization.startsWith('Basic ')));
  const click = rows.find((row) => row.action === 'click');
  assert.deepEqual([click.path, click.utm_source, click.device_type], ['/tea', 'mail', 'desktop']);
  assert.match(click.anonymous_id, /^[0-9a-f-]{36}$/);
  assert.equal((await traced(service, click.event_id)).log.topic, 'events');
  assert.deepEqual(await rejections(service), []);
  assert.deepEqual(page.wrong, []);
});

test('batches of the client are read', async () => {
  const start = front.seen.length;
  await load(front.url, { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 5, timeout: 200 } } } } });
  const id = await page.evaluate(async () => {
    await Promise.all(Array.from({ length: 12 }, (_, i) => window.analytics.track('Counted', { i })));
    return (await window.analytics.user()).anonymousId();
  });
  const rows = await kept(service, id, 12);
  assert.deepEqual(rows.map((row) => row.properties.i).sort((a, b) => a - b), Array.from({ length: 12 }, (_, i) => i));
  const requests = paths(start);
  assert.ok(requests.length < 12 && requests.every((request) => request === '/v1/b 200'), `batches: ${requests}`);
  assert.deepEqual(page.wrong, []);
});

for (const status of [503, 429]) {
  test(`a service that answers ${status} first gets everything in the end, and counts it once`, async () => {
    await load(front.url);
    const start = front.seen.length;
    front.refuse({ status, headers: { 'Retry-After': '1' } });
    const id = await page.evaluate(async () => {
      window.analytics.track('Tried again');
      return (await window.analytics.user()).anonymousId();
    });
    const rows = await kept(service, id, 1);
    assert.equal(rows.length, 1);
    assert.deepEqual(paths(start), [`/v1/t ${status}`, '/v1/t 200']);
    assert.equal(front.seen.at(-1).headers['x-retry-count'], '1');
    assert.deepEqual(page.wrong.filter((text) => !text.includes(`status of ${status}`)), []);
  });
}

test('what a visitor did without a network is sent when it is back', async () => {
  await load(service.url);
  await context.setOffline(true);
  const id = await page.evaluate(async () => {
    window.analytics.track('Offline');
    return (await window.analytics.user()).anonymousId();
  });
  await context.setOffline(false);
  const [row] = await kept(service, id, 1);
  assert.equal(row.name, 'Offline');
});

test('the measurements of the client are counted and kept nowhere', async () => {
  const measured = async () => Number(/^clickstream_client_measurements_total (\d+)/m.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1] ?? 0);
  const answer = await page.evaluate(async (url) => (await fetch(`${url}/v1/m`, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{"series":[{"type":"Counter","metric":"analytics_js.invoke","value":1,"tags":{"method":"load"}}]}' })).status, service.url);
  assert.equal(answer, 204);
  await eventually('it is counted', 5_000, async () => (await measured()) === 1);
  assert.deepEqual(page.wrong, []);
});

test('an unknown key has no settings', async () => {
  const answer = await page.evaluate(async (url) => (await fetch(`${url}/v1/projects/nobody/settings`)).status, service.url);
  assert.equal(answer, 404);
});
