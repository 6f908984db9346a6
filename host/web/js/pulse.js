// The last minute of arrivals, a bar a second.

import { byId, svg, html } from './dom.js';

const SECONDS = 60;
const HEIGHT = 44;
const VERDICTS = ['valid', 'suspicious', 'rejected'];

const bars = Array.from({ length: SECONDS }, () => ({ valid: 0, suspicious: 0, rejected: 0 }));

/** Counts one arrival. */
export function beat(verdict) {
  if (verdict in bars[SECONDS - 1]) bars[SECONDS - 1][verdict] += 1;
}

function draw() {
  const sum = (bar) => VERDICTS.reduce((n, verdict) => n + bar[verdict], 0);
  const most = Math.max(4, ...bars.map(sum));
  const shapes = bars.flatMap((bar, i) => {
    let y = HEIGHT;
    const parts = VERDICTS.filter((verdict) => bar[verdict]).map((verdict) => {
      const height = (bar[verdict] / most) * HEIGHT;
      y -= height;
      return svg('rect', { class: verdict, x: i * 10 + 1, y, width: 8, height, rx: 2 });
    });
    return parts.length ? parts : [svg('rect', { class: 'none', x: i * 10 + 1, y: HEIGHT - 2, width: 8, height: 2, rx: 1 })];
  });
  const total = bars.reduce((n, bar) => n + sum(bar), 0);
  byId('pulse').replaceChildren(
    svg('svg', { viewBox: `0 0 ${SECONDS * 10} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${total} events in the last minute` }, shapes),
    html('p', null, `${total} ${total === 1 ? 'event' : 'events'} in the last minute`),
  );
}

/** Draws once a second while someone looks. */
export function startPulse() {
  draw();
  setInterval(() => {
    if (!document.hidden) draw();
    bars.push({ valid: 0, suspicious: 0, rejected: 0 });
    bars.shift();
  }, 1_000);
}
