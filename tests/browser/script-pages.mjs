// Page views: routers, the back/forward cache, the ES module.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { head } from './site.mjs';
import { page, site, stage } from './stage.mjs';

stage({ keepPages: true });

const path = (event) => new URL(event.context.page.url).pathname;

test('each address of a single-page app is a page view, with its own title, and views count anew', async () => {
  site.pages.set('/app', `${head('', 'Start')}<body><h1 data-track="heading">App</h1></body></html>`);
  await page.goto(`${site.url}/app`);
  await site.until('element_viewed');
  await page.evaluate(() => {
    window.go = (to) => {
      history.pushState(null, '', to);
      document.title = `At ${to}`;
    };
    window.go('/app/list');
  });
  await site.until('element_viewed', 2);
  await page.evaluate(() => {
    history.replaceState(null, '', '/app/list#part');
    history.replaceState({ page: 2 }, '');
    window.go('/app/item');
  });
  await site.until('page', 3);
  await page.goBack();
  const views = await site.until('page', 4);
  await page.waitForTimeout(1_500);
  assert.equal(site.events('page').length, 4);
  assert.deepEqual(views.map(path), ['/app', '/app/list', '/app/item', '/app/list']);
  assert.deepEqual(views.slice(0, 3).map((e) => e.context.page.title), ['Start', 'At /app/list', 'At /app/item']);
  assert.deepEqual(views.map((e) => e.context.page.referrer && new URL(e.context.page.referrer).pathname), ['', '/app', '/app/list', '/app/item']);
  assert.equal(new Set(views.map((e) => e.properties.session_id)).size, 1);
});

test('a page that the browser kept and shows again is a page view, and its elements are seen again', async () => {
  site.pages.set('/one', `${head('', 'One')}<body><p data-track="one">One</p><a href="/two">on</a></body></html>`);
  site.pages.set('/two', `${head('', 'Two')}<body><p data-track="two">Two</p></body></html>`);
  await page.goto(`${site.url}/one`);
  await page.evaluate(() => { window.kept = true; });
  await site.until('element_viewed', 1);
  await page.click('a');
  await site.until('element_viewed', 2);
  await page.evaluate(() => { setTimeout(() => history.back()); }); // Playwright's goBack waits for a load
  const views = await site.until('element_viewed', 3);
  assert.equal(await page.evaluate(() => window.kept), true, 'it was kept, not loaded');
  assert.deepEqual(views.map((e) => e.properties.element_id), ['one', 'two', 'one']);
  assert.deepEqual((await site.until('page', 3)).map(path), ['/one', '/two', '/one']);
});

test('the ES module does the same, under the settings it is given', async () => {
  site.pages.set('/module', `<!doctype html><html><head><title>Module</title></head><body><nav><a id="home" href="#">Home</a></nav><script type="module">
    import { start } from '/clickstream.mjs';
    window.mine = start({ writeKey: 'demo', elements: 'nav a' });
    window.mine.track('ready', { n: 1 });
  </script></body></html>`);
  await page.goto(`${site.url}/module`);
  await page.click('#home');
  await site.until('element_clicked');
  await site.until('element_viewed');
  assert.deepEqual(site.events().map((e) => e.event ?? e.type).sort(), ['element_clicked', 'element_viewed', 'page', 'ready']);
  assert.equal(await page.evaluate(() => window.clickstream), undefined);
  assert.deepEqual(page.wrong, []);
});

test('an event of its own, a person and a page without an address are told as the site says', async () => {
  site.pages.set('/', `${head()}<body></body></html>`);
  await page.goto(`${site.url}/`);
  await page.evaluate(async () => {
    clickstream.identify('user-17', { plan: 'pro' });
    clickstream.page({ path: '/shop/tea', title: 'Tea' });
    clickstream.track('coupon_used', { code: 'TEA10' });
    await clickstream.flush();
  });
  const [, identify, view, coupon] = site.events();
  assert.deepEqual([identify.type, identify.userId, identify.traits], ['identify', 'user-17', { plan: 'pro' }]);
  assert.deepEqual([view.type, path(view), view.context.page.title], ['page', '/shop/tea', 'Tea']);
  assert.deepEqual([coupon.event, coupon.properties.code, path(coupon), coupon.userId], ['coupon_used', 'TEA10', '/shop/tea', 'user-17']);
});
