// A view: half of the element, or half of the window full of it, for one whole second on a visible page.

import { describe, nameOf } from './elements.js';
import { track } from './start.js';
import { SECOND } from './queue.js';

const LITTLE = 100; // ms that are not worth an event

const watchers = new Map(); // element → its watcher
let observers;

/**
 * The watcher of `el`, a function for whatever may change: `seen` says whether it is in view now, `end` that its view may
 * end (1) or lasted the second (2), `restart` that another view starts.
 */
const watcher = (el) => {
  let on; // in view
  let since; // when it counts
  let ms = 0; // visible and not told
  let about; // what was told of it
  let timer;
  const update = (end, restart, seen = on) => {
    const now = performance.now();
    clearTimeout(timer);
    if (since) ms += now - since;
    if (!el.isConnected) watchers.delete(end = el);
    if (about ? end && ms > LITTLE : end > 1) {
      track(about ? 'element_left' : 'element_viewed', { ...(about ||= describe(el)), visible_ms: Math.round(ms) });
      ms = 0;
    }
    if (restart) about = ms = 0;
    on = seen;
    since = on && !document.hidden && now;
    if (since && !about) timer = setTimeout(update, SECOND, 2);
  };
  return watchers.get(el) || watchers.set(el, update) && update;
};

/** The page is hidden or shown, or its view ends and another starts. */
export const settleViews = (restart) => watchers.forEach((update) => update(1, restart));

/** Watches `el`; again when it changed. */
export const watchView = (el) => {
  observers ||= [{ threshold: 0.5 }, { rootMargin: '-49% 0px' }].map((options, tall) => new IntersectionObserver((entries) => entries.forEach((entry) => {
    // What is taller than the window fills half of it when it crosses its middle.
    if (entry.boundingClientRect.height > innerHeight == tall) watcher(entry.target)(0, 0, tall ? entry.isIntersecting : entry.intersectionRatio >= 0.5);
  }), options));
  const update = watcher(el);
  if (update.id !== (update.id = nameOf(el))) update(1, 1); // another element from now on
  observers.forEach((observer) => observer.observe(el));
};
