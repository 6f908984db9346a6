// The table of elements.

import { byId, empty, html } from '../dom.js';
import { count, percent } from '../numbers.js';
import * as totals from '../totals.js';
import { bar } from './bar.js';

const FEW = 10;
let all = false;
let before = new Map();

function row(element, most, oneDay) {
  const { element_id: id, element_kind: kind, element_text: text, views, clicks, rate } = element;
  const bumped = before.size && before.get(id) !== clicks;
  return html('tr', { class: bumped ? 'bumped' : null, 'data-element': id },
    html('td', { class: 'name' }, html('b', { title: id }, id ?? ''), html('small', null, [kind, text].filter(Boolean).join(' · '))),
    html('td', { class: 'measure', 'data-measure': 'views' }, bar('views', views, most.views)),
    html('td', { class: 'measure', 'data-measure': 'clicks' }, bar('clicks', clicks, most.clicks)),
    html('td', { class: 'number', 'data-measure': 'rate' }, rate === null ? '–' : percent(rate)),
    oneDay ? html('td', { class: 'number people' }, count(Number(element.people))) : null);
}

/** People are shown for one day only: over more days they would be counted twice. */
export function drawElements(rows, site, oneDay) {
  const elements = totals.elements(rows);
  const place = byId('elements');
  if (!elements.length) {
    const advice = site === 'demo' ? 'Click a button in the shop above: it is counted here within ten seconds.' : `Put the script on a page of ${site}, or choose more days.`;
    place.replaceChildren(empty('No views or clicks in these days.', advice));
    before = new Map();
    return;
  }
  const most = { views: Math.max(...elements.map((e) => e.views)), clicks: Math.max(...elements.map((e) => e.clicks)) };
  const shown = all ? elements : elements.slice(0, FEW);
  const head = ['Element', 'Views', 'Clicks', 'Rate', ...(oneDay ? ['People'] : [])];
  const more = elements.length > FEW && html('button', {
    type: 'button', class: 'quiet more',
    onclick: () => {
      all = !all;
      drawElements(rows, site, oneDay);
    },
  }, all ? 'Show fewer' : `Show all ${count(elements.length)}`);
  place.replaceChildren(html('table', null,
    html('thead', null, html('tr', null, head.map((name, i) => html('th', { scope: 'col', class: `${i > 2 ? 'number' : ''} ${name === 'People' ? 'people' : ''}` }, name)))),
    html('tbody', null, shown.map((element) => row(element, most, oneDay)))), ...(more ? [more] : []));
  before = new Map(elements.map((e) => [e.element_id, e.clicks]));
}
