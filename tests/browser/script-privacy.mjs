// What the script must not do, in a real browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { head } from './site.mjs';
import { arrive, context, page, site, stage } from './stage.mjs';

const BODY = `<body><h1 data-track="title">Shop</h1><form data-track="form"><label>Name <input id="name"></label><textarea id="note">Ada's note</textarea></form>
  <div data-track="balance" data-track-private>€ 4,200</div><section data-track="account">Account <b data-track-private>Ada Lovelace</b></section>
  <div contenteditable data-track="editor">Dear diary</div><button data-track="buy">Buy</button></body></html>`;

stage();

const visit = async (script) => {
  site.pages.set('/', `${head(script)}${BODY}`);
  await page.goto(`${site.url}/`);
  await page.waitForFunction(() => window.clickstream);
};
const kept = () => page.evaluate(() => Object.keys(localStorage));
const cookies = async () => (await context.cookies()).map((c) => c.name);

test('what people type and what a page marks private stays', async () => {
  await visit();
  await page.fill('#name', 'Grace Hopper');
  await page.fill('#note', 'her secret');
  for (const id of ['form', 'balance', 'account', 'editor']) await page.click(`[data-track=${id}]`);
  await site.until('element_clicked', 4);
  await site.until('element_viewed', 6);
  await page.close({ runBeforeUnload: true });
  const told = JSON.stringify(site.received);
  for (const secret of ['Grace', 'secret', 'note', '4,200', 'Ada', 'diary']) assert.ok(!told.includes(secret), secret);
  assert.ok(told.includes('"Shop"'), 'what is public is told');
});

test('until consent nothing leaves the page or is stored; then nothing is missing', async () => {
  await visit('data-consent="required" data-cookie="path=/"');
  await page.click('[data-track=buy]');
  await page.waitForTimeout(3_000);
  assert.deepEqual([page.sent, await kept(), await cookies()], [[], [], []]);
  await page.evaluate(() => clickstream.consent(true));
  await site.until('element_clicked');
  assert.equal(site.events('page').length, 1);
  assert.ok(site.events('element_viewed').length > 0);
  await page.reload();
  await site.until('page', 2);
});

test('a refusal sends nothing, leaves nothing but itself, and holds on the next page', async () => {
  await visit('data-cookie="path=/"');
  await site.until('page');
  assert.deepEqual(await cookies(), ['clickstream']);
  await page.evaluate(() => clickstream.consent(false));
  assert.deepEqual([await kept(), await cookies()], [['clickstream.demo.consent'], []]);
  const before = page.sent.length;
  await page.reload();
  await page.waitForFunction(() => window.clickstream);
  await page.click('[data-track=buy]');
  await page.waitForTimeout(2_500);
  assert.equal(page.sent.length, before);
});

for (const [name, signal] of [['Do Not Track', () => Object.defineProperty(navigator, 'doNotTrack', { value: '1' })], ['Global Privacy Control', () => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })]]) {
  test(`${name} is obeyed, even against a consent`, async () => {
    await context.addInitScript(signal);
    await visit();
    await page.evaluate(() => {
      clickstream.consent(true);
      clickstream.identify('ada');
      clickstream.track('anything');
      clickstream.flush();
    });
    await page.click('[data-track=buy]');
    await page.waitForTimeout(2_500);
    assert.deepEqual([page.sent, await kept(), await cookies()], [[], [], []]);
  });
}

test('no cookie is set; cookieless stores nothing at all and still counts', async () => {
  await visit();
  await site.until('page');
  assert.deepEqual(await cookies(), []);
  await context.close();
  await arrive();
  site.reset();
  await visit('data-cookieless');
  await page.click('[data-track=buy]');
  await site.until('element_clicked');
  assert.deepEqual([await kept(), await cookies()], [[], []]);
  const [first] = site.events('page');
  await page.reload();
  const [, second] = await site.until('page', 2);
  assert.notEqual(first.anonymousId, second.anonymousId, 'the next page is a stranger');
});
