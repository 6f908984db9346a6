// What the script takes for a click, in a real browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { head } from './site.mjs';
import { page, site, stage } from './stage.mjs';

stage();

const visit = async (body) => {
  site.pages.set('/', `${head()}<body style="margin:0">${body}</body></html>`);
  await page.goto(`${site.url}/`);
  await page.waitForFunction(() => window.clickstream);
};
const clicked = async (count) => (await site.until('element_clicked', count)).map((e) => e.properties);

test('a click has its place in the page and in its element', async () => {
  await visit('<div style="height:2000px"></div><button data-track="far" style="position:absolute;left:100px;top:1500px;width:200px;height:50px">Far</button>');
  await page.evaluate(() => scrollTo(0, 1000));
  await page.mouse.click(130, 520);
  const [{ x, y, element_x, element_y }] = await clicked(1);
  assert.deepEqual({ x, y, element_x, element_y }, { x: 130, y: 1520, element_x: 30, element_y: 20 });
});

test('the keyboard clicks the middle of a button, with Enter and with Space', async () => {
  await visit('<button data-track="key" style="position:absolute;left:100px;top:100px;width:200px;height:50px">Key</button>');
  await page.focus('button');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Space');
  const clicks = await clicked(2);
  for (const { x, y, element_x, element_y } of clicks) assert.deepEqual({ x, y, element_x, element_y }, { x: 200, y: 125, element_x: 100, element_y: 25 });
});

test('one click on a label with a field is one click', async () => {
  await visit('<label data-track="terms">I agree <input type="checkbox" data-track-kind="box"></label>');
  await page.click('label', { position: { x: 5, y: 5 } });
  assert.equal(await page.isChecked('input'), true);
  await page.waitForTimeout(2_500);
  assert.equal(site.events('element_clicked').length, 1);
});

test('three fast clicks are rage, one without an answer is dead, one with an answer is neither', async () => {
  await visit(`<button data-track="broken">Broken</button> <button data-track="works" onclick="setTimeout(() => { this.textContent = 'Done'; }, 500)">Works</button>
    <button data-track="deep-answer" onclick="this.firstChild.data = 'Changed'">Deep</button>`);
  for (let i = 0; i < 3; i++) await page.click('[data-track=broken]', { delay: 10 });
  await clicked(3);
  await page.click('[data-track=works]');
  await clicked(4);
  await page.click('[data-track=deep-answer]');
  const clicks = (await clicked(5)).map((p) => [p.element_id, p.rage_click, p.dead_click]);
  assert.deepEqual(clicks, [['broken', false, true], ['broken', false, true], ['broken', true, true], ['works', false, false], ['deep-answer', false, false]]);
});

test('links to other sites and to files are told, with where they lead but without what may name a person', async () => {
  site.pages.set('/next', '<!doctype html><title>Next</title>');
  await visit(`<p><a id="out" href="http://other.invalid/guide?email=a%40b#x">Guide</a> <a href="/price-list.pdf?token=1">Prices</a>
    <a data-track="partner" href="http://other.invalid/partner">Partner</a> <a href="/next">Next</a> <a href="mailto:ada@example.org">Mail</a></p>`);
  await page.evaluate(() => addEventListener('click', (e) => e.preventDefault()));
  for (const link of await page.locator('a').all()) await link.click();
  const clicks = await clicked(3);
  await page.waitForTimeout(1_500);
  assert.equal(site.events('element_clicked').length, 3);
  const host = new URL(site.url).host;
  assert.deepEqual(clicks.map((p) => [p.element_id, p.element_text, p.link, p.href]), [
    ['out', 'Guide', 'outbound', 'other.invalid/guide'],
    [`${host}/price-list.pdf`, 'Prices', 'download', `${host}/price-list.pdf`],
    ['partner', 'Partner', 'outbound', 'other.invalid/partner'],
  ]);
  assert.ok(!JSON.stringify(site.received).includes('token=1'));
});

test('a click that leaves the page arrives', async () => {
  site.pages.set('/next', '<!doctype html><title>Next, without the script</title>');
  await visit('<a href="/next" data-track="go">Go</a>');
  await site.until('page');
  await page.click('a');
  await page.waitForURL('**/next');
  const [{ element_id, dead_click }] = await clicked(1);
  assert.deepEqual({ element_id, dead_click }, { element_id: 'go', dead_click: false });
});
