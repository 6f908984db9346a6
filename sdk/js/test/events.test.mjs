import assert from 'node:assert/strict';
import test from 'node:test';
import { browser, element } from './fake-browser.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The events that `page` sends when all its timers for sending have run. */
async function events(page) {
  await page.pass(1000);
  return page.sent();
}

test('a_page_view_says_where_and_who', async () => {
  const [view] = await events(browser());
  assert.equal(view.type, 'page');
  assert.match(view.messageId, UUID);
  assert.match(view.anonymousId, UUID);
  assert.match(view.properties.session_id, UUID);
  assert.equal(view.timestamp, '2026-01-01T00:00:00.000Z');
  assert.deepEqual(view.context, {
    page: { url: 'https://shop.example/a?b=1', path: '/a', referrer: 'https://search.example/', title: 'A' },
    locale: 'en-GB',
    library: { name: 'clickstream.js', version: '0.1.0' },
  });
  assert.deepEqual([view.properties.viewport_width, view.properties.viewport_height, view.properties.scroll_position], [1000, 800, 30]);
});

test('a_click_describes_its_element_and_place', async () => {
  const page = browser();
  page.click(element({ track: 'buy', kind: 'cta', text: ' Buy \n now ', cls: 'btn big' }));
  const { event, properties } = (await events(page))[1];
  assert.equal(event, 'element_clicked');
  const { element_id, element_kind, element_text, element_class, x, y } = properties;
  assert.deepEqual({ element_id, element_kind, element_text, element_class, x, y }, {
    element_id: 'buy', element_kind: 'cta', element_text: 'Buy now', element_class: 'btn big', x: 5, y: 36,
  });
});

test('a_click_by_keyboard_is_placed_in_the_middle_of_its_element', async () => {
  const page = browser();
  page.click(element({ track: 'buy' }), { detail: 0, clientX: 0, clientY: 0, pageX: 0, pageY: 0 });
  const { x, y, element_kind } = (await events(page))[1].properties;
  assert.deepEqual({ x, y, element_kind }, { x: 60, y: 70, element_kind: 'button' });
});

test('a_click_made_by_a_script_or_beside_the_elements_is_none', async () => {
  const page = browser();
  page.click(element({ track: 'buy' }), { isTrusted: false });
  page.click({ closest: () => null });
  assert.equal((await events(page)).length, 1);
});

test('text_of_inputs_and_private_parts_stays', async () => {
  const page = browser();
  page.click(element({ track: 'card', text: '4111 1111', hidden: true }));
  assert.equal('element_text' in (await events(page))[1].properties, false);
});

test('a_view_is_half_visible_for_a_whole_second_once_per_page', async () => {
  const block = element({ track: 'hero' });
  const page = browser({ elements: [block] });
  assert.ok(page.observed.has(block));
  const views = () => page.sent().filter((e) => e.event === 'element_viewed');
  page.sees(block, 0.49);
  await page.pass(3000);
  assert.equal(views().length, 0, 'less than half is no view');
  page.sees(block, 0.5);
  await page.pass(900);
  page.sees(block, 0.2);
  await page.pass(3000);
  assert.equal(views().length, 0, 'less than a second is no view');
  page.sees(block, 0.6);
  page.sees(block, 1);
  await page.pass(3000);
  assert.equal(views().length, 1);
  assert.equal(views()[0].properties.visible_ms, 1000);
  page.sees(block, 0);
  page.sees(block, 1);
  await page.pass(3000);
  assert.equal(views().length, 1, 'the same page, the same view');
  page.history.pushState(null, '', '/next');
  await page.pass(3000);
  assert.equal(views().length, 2, 'a new page, a new view');
});

test('an_element_larger_than_the_window_is_seen_when_it_fills_half_of_it', async () => {
  const page = browser();
  page.sees(element({ track: 'long' }), 0.1, { width: 1000, height: 401 });
  await page.pass(2000);
  assert.equal(page.sent().at(-1).event, 'element_viewed');
});

