import assert from 'node:assert/strict';
import test from 'node:test';
import { browser, storage } from './fake-browser.mjs';

const names = (events) => events.map((e) => e.event ?? e.type);

test('events_go_out_together_after_a_second', async () => {
  const page = browser();
  page.window.clickstream.track('a', { n: 1 });
  await page.pass(999);
  assert.equal(page.requests.length, 0);
  await page.pass(1);
  assert.equal(page.requests.length, 1);
  const [{ url, options, body }] = page.requests;
  assert.equal(url, '/v1/batch');
  assert.equal(options.headers, undefined, 'a plain body needs no preflight');
  assert.equal(options.keepalive, true);
  assert.equal(body.writeKey, 'k');
  assert.equal(body.sentAt, '2026-01-01T00:00:01.000Z');
  assert.deepEqual(names(body.batch), ['page', 'a']);
  await page.pass(60_000);
  assert.equal(page.requests.length, 1, 'nothing is sent twice');
});

test('a_request_stays_below_what_outlives_a_page', async () => {
  const page = browser();
  for (let i = 0; i < 200; i++) page.window.clickstream.track(`e${i}`, { text: 'ü'.repeat(200) });
  await page.pass(2000);
  assert.ok(page.requests.length > 3);
  for (const { options } of page.requests) {
    assert.ok(Buffer.byteLength(options.body) < 65_536 && options.keepalive, `${Buffer.byteLength(options.body)} bytes`);
  }
  assert.equal(new Set(page.sent().map((e) => e.messageId)).size, 201);
});

test('an_event_too_large_to_outlive_the_page_goes_alone_without_that_promise', async () => {
  const page = browser();
  page.window.clickstream.track('large', { text: 'x'.repeat(70_000) });
  page.window.clickstream.track('small');
  await page.pass(2000);
  assert.deepEqual(page.requests.map((r) => [names(r.body.batch).join(), r.options.keepalive]), [['page', true], ['large', false], ['small', true]]);
});

test('the_host_defaults_to_where_the_script_came_from', async () => {
  const page = browser({ dataset: { writeKey: 'k' } });
  await page.pass(1000);
  assert.equal(page.requests[0].url, 'https://stats.example/v1/batch');
});

test('a_refusal_for_now_is_tried_again_with_the_same_ids_and_growing_waits', async () => {
  const page = browser({ answers: [new TypeError('no network'), 503, 429, 200] });
  await page.pass(1000);
  await page.pass(1000);
  assert.equal(page.requests.length, 2);
  await page.pass(2000);
  assert.equal(page.requests.length, 3);
  await page.pass(4000);
  assert.equal(page.requests.length, 4);
  assert.equal(new Set(page.sent().map((e) => e.messageId)).size, 1);
  await page.pass(120_000);
  assert.equal(page.requests.length, 4);
});

test('retry_after_is_honoured_by_every_page_of_the_site', async () => {
  const store = {};
  const page = browser({ store, answers: [[429, { 'Retry-After': '30' }], [503, { 'Retry-After': '60' }]] });
  await page.pass(1000);
  const other = browser({ store });
  other.now = page.now;
  await other.pass(29_000);
  other.fire('pagehide');
  assert.deepEqual([other.requests.length, other.beacons.length], [0, 0]);
  await page.pass(29_999);
  assert.equal(page.requests.length, 1);
  await page.pass(1);
  assert.equal(page.requests.length, 2);
  await page.pass(59_999);
  assert.equal(page.requests.length, 2);
  await page.pass(1);
  assert.equal(page.requests.length, 3);
});

test('a_network_that_is_back_is_used_at_once_and_no_asked_wait_is_cut', async () => {
  const page = browser({ answers: [...Array(6).fill(new TypeError('no network')), [429, { 'Retry-After': '30' }]] });
  await page.pass(20_000);
  const tries = page.requests.length;
  page.fire('online', {});
  await page.pass(0);
  assert.equal(page.requests.length, tries + 1);
  while (page.requests.length < 7) await page.pass(100);
  page.fire('online', {});
  await page.pass(5000);
  assert.equal(page.requests.length, 7);
});

test('only_the_events_that_the_service_asks_for_again_are_sent_again', async () => {
  const page = browser({ answers: [[200, {}, { results: [{ result: 'accepted' }, { result: 'retry' }, { result: 'rejected' }] }]] });
  page.window.clickstream.track('again');
  page.window.clickstream.track('wrong');
  await page.pass(5000);
  assert.deepEqual(page.requests.map((r) => names(r.body.batch)), [['page', 'again', 'wrong'], ['again']]);
  assert.equal(page.requests[1].body.batch[0].messageId, page.requests[0].body.batch[1].messageId);
});

test('an_answer_that_is_not_the_services_accepts_nothing', async () => {
  const page = browser({ answers: [[200, {}, '<!doctype html>'], [200, {}, { welcome: 'to the hotel' }]] });
  await page.pass(6000);
  assert.equal(page.requests.length, 3);
});

