import assert from 'node:assert/strict';
import test from 'node:test';
import { browser, element } from './fake-browser.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The events that `page` sends when all its timers for sending have run. */
async function events(page) {
  await page.pass(3000);
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
    page: { url: 'https://shop.example/a?b=1', referrer: 'https://search.example/', title: 'A' },
    locale: 'en-GB',
    library: { name: 'clickstream.js', version: '0.1.0' },
  });
  assert.deepEqual([view.properties.viewport_width, view.properties.viewport_height, view.properties.scroll_position], [1000, 800, 30]);
});

test('a_page_view_asks_for_no_layout_before_the_page_has_one', async () => {
  const page = browser();
  assert.equal(page.waiting()[0].properties.viewport_width, undefined);
  page.window.innerWidth = 640;
  const [view] = await events(page);
  assert.equal(view.properties.viewport_width, 640);
});

test('a_page_view_tells_its_place_once_however_soon_the_page_goes', () => {
  const page = browser();
  page.fire('pagehide');
  page.fire('pagehide');
  const [text] = Object.keys(page.local).filter((key) => key.includes('.q')).map((key) => page.local[key]);
  assert.equal(text.split('"viewport_width":1000').length, 2, text);
  assert.equal(page.beacons[0].batch[0].properties.scroll_position, 30);
});

test('a_page_named_at_once_leaves_the_one_before_it_its_place', async () => {
  const page = browser();
  page.window.clickstream.page({ path: '/shop/}', title: '":{' });
  const views = await events(page);
  assert.deepEqual(views.map((e) => [e.properties.viewport_width, e.properties.title]), [[1000, undefined], [1000, '":{']]);
});

test('a_click_describes_its_element_and_place', async () => {
  const page = browser();
  page.click(element({ track: 'buy', kind: 'cta', text: ' Buy \n now ', cls: 'btn big' }));
  const { event, properties } = (await events(page))[1];
  assert.equal(event, 'element_clicked');
  const { element_id, element_kind, element_text, element_class, x, y, element_x, element_y } = properties;
  assert.deepEqual({ element_id, element_kind, element_text, element_class, x, y, element_x, element_y }, {
    element_id: 'buy', element_kind: 'cta', element_text: 'Buy now', element_class: 'btn big', x: 15, y: 56, element_x: 5, element_y: 6,
  });
});

test('a_click_by_keyboard_is_placed_in_the_middle_of_its_element', async () => {
  const page = browser();
  page.click(element({ track: 'buy' }), { detail: 0, clientX: 0, clientY: 0 });
  const { x, y, element_kind } = (await events(page))[1].properties;
  assert.deepEqual({ x, y, element_kind }, { x: 60, y: 70, element_kind: 'button' });
});

test('a_click_made_by_a_script_or_beside_the_elements_is_none', async () => {
  const page = browser();
  page.click(element({ track: 'buy' }), { isTrusted: false });
  page.click(element({}));
  assert.equal((await events(page)).length, 1);
});

test('text_of_inputs_and_private_parts_stays', async () => {
  const page = browser();
  page.click(element({ track: 'card', text: '4111 1111', inside: ['[data-track-private]'] }));
  page.click(element({ track: 'form', text: 'Ada', querySelector: () => ({}) }));
  const host = element({ inside: ['[data-track-private]'] });
  page.click(element({ track: 'deep', text: 'secret', getRootNode: () => ({ host }) }));
  const clicks = (await events(page)).slice(1);
  assert.equal(clicks.length, 3);
  for (const { properties } of clicks) assert.equal('element_text' in properties, false, properties.element_id);
});

const views = (page) => page.sent().filter((e) => e.event === 'element_viewed').map((e) => e.properties);
const rests = (page) => page.sent().filter((e) => e.event === 'element_left').map((e) => e.properties);

test('a_view_is_half_visible_for_a_whole_second_once_per_page', async () => {
  const block = element({ track: 'hero' });
  const page = browser({ elements: [block] });
  await page.pass(0);
  assert.ok(page.observed.has(block));
  page.sees(block, 0.49);
  await page.pass(3000);
  assert.equal(views(page).length, 0, 'less than half is no view');
  page.sees(block, 0.5);
  await page.pass(900);
  page.sees(block, 0.2);
  await page.pass(3000);
  assert.equal(views(page).length, 0, 'less than a second is no view');
  page.sees(block, 0.6);
  await page.pass(3000);
  assert.equal(views(page).length, 1);
  assert.equal(views(page)[0].visible_ms, 1900, 'with the glimpse before');
  page.sees(block, 0);
  page.sees(block, 1);
  await page.pass(3000);
  assert.equal(views(page).length, 1, 'the same page, the same view');
  page.history.pushState(null, '', '/next');
  await page.pass(3000);
  assert.equal(views(page).length, 2, 'a new page, a new view');
});

