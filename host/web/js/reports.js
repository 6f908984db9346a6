// Keeps figures and charts fresh for the chosen site and days.

import { read, report } from './api.js';
import { byId, html } from './dom.js';
import { plus, today } from './days.js';
import { drawActivity } from './charts/activity.js';
import { drawDevices } from './charts/devices.js';
import { drawElements } from './charts/elements.js';
import { drawFigures } from './charts/figures.js';
import { drawHeat } from './charts/heat.js';
import { drawPages } from './charts/pages.js';

const EVERY = 2_500; // ms between looks while events arrive
const BUSY = 15_000; // ms after an event in which a report may still change
const IDLE = 30_000; // ms between looks while nothing arrives
const TREND = 14; // days the activity chart shows at least

const state = { site: 'demo', from: today(), to: today(), preset: 1, path: '/' };
let lastEvent = Date.now();
let lastLook = 0;
let round = new AbortController();

/** Tells the reports that an event of some site arrived. */
export function arrived(event) {
  if (event.site_id === state.site) lastEvent = Date.now();
}

/** Draws only what changed: a chart that stands still keeps its scroll and selection. */
const drawn = new Map();
function draw(name, act, ...data) {
  const text = JSON.stringify(data);
  if (drawn.get(name) === text) return;
  drawn.set(name, text);
  act(...data);
}

function fillPaths(rows) {
  const select = byId('heat-path');
  const paths = [...new Set([state.path, ...rows.map((row) => row.path).filter(Boolean)])].sort().slice(0, 200);
  if (paths.join('\n') === [...select.options].map((o) => o.value).join('\n')) return;
  select.replaceChildren(...paths.map((path) => html('option', { value: path, selected: path === state.path }, path)));
}

async function look(signal) {
  if (state.preset) Object.assign(state, { to: today(), from: plus(today(), 1 - state.preset) });
  byId('from').value = state.from;
  byId('to').value = state.to;
  const { site, from, to, path } = state;
  const ask = (name, more) => report(name, { site, from, to, ...more }, signal);
  // One after the other: the page must not be what keeps the warehouse busy.
  const elements = await ask('elements');
  draw('elements', drawElements, elements, site, from === to);
  const trend = plus(to, 1 - TREND) < from ? plus(to, 1 - TREND) : from;
  const activity = await ask('activity', { from: trend });
  draw('activity', drawActivity, activity, { trend, from, to });
  const sessions = await ask('sessions');
  draw('figures', drawFigures, { elements, activity, sessions, to, chosen: `${site} ${from} ${to}` });
  const pages = await ask('pages');
  draw('pages', drawPages, pages, site);
  fillPaths(pages);
  draw('devices', drawDevices, await ask('devices'), site);
  draw('heat', drawHeat, await ask('heatmap', { path }), { site, path });
}

async function loop() {
  for (;;) {
    const started = Date.now();
    const due = started - lastEvent < BUSY || started - lastLook > IDLE;
    if (!document.hidden && due) {
      const { signal } = round;
      try {
        await look(signal);
        byId('notice').hidden = true;
      } catch (error) {
        if (!signal.aborted) {
          byId('notice').textContent = `The reports could not be read: ${error instanceof TypeError ? 'the service does not answer' : error.message}.`;
          byId('notice').hidden = false;
        }
      }
      if (!signal.aborted) lastLook = Date.now();
    }
    // A slow warehouse is asked less often.
    const rest = Math.max(EVERY, 2 * (Date.now() - started));
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, rest);
      round.signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
      if (round.signal.aborted) resolve();
    });
    if (round.signal.aborted) round = new AbortController();
  }
}

/** Shows another choice at once. */
function choose(change) {
  Object.assign(state, change);
  lastLook = 0;
  round.abort();
}

async function fillSites() {
  const { sites } = await read('/v1/sites').catch(() => ({ sites: [state.site] }));
  byId('site').replaceChildren(...sites.map((site) => html('option', { value: site, selected: site === state.site }, site)));
  if (!sites.includes(state.site) && sites.length) choose({ site: sites[0] });
}

/** Connects the controls and begins to look. */
export function startReports() {
  const form = byId('controls');
  form.addEventListener('submit', (e) => e.preventDefault());
  form.addEventListener('change', ({ target }) => {
    if (target.name === 'site') choose({ site: target.value, path: '/' });
    if (target.name === 'preset') choose({ preset: Number(target.value) });
    if (target.name === 'from' || target.name === 'to') {
      const from = byId('from').value || state.from;
      const to = byId('to').value || state.to;
      for (const radio of form.querySelectorAll('[name=preset]')) radio.checked = false;
      // The end that was not touched gives way.
      choose({ preset: 0, from: target.name === 'to' && from > to ? to : from, to: target.name === 'from' && from > to ? from : to });
    }
  });
  byId('heat-path').addEventListener('change', ({ target }) => choose({ path: target.value }));
  document.addEventListener('visibilitychange', () => { if (!document.hidden) choose({}); });
  fillSites();
  loop();
}
