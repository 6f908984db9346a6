// What the script makes of networks that fail, tabs that close, and services that ask for patience.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { watched } from './chromium.mjs';
import { eventually } from './eventually.mjs';
import { head } from './site.mjs';
import { context, page, site, stage } from './stage.mjs';

stage();
beforeEach(() => site.pages.set('/', `${head()}<body><button data-track="buy" onclick="this.textContent += '.'">Buy</button></body></html>`));

const visit = async (target = page) => {
  await target.goto(`${site.url}/`);
  await target.waitForFunction(() => window.clickstream);
};
const waiting = (target = page) => target.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('clickstream.demo.q')).length);
const idle = (target = page) => eventually('the queue is empty', 20_000, async () => await waiting(target) === 0);

test('offline events wait, and go out soon after the network is back', async () => {
  await visit();
  await site.until('element_viewed');
  await context.setOffline(true);
  for (let i = 0; i < 5; i++) await page.click('button');
  await page.waitForTimeout(4_000);
  assert.equal(site.events('element_clicked').length, 0);
  await context.setOffline(false);
  await site.until('element_clicked', 5, 4_000);
  await idle();
});

test('a tab closed in the middle of a batch loses nothing and counts nothing twice', async () => {
  let unanswered = true;
  site.answers = () => (unanswered ? null : 200);
  const keeper = await watched(context);
  await visit();
  const { x, y } = await page.locator('button').boundingBox();
  for (let i = 0; i < 30; i++) await page.mouse.click(x + 5, y + 5);
  await eventually('a batch is on its way', 5_000, () => page.sent.length);
  await page.close();
  unanswered = false;
  await visit(keeper);
  await site.until('element_clicked', 30, 20_000);
  await idle(keeper);
  assert.equal(site.events('element_clicked').length, 30);
  assert.equal(site.events('page').length, 2);
});

test('a batch that was taken but whose answer was lost is sent again under the same ids', async () => {
  let lost = 2;
  site.answers = (batch) => {
    if (lost-- <= 0) return 200;
    site.received.push(...batch);
    return null;
  };
  await visit();
  await page.click('button');
  await idle();
  await eventually('it is resent', 10_000, () => site.received.length > site.events().length);
  assert.deepEqual([site.events('page').length, site.events('element_clicked').length], [1, 1]);
});

test('a closing tab sends what it has by beacon', async () => {
  await visit();
  await site.until('page');
  await page.click('button');
  await page.close({ runBeforeUnload: true });
  await site.until('element_clicked', 1, 5_000);
});

test('tabs share one queue, one visitor and the wait that the service asked for', async () => {
  const tabs = [page, await watched(context), await watched(context)];
  for (const tab of tabs) await visit(tab);
  await site.until('page', 3);
  await Promise.all(tabs.map(idle));
  site.answers = () => ({ status: 429, headers: { 'Retry-After': '6' } });
  await tabs[0].evaluate(() => { clickstream.track('first'); });
  await eventually('it was refused', 5_000, () => tabs[0].evaluate(() => Number(localStorage['clickstream.demo.after']) > Date.now() + 3_000));
  const asked = Date.now();
  let tries = 0;
  site.answers = () => (tries++, 200);
  for (const [i, tab] of tabs.entries()) await tab.evaluate((n) => { for (let k = 0; k < 20; k++) clickstream.track('later', { n, k }); }, i);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal(tries, 0, 'no tab tries while the service asked for patience');
  await site.until('later', 60, 10_000);
  assert.ok(Date.now() - asked > 3_000);
  await Promise.all(tabs.map(idle));
  assert.equal(site.events('later').length, 60);
  assert.equal(new Set(site.events().map((e) => e.anonymousId)).size, 1);
});

test('the queue has an end: the oldest of more than 2,000 events go', async () => {
  site.answers = () => 503;
  await visit();
  await page.evaluate(() => { for (let i = 0; i < 2_100; i++) clickstream.track(`e${i}`); });
  await eventually('the queue is cut', 10_000, async () => await waiting() === 2_000);
  site.answers = () => 200;
  await site.until('e2099', 1, 20_000);
  assert.equal(site.events('e50').length, 0);
});

test('a full storage loses nothing while the page lives', async () => {
  await visit();
  await page.evaluate(() => {
    let size = 1 << 20;
    for (let i = 0; size > 1; i++) try { localStorage[`filler${i}`] = 'x'.repeat(size); } catch { size >>= 1; }
    for (let i = 0; i < 10; i++) clickstream.track('full', { i });
  });
  await site.until('full', 10);
});
