// A number with a bar as long as its share of the greatest.

import { html } from '../dom.js';
import { count } from '../numbers.js';

/** `kind` is the bar's colour: views, clicks or pages. */
export function bar(kind, value, most) {
  const fill = html('span', { class: `fill ${kind}` });
  fill.style.width = `${most ? (100 * value) / most : 0}%`;
  return html('div', { class: 'amount' }, html('span', null, count(value)), html('div', { class: 'track', 'aria-hidden': 'true' }, fill));
}
