// One event's way through the service, step by step.

import { read } from './api.js';
import { byId, html } from './dom.js';

const SOON = 500; // ms between looks until ClickHouse has it
const LATER = 3_000; // and until it is settled, which waits for the next compaction

/** The steps: what the answer holds of each, and what a person waits for. */
const STEPS = [
  { key: 'log', title: 'Log', waits: 'Being written' },
  { key: 'store', title: 'Event store', waits: 'A second or less' },
  { key: 'raw', title: 'Raw object', waits: 'A second or two, together with its neighbours' },
  { key: 'lake', title: 'Lake', waits: 'Waits for the next compaction, a few minutes' },
  { key: 'warehouse', title: 'ClickHouse', waits: 'Seconds after the raw object' },
];

/** What `trace` says of a step: done, or null. */
function reached(trace, key) {
  const value = trace?.[key];
  if (key === 'warehouse' && value && !value.visible) return null;
  return value === false ? null : value ?? null;
}

function details(value) {
  if (typeof value !== 'object') return null;
  const pairs = Object.entries(value).filter(([, v]) => v !== null && typeof v !== 'object');
  return html('dl', null, pairs.flatMap(([name, v]) => [html('dt', null, name.replaceAll('_', ' ')), html('dd', null, String(v))]));
}

function draw(trace, rejected) {
  const steps = rejected ? STEPS.slice(0, 1) : STEPS;
  byId('trace-steps').replaceChildren(...steps.map(({ key, title, waits }) => {
    const value = reached(trace, key);
    const state = value === null ? 'waiting' : 'done';
    const settled = key === 'warehouse' && value?.settled;
    const note = key === 'warehouse' && value ? html('span', { class: 'chip valid' }, settled ? 'settled' : 'counted in the reports') : null;
    return html('li', { class: 'step', 'data-step': key, 'data-state': state },
      html('h3', null, title, note), value === null ? html('p', null, waits) : details(value));
  }));
  if (rejected) byId('trace-steps').append(html('li', { class: 'step' }, html('h3', null, 'Goes no further'), html('p', null, 'Rejected events are kept for 30 days with their reasons and can be replayed; no report counts them.')));
}

/** Opens the panel on `event` of the live list and follows it until it is settled or the panel is closed. */
export async function showTrace(event) {
  const dialog = byId('trace');
  const rejected = event.verdict === 'rejected';
  byId('trace-id').textContent = event.event_id;
  byId('trace-reasons').replaceChildren(...[event.verdict, ...(event.reasons ?? [])].map((reason) => html('li', { class: `chip ${event.verdict}` }, reason)));
  draw(null, rejected);
  if (!dialog.open) dialog.showModal();
  const still = () => dialog.open && byId('trace-id').textContent === event.event_id;
  while (still()) {
    const trace = await read(`/v1/events/${encodeURIComponent(event.event_id)}/trace?wait=20&site=${encodeURIComponent(event.site_id ?? '')}`).catch(() => null);
    if (!still()) return;
    if (trace) draw(trace, rejected);
    if (rejected ? trace?.log : trace?.warehouse?.settled && trace.lake) return;
    await new Promise((resolve) => setTimeout(resolve, trace?.warehouse?.visible ? LATER : SOON));
  }
}

/** Makes the panel close by its button and by a click beside it. */
export function startTrace() {
  const dialog = byId('trace');
  byId('trace-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (e) => e.target === dialog && dialog.close());
}
