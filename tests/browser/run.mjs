// From a click in a browser to a report, against the real binary.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, visitor, watched } from './chromium.mjs';
import { eventually } from './eventually.mjs';
import { Service } from './service.mjs';

const FRESH = 10_000; // ms: what the service promises from a click to its report

let service;
let browser;
let context;
let page;

before(async () => {
  service = await Service.create();
  await service.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await service?.remove();
});
beforeEach(async () => {
  context = await visitor(browser);
  page = await watched(context);
});
afterEach(async () => {
  await context.close();
});

/** Opens the page and waits for the stream of events to stand. */
async function open(target = page) {
  await target.goto(service.url);
  await target.waitForSelector('#link[data-state="open"]');
  await target.waitForFunction(() => window.clickstream?.flush);
}

/** A row of the live list. */
const live = (verb, id) => page.locator('#events li', { hasText: `${verb} ${id}` }).first();

test('a click in the shop shows at once and is counted within ten seconds', async () => {
  await open();
  const clicks = (await service.element('add-sencha')).clicks;
  const clicked = Date.now();
  await page.click('[data-track="add-sencha"]');
  await live('Clicked', 'add-sencha').waitFor({ timeout: FRESH });
  await eventually('the report counts the click', FRESH - (Date.now() - clicked), async () => (await service.element('add-sencha')).clicks === clicks + 1);
  await page.waitForFunction((n) => document.querySelector('[data-element="add-sencha"] [data-measure="clicks"]')?.textContent === String(n), clicks + 1, { timeout: FRESH });
  assert.equal(await page.textContent('#basket-count'), '1');
  await page.waitForFunction(() => Number(document.querySelector('[data-figure="clicks"] .value')?.textContent) >= 1, undefined, { timeout: FRESH });
  assert.deepEqual(page.wrong, []);
});

test('the page shows where an event is, up to ClickHouse', async () => {
  await open();
  await page.click('[data-track="add-teapot"]');
  await live('Clicked', 'add-teapot').locator('button').click({ timeout: FRESH });
  for (const step of ['log', 'store', 'raw', 'warehouse']) {
    await page.waitForSelector(`[data-step="${step}"][data-state="done"]`, { timeout: FRESH });
  }
  assert.match(await page.textContent('[data-step="log"]'), /topic\s*events/);
  assert.match(await page.textContent('[data-step="raw"]'), /raw\/events\/.*\.parquet/);
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('#trace'), false);
  assert.deepEqual(page.wrong, []);
});

test('the keyboard reaches and counts a button', async () => {
  await open();
  await page.focus('[data-track="add-cup"]');
  await page.keyboard.press('Enter');
  const click = await eventually('the click is sent', 5_000, () => page.sent.find((e) => e.event === 'element_clicked'));
  const box = await page.locator('[data-track="add-cup"]').boundingBox();
  const { element_id, x, y } = click.properties;
  const top = await page.evaluate(() => window.scrollY);
  assert.equal(element_id, 'add-cup');
  assert.ok(x > box.x && x < box.x + box.width && y > box.y + top && y < box.y + top + box.height, `${x},${y} lies in the button`);
});

test('a view needs half of the element for a whole second', async () => {
  await open();
  const id = `block-${Date.now()}`;
  await page.evaluate((name) => {
    const block = document.createElement('div');
    block.dataset.track = name;
    block.textContent = 'A block that comes later';
    Object.assign(block.style, { position: 'fixed', left: '0', width: '300px', height: '200px', bottom: '-120px' });
    document.body.append(block);
  }, id);
  const views = () => page.sent.filter((e) => e.event === 'element_viewed' && e.properties.element_id === id);
  // 40 % visible: enough time for a view and its batch.
  await page.waitForTimeout(2_500);
  assert.equal(views().length, 0, 'less than half is no view');
  await page.evaluate((name) => { document.querySelector(`[data-track="${name}"]`).style.bottom = '-80px'; }, id);
  const shown = Date.now();
  const [view] = await eventually('60 % are a view', 5_000, () => views().length && views());
  assert.ok(Date.now() - shown >= 1_000, 'a view takes a second');
  assert.ok(view.properties.visible_ms >= 1_000, `visible for ${view.properties.visible_ms} ms`);
  const { row } = await eventually('the report counts the view', FRESH, async () => {
    const element = await service.element(id);
    return element.views === 1 && element;
  });
  assert.equal(row.element_text, 'A block that comes later');
  assert.equal(row.element_kind, 'div');
  assert.deepEqual(page.wrong, []);
});

