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

test('twenty_events_go_at_once_and_no_request_holds_more', async () => {
  const page = browser();
  for (let i = 0; i < 44; i++) page.window.clickstream.track(`e${i}`);
  await page.pass(10);
  await page.pass(2000);
  assert.deepEqual(page.requests.map((r) => r.body.batch.length), [20, 20, 5]);
  assert.equal(new Set(page.sent().map((e) => e.messageId)).size, 45);
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

test('retry_after_is_honoured_in_seconds_and_as_a_date', async () => {
  const date = new Date(Date.UTC(2026, 0, 1, 0, 1)).toUTCString();
  const page = browser({ answers: [[429, { 'Retry-After': '30' }], [503, { 'Retry-After': date }]] });
  await page.pass(30_999);
  assert.equal(page.requests.length, 1);
  await page.pass(1);
  assert.equal(page.requests.length, 2);
  await page.pass(28_999);
  assert.equal(page.requests.length, 2);
  await page.pass(1);
  assert.equal(page.requests.length, 3);
});

test('events_made_while_the_service_is_away_wait_for_the_retry', async () => {
  const page = browser({ answers: [[503, { 'Retry-After': '10' }]] });
  await page.pass(1000);
  for (let i = 0; i < 25; i++) page.window.clickstream.track('later');
  await page.pass(9999);
  assert.equal(page.requests.length, 1, 'a full batch does not break the wait');
  await page.pass(10);
  assert.deepEqual(page.requests.slice(1).map((r) => r.body.batch.length), [20, 6]);
});

test('a_final_refusal_drops_the_batch_and_says_so', async () => {
  const page = browser({ answers: [401] });
  await page.pass(1000);
  await page.pass(60_000);
  assert.equal(page.requests.length, 1);
  assert.deepEqual(page.warnings, ['clickstream: refused 401']);
  assert.deepEqual(Object.keys(page.local).filter((key) => key.includes('queue')), []);
});

test('a_batch_too_large_is_sent_in_halves', async () => {
  const page = browser({ answers: [413, 413] });
  for (let i = 0; i < 7; i++) page.window.clickstream.track('big');
  await page.pass(1010);
  assert.deepEqual(page.requests.map((r) => r.body.batch.length), [8, 4, 2, 6]);
  assert.equal(new Set(page.requests.slice(2).flatMap((r) => r.body.batch).map((e) => e.messageId)).size, 8);
});

test('a_queue_left_by_another_page_is_taken_over_with_its_ids', async () => {
  const store = {};
  const first = browser({ store, answers: [new TypeError('no network')] });
  first.window.clickstream.track('left behind');
  await first.pass(1000);
  const ids = first.sent().map((e) => e.messageId);
  const second = browser({ store });
  await second.pass(1000);
  assert.deepEqual(second.sent().map((e) => e.messageId).slice(0, 2), ids);
  assert.deepEqual(Object.keys(store).filter((key) => key.includes('queue')), [], 'what is sent is forgotten');
});

test('the_queue_keeps_its_newest_500', async () => {
  const page = browser({ answers: [[503, { 'Retry-After': '5' }]] });
  await page.pass(1000);
  for (let i = 0; i < 600; i++) page.window.clickstream.track(`e${i}`);
  await page.pass(5100);
  const sent = names(page.sent().slice(1));
  assert.equal(sent.length, 500);
  assert.equal(sent[0], 'e100');
  assert.equal(sent.at(-1), 'e599');
});

test('leaving_beacons_the_queue_and_keeps_it_stored', async () => {
  const store = {};
  const page = browser({ store });
  for (let i = 0; i < 18; i++) page.window.clickstream.track('x');
  page.fire('pagehide');
  assert.deepEqual(page.beacons.map((b) => [b.writeKey, b.batch.length]), [['k', 19]]);
  const next = browser({ store });
  await next.pass(1000);
  assert.equal(next.sent()[0].messageId, page.beacons[0].batch[0].messageId, 'a beacon that was lost is made good');
});

test('hiding_the_page_sends_at_once', async () => {
  const page = browser();
  page.document.hidden = true;
  page.fire('visibilitychange');
  await page.pass(0);
  assert.equal(page.requests.length, 1);
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
