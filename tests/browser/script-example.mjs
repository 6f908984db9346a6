// The example site, as its README has it: three pages of another origin than the service.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, visitor, watched } from './chromium.mjs';
import { Site } from './site.mjs';

let browser;
let site;
let context;
let page;

before(async () => {
  browser = await launch();
  site = await Site.create();
  context = await visitor(browser);
  // The address in the pages stands for whatever service there is.
  await context.route('http://127.0.0.1:8080/clickstream.js', (route) => route.fulfill({ path: fileURLToPath(new URL('../../sdk/js/clickstream.js', import.meta.url)) }));
  await context.route('http://127.0.0.1:8080/v1/batch', async (route) => {
    site.received.push(...JSON.parse(route.request().postData()).batch);
    await route.fulfill({ status: 200, headers: { 'Access-Control-Allow-Origin': '*' }, json: { results: [] } });
  });
  page = await watched(context);
});
after(async () => {
  await browser?.close();
  site?.close();
});

test('the example site tells what is seen and clicked on its three pages', async () => {
  await page.goto(`${site.url}/index.html`);
  await site.until('element_viewed', 4);
  await page.click('#nav-shop');
  await page.click('[data-track="filter-throw"]');
  await page.click('[data-track="add-moor"]');
  await site.until('basket_changed');
  await page.click('#nav-contact');
  await page.fill('textarea', 'a secret');
  await page.click('[data-track="send"]');
  await page.waitForTimeout(2_000);
  await page.click('[value="yes"]');
  await site.until('page', 4);
  const clicks = (await site.until('element_clicked', 5)).map((e) => e.properties.element_id);
  assert.deepEqual(clicks, ['nav-shop', 'filter-throw', 'add-moor', 'nav-contact', 'send']);
  assert.deepEqual(site.events('page').map((e) => new URL(e.context.page.url).pathname + new URL(e.context.page.url).search), ['/index.html', '/shop.html', '/shop.html?kind=throw', '/contact.html']);
  const told = JSON.stringify(site.received);
  assert.ok(!told.includes('secret') && !told.includes('Your last order'));
});