test('events_made_while_the_service_is_away_wait_for_the_retry', async () => {
  const page = browser({ answers: [[503, { 'Retry-After': '10' }]] });
  await page.pass(1000);
  for (let i = 0; i < 25; i++) page.window.clickstream.track('later');
  await page.pass(9999);
  assert.equal(page.requests.length, 1, 'new events do not break the wait');
  await page.pass(10);
  assert.equal(page.requests.slice(1).flatMap((r) => r.body.batch).length, 26);
});

test('a_final_refusal_drops_the_batch_and_says_so', async () => {
  const page = browser({ answers: [401] });
  await page.pass(1000);
  await page.pass(60_000);
  assert.equal(page.requests.length, 1);
  assert.deepEqual(page.warnings, ['clickstream: refused 401']);
  assert.deepEqual(Object.keys(page.local).filter((key) => key.includes('.q')), []);
});

test('a_batch_too_large_for_what_stands_before_the_service_is_halved_until_it_fits', async () => {
  const taken = [];
  const page = browser({
    answers: (text) => {
      if (text.length > 6000) return 413;
      taken.push(...JSON.parse(text).batch);
      return 200;
    },
  });
  for (let i = 0; i < 50; i++) page.window.clickstream.track(`e${i}`);
  page.window.clickstream.track('too large alone', { text: 'x'.repeat(6000) });
  page.window.clickstream.track('after it');
  await page.pass(60_000);
  assert.deepEqual(names(taken), ['page', ...Array.from({ length: 50 }, (_, i) => `e${i}`), 'after it']);
  assert.deepEqual(page.warnings, ['clickstream: refused 413'], 'only one event is lost');
  assert.deepEqual(page.waiting(), []);
  const sizes = page.requests.map(({ options }) => options.body.length);
  assert.ok(sizes[1] <= sizes[0] / 2 + 200, `${sizes}`);
});

test('a_queue_left_by_another_page_is_taken_over_with_its_ids', async () => {
  const store = {};
  const first = browser({ store, answers: [new TypeError('no network')] });
  first.window.clickstream.track('left behind');
  await first.pass(1000);
  const ids = first.sent().map((e) => e.messageId);
  const second = browser({ store });
  await second.pass(5000);
  const sent = second.sent().map((e) => e.messageId);
  assert.ok(ids.length === 2 && ids.every((id) => sent.filter((other) => other === id).length === 1));
  assert.deepEqual(Object.keys(store).filter((key) => key.includes('.q')), [], 'what is sent is forgotten');
});

test('the_queue_keeps_its_newest_2000', async () => {
  const page = browser({ answers: [[503, { 'Retry-After': '5' }]] });
  await page.pass(1000);
  for (let i = 0; i < 2100; i++) page.window.clickstream.track(`e${i}`);
  await page.pass(5100);
  const sent = names(page.sent().slice(1));
  assert.equal(sent.length, 2000);
  assert.equal(sent[0], 'e100');
  assert.equal(sent.at(-1), 'e2099');
});

test('leaving_beacons_the_queue_and_keeps_it_stored', async () => {
  const store = {};
  const page = browser({ store });
  for (let i = 0; i < 18; i++) page.window.clickstream.track('x');
  page.fire('pagehide');
  assert.deepEqual(page.beacons.map((b) => [b.writeKey, b.batch.length]), [['k', 19]]);
  const next = browser({ store });
  await next.pass(1000);
  const ids = next.sent().map((e) => e.messageId);
  assert.ok(page.beacons[0].batch.every((e) => ids.includes(e.messageId)), 'a beacon that was lost is made good');
});

test('tabs_never_overwrite_one_anothers_events', async () => {
  const store = {};
  const tabs = [1, 2, 3].map(() => browser({ store, answers: Array(3).fill(new TypeError('no network')) }));
  for (let i = 0; i < 10; i++) tabs.forEach((tab, n) => tab.window.clickstream.track(`${n}.${i}`));
  await Promise.all(tabs.map((tab) => tab.pass(1000)));
  const ids = tabs[0].waiting().map((e) => e.messageId);
  assert.equal(new Set(ids).size, 33);
  const last = browser({ store });
  last.now = tabs[0].now + 60_000;
  await last.pass(2000);
  const sent = new Set(last.sent().map((e) => e.messageId));
  assert.ok(ids.every((id) => sent.has(id)));
  assert.deepEqual(last.waiting(), []);
});

test('hiding_the_page_sends_at_once', () => {
  const page = browser();
  page.document.hidden = true;
  page.fire('visibilitychange');
  assert.deepEqual(page.beacons.map((b) => names(b.batch)), [['page']]);
});

for (const [name, local] of [['forbidden', null], ['full', storage({}, { full: true })]]) {
  test(`storage_that_is_${name}_loses_nothing_while_the_page_lives`, async () => {
    const page = browser({ local, answers: [503] });
    page.local = local;
    page.window.clickstream.track('a');
    await page.pass(5000);
    assert.deepEqual(names(page.requests.at(-1).body.batch), ['page', 'a']);
    const people = new Set(page.sent().map((e) => e.anonymousId));
    const sessions = new Set(page.sent().map((e) => e.properties.session_id));
    assert.deepEqual([people.size, sessions.size], [1, 1]);
  });
}
