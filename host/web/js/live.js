// The list of arriving events.

import { byId, html } from './dom.js';
import { clock } from './numbers.js';
import { showTrace } from './trace.js';

const MOST = 100; // rows; older ones go
const VERBS = { view: 'Saw', click: 'Clicked', page: 'Opened', identify: 'Was named', custom: 'Sent' };

let waiting = [];
let paused = false;
const shown = new Set(); // event ids; a client may send one again

function row(event) {
  const { event_id: id, verdict, action, reasons = [] } = event;
  const subject = action === 'page' ? event.path : event.element_id ?? event.name;
  const where = [event.site_id, action === 'page' ? null : event.path, ...reasons].filter(Boolean).join(' · ');
  return html('li', { class: 'new', 'data-event-id': id }, html('button', {
    class: 'event', type: 'button', disabled: !id, title: id ? 'Show where this event is' : null,
    onclick: () => showTrace(event),
  },
  html('time', { datetime: event.received_at }, clock(event.received_at)),
  html('span', { class: 'what' }, `${VERBS[action] ?? 'Unknown'} `, html('b', null, subject ?? '')),
  html('span', { class: `chip ${verdict}` }, verdict),
  html('span', { class: 'where' }, where)));
}

/** Puts what arrived since the last frame on top. */
function draw() {
  const list = byId('events');
  const fresh = waiting.splice(0).slice(-MOST);
  if (paused || !fresh.length) return;
  byId('live-empty').hidden = true;
  list.prepend(...fresh.reverse().map(row));
  while (list.children.length > MOST) {
    shown.delete(list.lastChild.dataset.eventId);
    list.lastChild.remove();
  }
}

/** Takes an event into the list. Many at once cost one drawing. */
export function show(event) {
  if (paused || shown.has(event.event_id)) return;
  if (event.event_id) shown.add(event.event_id);
  if (!waiting.length) requestAnimationFrame(draw);
  waiting.push(event);
  if (waiting.length > 2 * MOST) waiting = waiting.slice(-MOST);
}

/** Makes the pause button work. */
export function startLive() {
  const button = byId('pause');
  button.addEventListener('click', () => {
    paused = !paused;
    button.setAttribute('aria-pressed', String(paused));
    button.textContent = paused ? 'Go on' : 'Pause';
  });
}
