// People a day as columns, people in the seven days up to it as a line.

import { byId, empty, html, svg } from '../dom.js';
import { each } from '../days.js';
import { count, dayName } from '../numbers.js';

const WIDTH = 420;
const HEIGHT = 190;
const LEFT = 34;
const BOTTOM = 22;
const TOP = 8;

/** The next round number at or above `n`: 1, 2, 5 times a power of ten, at least 4. */
function ceiling(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 4)));
  return Math.max(4, [1, 2, 4, 5, 10].map((m) => m * power).find((m) => m >= n));
}

/** Days from `trend` on are drawn, those from `from` to `to` are the chosen ones. */
export function drawActivity(rows, { trend, from, to }) {
  const known = new Map(rows.map((row) => [row.day, row]));
  const days = each(trend, to).map((day) => ({ day, dau: Number(known.get(day)?.dau ?? 0), wau: Number(known.get(day)?.wau ?? 0) }));
  byId('activity-hint').textContent = `${dayName(trend)} to ${dayName(to)}`;
  if (!days.some((d) => d.dau || d.wau)) {
    byId('activity').replaceChildren(empty('Nobody was here in these days.', 'One click in the shop makes you the first.'));
    return;
  }
  const most = ceiling(Math.max(...days.map((d) => Math.max(d.dau, d.wau))));
  const step = (WIDTH - LEFT) / days.length;
  const x = (i) => LEFT + i * step + step / 2;
  const y = (n) => TOP + (1 - n / most) * (HEIGHT - TOP - BOTTOM);
  const grid = [0, most / 4, most / 2, (most * 3) / 4, most].map((n) => [
    svg('line', { class: 'grid', x1: LEFT, x2: WIDTH, y1: y(n), y2: y(n) }),
    n % 1 ? null : svg('text', { x: LEFT - 7, y: y(n) + 4, 'text-anchor': 'end' }, count(n)),
  ]).flat();
  const every = Math.ceil(days.length / 5);
  const bars = days.map(({ day, dau, wau }, i) => svg('rect', {
    class: `day ${day >= from ? 'chosen' : ''}`, x: x(i) - step * 0.32, y: y(dau), width: step * 0.64, height: y(0) - y(dau), rx: Math.min(3, step * 0.2),
  }, svg('title', null, `${dayName(day)}: ${count(dau)} that day, ${count(wau)} in 7 days`)));
  const labels = days.map(({ day }, i) => ((days.length - 1 - i) % every ? null : svg('text', { x: x(i), y: HEIGHT - 5, 'text-anchor': i === days.length - 1 ? 'end' : 'middle', dx: i === days.length - 1 ? step / 2 : 0 }, dayName(day))));
  // The line begins where there is something to say.
  const begin = days.findIndex((d) => d.wau);
  const points = days.map((d, i) => [x(i), y(d.wau)]).slice(begin);
  const line = svg('polyline', { class: 'week', points: points.map((p) => p.join(',')).join(' ') });
  const [endX, endY] = points.at(-1);
  const last = days.at(-1);
  byId('activity').replaceChildren(
    svg('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${dayName(last.day)}: ${last.dau} people that day, ${last.wau} in seven days` },
      grid, bars, line, svg('circle', { class: 'week-dot', cx: endX, cy: endY, r: 3.5 }), labels),
    html('p', { class: 'key' },
      html('span', null, html('i', { class: 'tone-1' }), 'that day'), html('span', null, html('i', { class: 'tone-2' }), 'in the 7 days up to it')));
}