test('the heat map marks where the page was clicked', async () => {
  await open();
  await page.click('[data-track="subscribe"]');
  await page.waitForSelector('#heat .cell', { timeout: FRESH });
  const { x, y } = (await eventually('the click is sent', 5_000, () => page.sent.find((e) => e.properties.element_id === 'subscribe' && e.event === 'element_clicked'))).properties;
  const width = await page.evaluate(() => window.innerWidth);
  const column = Math.min(19, Math.floor((x / width) * 20));
  const row = Math.floor(y / 50);
  await page.waitForSelector(`#heat .cell[x="${column * 50}"][y="${row * 50}"]`, { state: 'attached', timeout: FRESH });
  assert.ok(await page.locator('#heat .shape').count() > 5, 'the page is outlined');
});

test('markup in an event stays text', async () => {
  await open();
  const id = '<img src=x onerror="window.hacked=1">';
  await page.evaluate((name) => {
    const button = document.createElement('button');
    button.dataset.track = name;
    button.dataset.trackKind = '<script>window.hacked=2</script>';
    button.textContent = '<svg onload="window.hacked=3">';
    button.id = 'hostile';
    Object.assign(button.style, { position: 'fixed', left: '0', bottom: '0', zIndex: '9' });
    document.body.append(button);
    history.replaceState(null, '', '/?q=<script>window.hacked=4</script>');
  }, id);
  for (let i = 0; i < 3; i++) await page.click('#hostile');
  await live('Clicked', id).waitFor({ timeout: FRESH });
  const name = page.locator('#elements td.name b', { hasText: id });
  await name.waitFor({ timeout: 2 * FRESH });
  assert.equal(await name.textContent(), id);
  await live('Clicked', id).locator('button').click();
  await page.waitForSelector('[data-step="log"][data-state="done"]');
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('main img, main script, main .panel svg[onload]').count(), 0);
  assert.deepEqual(page.wrong, []);
});

test('what a visitor types is not sent', async () => {
  await open();
  await page.evaluate(() => {
    const box = document.createElement('label');
    box.dataset.track = 'card-number';
    box.textContent = 'Card ';
    box.append(document.createElement('input'));
    Object.assign(box.style, { position: 'fixed', left: '0', bottom: '0', zIndex: '9' });
    document.body.append(box);
  });
  await page.fill('[data-track="card-number"] input', '4111111111111111');
  await page.click('[data-track="card-number"] input');
  await eventually('the click is sent', 5_000, () => page.sent.some((e) => e.properties.element_id === 'card-number'));
  assert.ok(!JSON.stringify(page.sent).includes('4111'), 'no typed text');
  assert.equal(page.sent.find((e) => e.properties.element_id === 'card-number').properties.element_text, undefined);
});

for (const scheme of ['light', 'dark']) {
  test(`a phone shows everything without scrolling sideways, ${scheme}`, async () => {
    const phone = await visitor(browser, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: scheme });
    try {
      const small = await watched(phone);
      await open(small);
      await small.tap('[data-track="add-assam"]');
      await small.waitForSelector('#elements table', { timeout: FRESH });
      const [content, screen] = await small.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(content <= screen, `${content} px of content on ${screen} px`);
      const tooWide = await small.evaluate(() => [...document.querySelectorAll('main *')].filter((el) => {
        const r = el.getBoundingClientRect();
        return r.width && r.right > document.documentElement.clientWidth + 1;
      }).map((el) => `${el.tagName}.${el.getAttribute('class')}`));
      assert.deepEqual(tooWide, []);
      const back = await small.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(Number(/\d+/.exec(back)[0]) < 100, scheme === 'dark', `the page is ${back}`);
      assert.deepEqual(small.wrong, []);
    } finally {
      await phone.close();
    }
  });
}

test('a visitor who asks not to be tracked is not', async () => {
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true }));
  await open();
  assert.match(await page.textContent('#said'), /asks not to be tracked/);
  await page.click('[data-track="add-whisk"]');
  // Longer than a view and its batch take.
  await page.waitForTimeout(2_500);
  assert.deepEqual(page.sent, []);
  assert.equal(await page.evaluate(() => Object.keys(localStorage).length), 0);
});

