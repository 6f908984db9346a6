// @segment/analytics-node, as its documentation has it but for the host.

import { Analytics } from '@segment/analytics-node';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { kept, rejections, traced } from './kept.mjs';
import { front, scene, service } from './scene.mjs';
import { CALLS, check } from './spec.mjs';

scene();

/** A client, and the errors that it told. */
function client(host, settings) {
  const errors = [];
  const analytics = new Analytics({ writeKey: 'demo', host, ...settings });
  analytics.on('error', (error) => errors.push(error));
  return { analytics, errors };
}

/** Requests of the front since `start`. */
const since = (start) => front.seen.slice(start).map(({ path, status }) => [path, status]);

test('every call is kept with its fields', async () => {
  const userId = `node-${randomUUID()}`;
  const { analytics, errors } = client(service.url);
  for (const [call, told] of CALLS) analytics[call]({ userId, ...told });
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);
  const rows = await kept(service, userId, CALLS.length);
  check(rows, userId, /^@segment\/analytics-node\/3\.1\.0$/);
  const trace = await traced(service, rows[0].event_id);
  assert.deepEqual([trace.site_id, trace.log.topic], ['demo', 'events']);
  assert.deepEqual(await rejections(service), []);
});

test('what is flushed goes as one batch', async () => {
  const anonymousId = `node-${randomUUID()}`;
  const { analytics, errors } = client(front.url, { flushAt: 1_000, flushInterval: 60_000 });
  const start = front.seen.length;
  for (let i = 0; i < 100; i++) analytics.track({ anonymousId, event: 'Counted', properties: { i } });
  await analytics.flush();
  assert.deepEqual(since(start), [['/v1/batch', 200]]);
  const rows = await kept(service, anonymousId, 100);
  assert.deepEqual(rows.map((row) => row.properties.i).sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);
});

test('a service that answers 503 first gets everything in the end, and counts it once', async () => {
  const userId = `node-${randomUUID()}`;
  const { analytics, errors } = client(front.url);
  const start = front.seen.length;
  front.refuse({ status: 503 }, { status: 503, headers: { 'Retry-After': '1' } });
  for (const [call, told] of CALLS) analytics[call]({ userId, ...told });
  await analytics.closeAndFlush();
  assert.deepEqual(errors, []);
  assert.deepEqual(since(start), [['/v1/batch', 503], ['/v1/batch', 503], ['/v1/batch', 200]]);
  const ids = front.seen.slice(start).map(({ body }) => JSON.parse(body).batch.map((event) => event.messageId));
  assert.deepEqual(ids[0], ids[2], 'what is sent again has its ids');
  check(await kept(service, userId, CALLS.length), userId, /analytics-node/);
});

test('a wrong key is told and not sent again', async () => {
  const { analytics, errors } = client(front.url, { writeKey: 'nobody', maxRetries: 1 });
  const start = front.seen.length;
  analytics.track({ userId: 'u', event: 'Lost' });
  await analytics.closeAndFlush();
  assert.deepEqual(since(start)[0], ['/v1/batch', 401]);
  assert.equal(errors.length, 1);
});
