// The ring of device types, and the systems and browsers beneath it.

import { byId, empty, html, svg } from '../dom.js';
import { brief, count, percent } from '../numbers.js';
import * as totals from '../totals.js';

const RADIUS = 42;
const AROUND = 2 * Math.PI * RADIUS;

const first = (rows, field) => totals.devices(rows, field).slice(0, 3).map((d) => d[field] ?? 'unknown').join(', ');

/** Shares of events by device type. */
export function drawDevices(rows, site) {
  const kinds = totals.devices(rows, 'device_type').filter((d) => d.events);
  const total = kinds.reduce((n, d) => n + d.events, 0);
  if (!total) {
    const advice = site === 'demo' ? 'Your own shows once you click in the shop.' : 'Choose more days.';
    byId('devices').replaceChildren(empty('No devices in these days.', advice));
    return;
  }
  let start = 0;
  const arcs = kinds.map((kind, i) => {
    const length = (kind.events / total) * AROUND;
    const arc = svg('circle', {
      class: `tone-${(i % 5) + 1}`, cx: 60, cy: 60, r: RADIUS, transform: 'rotate(-90 60 60)',
      // A hair of ground between neighbours.
      'stroke-dasharray': `${Math.max(0.5, length - (kinds.length > 1 ? 1.5 : 0))} ${AROUND}`, 'stroke-dashoffset': -start,
    }, svg('title', null, `${kind.device_type}: ${count(kind.events)} events`));
    start += length;
    return arc;
  });
  const label = kinds.map((kind) => `${kind.device_type} ${percent(kind.events / total)}`).join(', ');
  byId('devices').replaceChildren(
    html('div', { class: 'donut' },
      svg('svg', { viewBox: '0 0 120 120', role: 'img', 'aria-label': `Share of events: ${label}` },
        svg('circle', { class: 'ring', cx: 60, cy: 60, r: RADIUS }), arcs,
        svg('text', { x: 60, y: 64 }, brief(total)), svg('text', { x: 60, y: 77, class: 'small' }, 'events')),
      html('ul', null, kinds.map((kind, i) => html('li', { class: `tone-${(i % 5) + 1}` },
        html('i', { 'aria-hidden': 'true' }), html('span', null, kind.device_type ?? 'unknown'), html('em', null, percent(kind.events / total)))))),
    html('p', { class: 'systems' }, html('b', null, 'Systems '), first(rows, 'os')),
    html('p', { class: 'systems' }, html('b', null, 'Browsers '), first(rows, 'browser')));
}
