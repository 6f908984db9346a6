// Where a page is clicked: 20 columns across its width, rows of 50 CSS pixels.

import { byId, empty, html, svg } from '../dom.js';
import { count } from '../numbers.js';
import { silhouette } from './silhouette.js';

const COLUMN = 50; // thousandths of the width
const ROW = 50; // CSS pixels
const LEAST = 14; // rows drawn, so that a short page still looks like one
const BEYOND = 4; // rows drawn beneath the last click
const HOT = 4; // clicks that make a cell fully hot at least, so that one click does not

/** A colour from yellow to deep red for a share of the hottest cell; the root makes few clicks visible beside many. */
function heat(share) {
  const t = Math.sqrt(share);
  return `hsl(${Math.round(48 - 48 * t)} 96% ${Math.round(58 - 14 * t)}% / ${(0.5 + 0.42 * t).toFixed(2)})`;
}

/** `rows` are the cells that were clicked. */
export function drawHeat(rows, { site, path }) {
  const cells = new Map();
  for (const row of rows) {
    const key = `${Number(row.x_bucket)} ${Number(row.y_bucket)}`;
    cells.set(key, (cells.get(key) ?? 0) + Number(row.clicks));
  }
  if (!cells.size) {
    byId('heat').replaceChildren(empty('No clicks on this page in these days.', site === 'demo' ? 'Click in the shop, or choose another page.' : 'Choose another page or more days.'));
    return;
  }
  const places = [...cells].map(([key, clicks]) => [...key.split(' ').map(Number), clicks]);
  const most = Math.max(...cells.values());
  const height = Math.max(LEAST, Math.max(...places.map(([, y]) => y)) + 1 + BEYOND) * ROW;
  const total = [...cells.values()].reduce((a, b) => a + b, 0);
  const marks = places.map(([x, y, clicks]) => svg('rect', {
    class: 'cell', x: x * COLUMN, y: y * ROW, width: COLUMN, height: ROW, rx: 12, fill: heat(clicks / Math.max(HOT, most)),
  }, svg('title', null, `${count(clicks)} ${clicks === 1 ? 'click' : 'clicks'}, ${x * 5}–${x * 5 + 5} % from the left, ${y * ROW}–${(y + 1) * ROW} px from the top`)));
  byId('heat').replaceChildren(
    html('div', { class: 'window' },
      html('div', { class: 'window-bar', 'aria-hidden': 'true' }, html('i'), html('i'), html('i'), html('span', null, path)),
      html('div', { class: 'window-page', tabindex: 0, role: 'group', 'aria-label': 'Page, scrolls' },
        svg('svg', { class: 'heat', viewBox: `0 0 1000 ${height}`, role: 'img', 'aria-label': `${count(total)} clicks in ${count(cells.size)} places of ${path}` },
          svg('g', null, silhouette(site, path, height)), svg('g', null, marks)))),
    html('div', { class: 'scale' }, 'few',
      svg('svg', { viewBox: '0 0 20 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, Array.from({ length: 20 }, (_, i) => svg('rect', { x: i, y: 0, width: 1.02, height: 1, fill: heat((i + 1) / 20) }))),
      `many (most: ${count(most)})`));
}
