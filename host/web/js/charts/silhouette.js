// The outline of a page beneath its heat map, in the map's units: x in thousandths of the width, y in CSS pixels.

import { svg } from '../dom.js';

/** Pages that this very page shows: their outline is measured. */
const OWN = (site, path) => site === 'demo' && (path === '/' || path.startsWith('/shop/'));

function measured() {
  const width = document.documentElement.clientWidth;
  const shapes = [['.top, .product, .promo, .panel, .figure', 'shape'], ['.shop h1, .lede, .picture, .add, .basket, .tabs button, .promo .button', 'shape inner']];
  return shapes.flatMap(([selector, name]) => [...document.querySelectorAll(selector)].filter((el) => !el.closest('dialog')).map((el) => {
    const r = el.getBoundingClientRect();
    // What sticks to the window lies on top of the page.
    const top = el.matches('.top') ? 0 : r.top + window.scrollY;
    return svg('rect', { class: name, x: ((r.left + window.scrollX) / width) * 1000, y: top, width: (r.width / width) * 1000, height: r.height, rx: 8 });
  }));
}

function imagined(height) {
  const box = (x, y, width, h, name = 'shape') => svg('rect', { class: name, x, y, width, height: h, rx: 8 });
  const shapes = [box(0, 0, 1000, 60), box(40, 18, 120, 24, 'shape inner'), box(60, 100, 880, 220), box(110, 160, 420, 34, 'shape inner'), box(110, 215, 180, 44, 'shape inner')];
  for (let y = 370; y < height - 60; y += 290) {
    for (const x of [60, 370, 680]) shapes.push(box(x, y, 260, 240), box(x + 24, y + 150, 150, 20, 'shape inner'), box(x + 24, y + 185, 90, 28, 'shape inner'));
  }
  return shapes;
}

/** The shapes for a map `height` pixels high. */
export const silhouette = (site, path, height) => (OWN(site, path) ? measured() : imagined(height));