test('a_hidden_page_is_not_seen', async () => {
  const page = browser();
  page.sees(element({ track: 'hero' }), 1);
  page.document.hidden = true;
  page.fire('visibilitychange');
  await page.pass(5000);
  assert.equal(page.sent().length, 1);
  page.document.hidden = false;
  page.fire('visibilitychange');
  await page.pass(2000);
  assert.equal(page.sent().at(-1).event, 'element_viewed');
});

test('elements_that_come_later_are_watched_and_those_that_go_are_let_go', async () => {
  const page = browser();
  const late = element({ track: 'late' });
  page.changes({ addedNodes: [late, { nodeType: 3 }] });
  assert.ok(page.observed.has(late));
  page.sees(late, 1);
  page.changes({ removedNodes: [late] });
  assert.ok(!page.observed.has(late));
  await page.pass(3000);
  assert.equal(page.sent().length, 1);
  page.changes({ attributeName: 'data-track', target: late });
  assert.ok(page.observed.has(late));
});

test('a_route_change_is_a_page_view_with_the_new_title_and_the_old_page_as_referrer', async () => {
  const page = browser();
  page.history.pushState(null, '', '/b');
  page.document.title = 'B';
  await page.pass(1100);
  page.history.replaceState(null, '', '/b#section');
  await page.pass(2000);
  const views = page.sent().filter((e) => e.type === 'page');
  assert.equal(views.length, 2, 'a fragment is no new page');
  assert.deepEqual(views[1].context.page, { url: 'https://shop.example/b', path: '/b', referrer: 'https://shop.example/a?b=1', title: 'B' });
});

test('a_page_without_an_address_is_named_by_page', async () => {
  const page = browser();
  page.window.clickstream.page({ path: '/shop/tea', title: 'Tea' });
  page.window.clickstream.track('sort');
  const sent = await events(page);
  for (const event of sent.slice(1)) {
    assert.equal(event.context.page.url, 'https://shop.example/shop/tea');
    assert.equal(event.context.page.path, '/shop/tea');
    assert.equal(event.context.page.title, 'Tea');
  }
});

test('identify_names_the_person_from_then_on', async () => {
  const page = browser();
  page.window.clickstream.identify('u1', { plan: 'pro' });
  page.window.clickstream.track('a');
  const [before, identify, after] = await events(page);
  assert.equal(before.userId, undefined);
  assert.deepEqual([identify.type, identify.userId, identify.traits], ['identify', 'u1', { plan: 'pro' }]);
  assert.equal(after.userId, 'u1');
});

test('a_session_ends_after_thirty_quiet_minutes_and_is_shared_by_pages', async () => {
  const store = {};
  const page = browser({ store });
  await page.pass(29 * 60_000);
  page.window.clickstream.track('a');
  await page.pass(30 * 60_000 - 1);
  page.window.clickstream.track('b');
  await page.pass(30 * 60_000);
  page.window.clickstream.track('c');
  const [first, a, b, c] = (await events(page)).map((e) => e.properties.session_id);
  assert.deepEqual([a, b], [first, first]);
  assert.notEqual(c, first);
  assert.equal(JSON.parse(store['clickstream.k.session']).id, c);
});

test('the_visitor_stays_the_same_over_pages', async () => {
  const store = {};
  const [first] = await events(browser({ store }));
  const [second] = await events(browser({ store }));
  assert.equal(first.anonymousId, second.anonymousId);
  assert.equal(first.properties.session_id, second.properties.session_id);
});

for (const [name, options] of [
  ['do_not_track', { navigator: { doNotTrack: '1' } }],
  ['global_privacy_control', { navigator: { globalPrivacyControl: true } }],
  ['no_write_key', { dataset: {} }],
]) {
  test(`with_${name}_nothing_is_stored_or_sent_and_the_calls_still_work`, async () => {
    const store = {};
    const page = browser({ store, ...options });
    page.window.clickstream.track('a');
    page.window.clickstream.identify('u1');
    page.window.clickstream.page();
    await page.window.clickstream.flush();
    page.click(element({ track: 'buy' }));
    assert.equal((await events(page)).length, 0);
    assert.deepEqual(store, {});
  });
}
