// segment-analytics-python, as its documentation has it but for the host.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { kept, rejections, traced } from './kept.mjs';
import { front, scene, service } from './scene.mjs';
import { CALLS, check } from './spec.mjs';

const PYTHON = process.env.PYTHON ?? 'python3';
const CLIENT = fileURLToPath(new URL('client.py', import.meta.url));

scene();

/** Runs the client until it has flushed; resolves with the errors that it told. */
async function run(host, calls, settings = {}) {
  const python = spawn(PYTHON, [CLIENT], { stdio: ['pipe', 'pipe', 'inherit'] });
  python.stdin.end(JSON.stringify({ host, settings, calls }));
  let printed = '';
  for await (const part of python.stdout) printed += part;
  return JSON.parse(printed);
}

/** The calls as Python spells their arguments. */
const spelt = (userId) => CALLS.map(([call, told]) => {
  const { groupId, previousId, ...same } = told;
  return [call, { user_id: userId, ...same, ...(groupId && { group_id: groupId }), ...(previousId && { previous_id: previousId }) }];
});

test('every call is kept with its fields', async () => {
  const user = `python-${randomUUID()}`;
  assert.deepEqual(await run(service.url, spelt(user)), []);
  const rows = await kept(service, user, CALLS.length);
  check(rows, user, /^analytics-python\/2\.4\.0$/);
  assert.equal((await traced(service, rows[0].event_id)).log.topic, 'events');
  assert.deepEqual(await rejections(service), []);
});

test('compressed batches are read', async () => {
  const anonymous = `python-${randomUUID()}`;
  const calls = Array.from({ length: 250 }, (_, i) => ['track', { anonymous_id: anonymous, event: 'Counted', properties: { i } }]);
  const start = front.seen.length;
  assert.deepEqual(await run(front.url, calls, { gzip: true }), []);
  const sent = front.seen.slice(start);
  assert.ok(sent.length >= 3 && sent.every((request) => request.headers['content-encoding'] === 'gzip' && request.status === 200));
  assert.ok(sent.every((request) => JSON.parse(gunzipSync(request.body)).batch.length <= 100), 'batches of at most 100');
  const rows = await kept(service, anonymous, calls.length);
  assert.deepEqual(rows.map((row) => row.properties.i).sort((a, b) => a - b), calls.map((_, i) => i));
});

test('a service that answers 503 first gets everything in the end, and counts it once', async () => {
  const user = `python-${randomUUID()}`;
  const start = front.seen.length;
  front.refuse({ status: 503 }, { status: 503, headers: { 'Retry-After': '1' } });
  assert.deepEqual(await run(front.url, spelt(user), { gzip: true }), []);
  const sent = front.seen.slice(start);
  assert.deepEqual(sent.slice(0, 2).map((request) => request.status), [503, 503]);
  assert.equal(sent.at(-1).status, 200);
  check(await kept(service, user, CALLS.length), user, /analytics-python/);
});
