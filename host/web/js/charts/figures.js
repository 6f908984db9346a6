// The five figures above the charts.

import { byId, html } from '../dom.js';
import { count, duration, percent } from '../numbers.js';
import * as totals from '../totals.js';

let before = { chosen: null, values: [] };

/** `activity` ends on the day `to`; `chosen` tells when site or days changed, so that only news is marked. */
export function drawFigures({ elements, activity, sessions, to, chosen }) {
  const all = totals.elements(elements);
  const views = all.reduce((n, e) => n + e.views, 0);
  const clicks = all.reduce((n, e) => n + e.clicks, 0);
  const last = activity.find((row) => row.day === to) ?? { dau: 0, wau: 0, mau: 0 };
  const s = totals.sessions(sessions);
  const figures = [
    ['views', 'Views', count(views), `of ${count(all.length)} ${all.length === 1 ? 'element' : 'elements'}`],
    ['clicks', 'Clicks', count(clicks), `on ${count(all.filter((e) => e.clicks).length)} of them`],
    ['rate', 'Click-through rate', views ? percent(clicks / views) : '–', 'clicks per view'],
    ['people', 'Active people', count(last.dau), `${count(last.wau)} in 7 days, ${count(last.mau)} in 30`],
    ['sessions', 'Sessions', count(s.count), s.median === null ? `${duration(s.average)} on average` : `${duration(s.median)} median, ${duration(s.average)} mean`],
  ];
  byId('figures').replaceChildren(...figures.map(([id, name, value, note], i) => {
    const bumped = before.chosen === chosen && before.values[i] !== value;
    return html('div', { class: `figure ${bumped ? 'bumped' : ''}`, 'data-figure': id },
      html('dt', null, name), html('dd', { class: 'value' }, value), html('dd', { class: 'note' }, note));
  }));
  before = { chosen, values: figures.map(([, , value]) => value) };
}