test('views_and_what_came_after_them_add_up_to_the_time_visible', async () => {
  const block = element({ track: 'hero' });
  const page = browser({ elements: [block] });
  await page.pass(0);
  page.sees(block, 1);
  await page.pass(5000);
  page.sees(block, 0);
  await page.pass(700);
  page.sees(block, 1);
  await page.pass(2000);
  page.document.hidden = true;
  page.fire('visibilitychange');
  await page.pass(60_000);
  assert.deepEqual([views(page), rests(page)].map((all) => all.map((e) => e.visible_ms)), [[1000], [6000]]);
  page.document.hidden = false;
  page.fire('visibilitychange');
  await page.pass(3000);
  page.history.pushState(null, '', '/next');
  await page.pass(1000);
  assert.deepEqual(rests(page).map((e) => [e.element_id, e.visible_ms]), [['hero', 6000], ['hero', 3000]]);
});

test('an_element_taller_than_the_window_is_seen_while_it_crosses_its_middle', async () => {
  const long = element({ track: 'long' });
  const page = browser({ elements: [long] });
  await page.pass(0);
  page.sees(long, 0.02, 40_000);
  await page.pass(2000);
  assert.equal(views(page).length, 0);
  page.crosses(long, true, 40_000);
  await page.pass(2000);
  assert.equal(views(page).length, 1);
});

test('an_element_that_a_framework_uses_for_another_thing_is_another', async () => {
  const slot = element({ track: 'first' });
  const page = browser({ elements: [slot] });
  await page.pass(0);
  page.sees(slot, 1);
  await page.pass(3000);
  slot.dataset.track = 'second';
  page.changes({ target: slot });
  await page.pass(3000);
  assert.deepEqual(views(page).map((e) => [e.element_id, e.visible_ms]), [['first', 1000], ['second', 1000]]);
  assert.deepEqual(rests(page).map((e) => [e.element_id, e.visible_ms]), [['first', 2000]]);
});

test('a_hidden_page_is_not_seen', async () => {
  const block = element({ track: 'hero' });
  const page = browser({ elements: [block] });
  await page.pass(0);
  page.sees(block, 1);
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
  await page.pass(0);
  assert.ok(page.observed.has(late));
  page.sees(late, 1);
  late.isConnected = false;
  page.sees(late, 0);
  await page.pass(3000);
  assert.equal(page.sent().length, 1);
});

test('many_elements_are_found_in_short_tasks', async () => {
  const elements = Array.from({ length: 20 }, (_, i) => element({ track: `e${i}` }));
  const page = browser({ elements });
  let spent = 0;
  page.window.performance.now = () => page.now + spent++; // every look at the clock took a millisecond
  await page.pass(0);
  assert.ok(page.observed.size < 5, `${page.observed.size} in one task`);
  await page.pass(1000);
  assert.equal(page.observed.size, 20);
});

test('elements_are_found_by_the_selectors_of_the_site_too', async () => {
  const card = element({ name: 'article', cls: 'card', inside: ['.card'] });
  const page = browser({ dataset: { writeKey: 'k', host: '', elements: '.card' } });
  page.click(card);
  assert.equal((await events(page))[1].properties.element_id, 'card');
});

test('the_click_that_a_label_hands_to_its_field_is_no_second_one', async () => {
  const page = browser();
  const box = element({ track: 'newsletter', name: 'label' });
  page.click(box, { timeStamp: 50 });
  page.click(box, { timeStamp: 50, detail: 0 });
  assert.equal((await events(page)).filter((e) => e.event === 'element_clicked').length, 1);
});

test('the_third_fast_click_on_one_thing_is_a_rage_click', async () => {
  const page = browser();
  const [stuck, other] = [element({ track: 'stuck' }), element({ track: 'other' })];
  for (const [el, at] of [[stuck, 100], [stuck, 300], [stuck, 500], [other, 600], [stuck, 700], [stuck, 1300]]) page.click(el, { timeStamp: at });
  assert.deepEqual((await events(page)).slice(1).map((e) => e.properties.rage_click), [false, false, true, false, false, false]);
});

test('a_click_that_nothing_answers_is_dead', async () => {
  const page = browser();
  page.click(element({ track: 'stuck' }));
  await page.pass(3000);
  page.click(element({ track: 'works' }));
  page.answer();
  await page.pass(3000);
  page.click(element({ track: 'link', name: 'a' }));
  await page.pass(3000);
  page.click(element({ track: 'field', inside: ['input'] }));
  await page.pass(3000);
  assert.deepEqual(page.sent().slice(1).map((e) => e.properties.dead_click), [true, false, false, false]);
});