test('the page loads nothing from elsewhere and runs under a strict policy', async () => {
  const foreign = [];
  page.on('request', (request) => request.url().startsWith(service.url) || foreign.push(request.url()));
  const answer = await page.goto(service.url);
  const policy = answer.headers()['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval/);
  assert.equal(answer.headers()['x-content-type-options'], 'nosniff');
  await page.waitForSelector('#link[data-state="open"]');
  assert.deepEqual(foreign, []);
  assert.deepEqual(page.wrong, []);
});

test('events made while the service is away are counted once when it is back', async () => {
  await open();
  const before = (await service.element('department-ware')).clicks;
  await page.evaluate(() => window.clickstream.flush());
  const end = await service.stop();
  assert.deepEqual(end, { code: 0, signal: null }, `SIGTERM ends it cleanly\n${service.output()}`);
  await page.click('[data-track="department-ware"]');
  const stored = () => page.evaluate(() => Object.entries(localStorage).filter(([key]) => key.startsWith('clickstream.demo.q')).map(([, value]) => JSON.parse(value).properties.element_id));
  await eventually('the click is kept', 5_000, async () => (await stored()).includes('department-ware'));
  // The page that made it goes; the next one of the same visitor brings it.
  await page.close({ runBeforeUnload: false });
  await service.start();
  page = await watched(context);
  await open();
  await eventually('the click is counted', 2 * FRESH, async () => (await service.element('department-ware')).clicks === before + 1);
  await eventually('the queue is empty', FRESH, async () => (await stored()).length === 0);
  assert.equal((await service.element('department-ware')).clicks, before + 1, 'and once');
});

test('a page that stays open comes back by itself', async () => {
  await open();
  const before = (await service.element('department-tea')).clicks;
  await service.stop();
  await page.waitForSelector('#link[data-state="lost"]', { timeout: FRESH });
  await page.click('[data-track="department-tea"]');
  await service.start();
  await page.waitForSelector('#link[data-state="open"]', { timeout: 3 * FRESH });
  await eventually('the click is counted once', 4 * FRESH, async () => (await service.element('department-tea')).clicks === before + 1);
});

test('the stream of events is read however it is cut', async () => {
  await page.goto(service.url);
  const got = await page.evaluate(async () => {
    const { messages } = await import('/web/js/stream.js');
    const text = ': hello\n\nevent: event\ndata: {"n":"ü"}\n\nid: 7\nevent:event\r\ndata:{\r\ndata: "n":2}\r\n\r\ndata: plain\n\nevent: event\ndata: cut off';
    const bytes = new TextEncoder().encode(text);
    const results = [];
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const taken = [];
      await messages(new ReadableStream({
        start(controller) {
          for (let i = 0; i < bytes.length; i += size) controller.enqueue(bytes.slice(i, i + size));
          controller.close();
        },
      }), (name, data) => taken.push([name, data]));
      results.push(taken);
    }
    return results;
  });
  for (const taken of got) assert.deepEqual(taken, [['event', '{"n":"ü"}'], ['event', '{\n"n":2}'], ['message', 'plain']]);
});

test('days of a span are summed and rates follow', async () => {
  await page.goto(service.url);
  const got = await page.evaluate(async () => {
    const totals = await import('/web/js/totals.js');
    const days = await import('/web/js/days.js');
    const numbers = await import('/web/js/numbers.js');
    return {
      elements: totals.elements([
        { day: '2026-02-28', element_id: 'a', element_text: null, views: '10', clicks: 1 },
        { day: '2026-03-01', element_id: 'a', element_text: 'A', views: 30, clicks: '9' },
        { day: '2026-03-01', element_id: 'b', element_text: 'B', views: 0, clicks: 20 },
      ]).map((e) => [e.element_id, e.element_text, e.views, e.clicks, e.rate]),
      sessions: totals.sessions([{ sessions: 1, avg_duration_s: 10 }, { sessions: 3, avg_duration_s: 50 }]),
      days: days.each('2028-02-27', '2028-03-01'),
      before: days.plus('2026-01-01', -1),
      numbers: [numbers.count(12345), numbers.percent(0.0834), numbers.percent(0), numbers.percent(0.0999), numbers.duration(95.4), numbers.duration(3900)],
    };
  });
  assert.deepEqual(got, {
    elements: [['b', 'B', 0, 20, null], ['a', 'A', 40, 10, 0.25]],
    sessions: { count: 4, average: 40, median: null },
    days: ['2028-02-27', '2028-02-28', '2028-02-29', '2028-03-01'],
    before: '2025-12-31',
    numbers: ['12,345', '8.3 %', '0 %', '10 %', '1 min 35 s', '1 h 5 min'],
  });
});

test('the description of the API is a page that can try it', async () => {
  await page.goto(`${service.url}/docs`);
  const health = page.locator('#operations-Watch-health');
  await health.click();
  assert.ok(await page.locator('.opblock').count() > 30);
  await health.locator('button.execute').click();
  const status = health.locator('.live-responses-table .response .response-col_status');
  await eventually('the answer is shown', 10_000, async () => (await status.innerText()).includes('200'));
  assert.deepEqual(page.wrong, []);
});
