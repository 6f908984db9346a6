// What the service keeps, asked as a user would.

import assert from 'node:assert/strict';
import { eventually } from '../browser/eventually.mjs';

/** Longest way from an answer to the export. */
const DEADLINE = 20_000; // ms
const DAY = 86_400_000; // ms

const day = (shift) => new Date(Date.now() + shift * DAY).toISOString().slice(0, 10);

async function exported(service) {
  const answer = await fetch(`${service.url}/v1/export?${new URLSearchParams({ site: 'demo', from: day(-1), to: day(1) })}`);
  assert.equal(answer.status, 200, 'the export');
  const lines = (await answer.text()).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line)).map((row) => ({ ...row, properties: JSON.parse(row.properties) }));
}

/** The exported events of a person, by `user_id` or `anonymous_id`, in the order they happened, once there are `count` of them. */
export async function kept(service, person, count) {
  const mine = (row) => [row.user_id, row.anonymous_id].includes(person);
  const rows = await eventually(`${count} events of ${person} are exported`, DEADLINE, async () => {
    const found = (await exported(service)).filter(mine);
    return found.length >= count && found;
  });
  return rows.sort((a, b) => a.occurred_at.localeCompare(b.occurred_at) || a.log_offset - b.log_offset);
}

/** The trace of an event, once it is visible in ClickHouse. */
export function traced(service, id) {
  return eventually(`${id} is visible`, DEADLINE, async () => {
    const answer = await fetch(`${service.url}/v1/events/${id}/trace`);
    const trace = answer.ok && (await answer.json());
    return trace?.warehouse?.visible && trace;
  });
}

/** The rejections of the site. */
export async function rejections(service) {
  const answer = await fetch(`${service.url}/v1/rejections?site=demo`);
  assert.equal(answer.status, 200, 'the rejections');
  return (await answer.json()).rejections;
}