test('a_click_is_stored_before_it_is_known_whether_it_is_dead', async () => {
  const page = browser();
  page.click(element({ track: 'stuck' }));
  assert.deepEqual(page.waiting().map((e) => e.event ?? e.type), ['page', 'element_clicked']);
});

const link = (more) => element({ name: 'a', host: 'other.example', pathname: '/guide', inside: ['a[href]'], ...more });
test('links_that_lead_elsewhere_and_to_files_are_clicks', async () => {
  const page = browser();
  page.click(link());
  page.click(link({ track: 'partner', text: 'Partner' }));
  page.click(link({ host: 'shop.example', pathname: '/list.PDF' }));
  page.click(link({ host: 'shop.example', pathname: '/export', inside: ['a[href]', '[download]'] }));
  page.click(link({ host: 'shop.example', pathname: '/next' }));
  page.click(link({ host: '', pathname: 'ada@example.org' }));
  assert.deepEqual((await events(page)).slice(1).map(({ properties: p }) => [p.element_id, p.link, p.href]), [
    ['other.example/guide', 'outbound', 'other.example/guide'],
    ['partner', 'outbound', 'other.example/guide'],
    ['shop.example/list.PDF', 'download', 'shop.example/list.PDF'],
    ['shop.example/export', 'download', 'shop.example/export'],
  ]);
});

test('a_frame_counts_its_elements_and_is_no_page_view', async () => {
  const page = browser({ framed: true });
  page.click(element({ track: 'buy' }));
  const sent = await events(page);
  assert.deepEqual(sent.map((e) => e.event), ['element_clicked']);
  assert.equal(sent[0].context.page.url, 'https://shop.example/a?b=1');
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
  assert.deepEqual(views[1].context.page, { url: 'https://shop.example/b', referrer: 'https://shop.example/a?b=1', title: 'B' });
});

test('a_page_without_an_address_is_named_by_page', async () => {
  const page = browser();
  page.window.clickstream.page({ path: '/shop/tea', title: 'Tea' });
  page.window.clickstream.track('sort');
  const sent = await events(page);
  for (const event of sent.slice(1)) {
    assert.equal(event.context.page.url, 'https://shop.example/shop/tea');
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
  assert.equal(store['clickstream.k.session'], c);
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

test('until_consent_nothing_is_stored_or_sent_and_then_nothing_was_lost', async () => {
  const store = {};
  const page = browser({ store, dataset: { writeKey: 'k', host: '', consent: '' } });
  page.window.clickstream.track('a');
  await page.pass(60_000);
  page.fire('pagehide');
  assert.deepEqual([page.sent(), page.beacons, store], [[], [], {}]);
  page.window.clickstream.consent(true);
  assert.deepEqual((await events(page)).map((e) => e.event ?? e.type), ['page', 'a']);
  assert.equal(page.sent()[0].timestamp, '2026-01-01T00:00:00.000Z', 'the time at which it happened');
  const next = browser({ store, dataset: { writeKey: 'k', host: '', consent: 'required' } });
  assert.equal((await events(next)).length, 1, 'the answer is remembered');
});

test('a_refusal_forgets_everything_and_is_remembered', async () => {
  const store = { theirs: 'stays' };
  const page = browser({ store });
  page.window.clickstream.identify('u1');
  page.window.clickstream.consent(false);
  page.window.clickstream.track('b');
  assert.deepEqual([await events(page), store], [[], { theirs: 'stays', 'clickstream.k.consent': '0' }]);
  assert.equal((await events(browser({ store }))).length, 0);
});

test('cookieless_stores_nothing', async () => {
  const store = {};
  const page = browser({ store, dataset: { writeKey: 'k', host: '', cookieless: '' } });
  page.window.clickstream.track('a');
  const sent = await events(page);
  assert.equal(new Set(sent.map((e) => e.anonymousId)).size, 1);
  assert.deepEqual([sent.length, store, page.cookies], [2, {}, []]);
});

test('a_cookie_is_set_only_if_asked_for', async () => {
  const page = browser();
  await events(page);
  assert.deepEqual(page.cookies, []);
  const asked = browser({ dataset: { writeKey: 'k', host: '', cookie: 'domain=shop.example;path=/' } });
  const [view] = await events(asked);
  assert.deepEqual(new Set(asked.cookies), new Set([`clickstream=${view.anonymousId};domain=shop.example;path=/`]));
  asked.window.clickstream.consent(false);
  assert.match(asked.cookies.at(-1), /^clickstream=;domain=shop.example;path=\/;max-age=0$/);
});
