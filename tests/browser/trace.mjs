// What a script costs a page: the tasks of Chromium's trace in which it runs.

const CATEGORIES = ['devtools.timeline', 'v8'];

const holds = (outer, inner) => outer.tid === inner.tid && outer.pid === inner.pid && outer.ts <= inner.ts && outer.ts + outer.dur >= inner.ts + inner.dur;

/** How long an event had the processor, in ms; how long it waited for one says nothing of the script. */
const cost = (event) => Math.min(event.dur, event.tdur) / 1000;

/**
 * Traces `page` while `act` runs. Resolves with what the script `name` did, each `{ name, ms, layouts }`: what ran it, its
 * time on the processor, how often it had the browser lay the page out.
 */
export async function tasksOf(name, browser, page, act) {
  await browser.startTracing(page, { categories: CATEGORIES });
  await act();
  const events = JSON.parse(await browser.stopTracing()).traceEvents.filter((e) => e.ph === 'X' && e.tdur);
  const timers = events.filter((e) => e.name === 'TimerFire');
  const layouts = events.filter((e) => e.name === 'Layout');
  const calls = events.filter((e) => JSON.stringify(e.args ?? {}).includes(name));
  // A timer of the script's is its own with all that follows, its promises too.
  const tasks = new Set(calls.map((call) => timers.find((timer) => holds(timer, call)) ?? call));
  return [...tasks].map((task) => ({ name: task.name, ms: cost(task), layouts: layouts.filter((layout) => holds(task, layout)).length }));
}
