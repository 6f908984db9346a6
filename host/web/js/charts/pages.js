// The pages most viewed.

import { byId, empty, html } from '../dom.js';
import * as totals from '../totals.js';
import { bar } from './bar.js';

const FEW = 8;

/** A row for each of the first few paths. */
export function drawPages(rows, site) {
  const pages = totals.pages(rows);
  if (!pages.length) {
    const advice = site === 'demo' ? 'Open a department of the shop.' : 'Choose more days.';
    byId('pages').replaceChildren(empty('No page views in these days.', advice));
    return;
  }
  byId('pages').replaceChildren(html('table', null,
    html('thead', { class: 'visually-hidden' }, html('tr', null, html('th', { scope: 'col' }, 'Path'), html('th', { scope: 'col' }, 'Views'))),
    html('tbody', null, pages.slice(0, FEW).map((page) => html('tr', { 'data-path': page.path },
      html('td', { class: 'name' }, html('b', { title: page.path }, page.path ?? '(unknown)')),
      html('td', null, bar('pages', page.views, pages[0].views)))))));
}
