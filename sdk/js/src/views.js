// A view: half of the element, or half of the window full of it, for one whole second on a visible page.

import { describe, nameOf } from './elements.js';
import { track } from './start.js';
import { SECOND } from './queue.js';

const LITTLE = 100; // ms that are not worth an event

// element → { name, on: in view, at: since when it counts, ms: visible and not told, about: what was told of it, timer }
const states = new Map();

const tell = (name, state) => {
  track(name, { ...state.about, visible_ms: Math.round(state.ms) });
  state.ms = 0;
};
const update = (el, on, end, restart) => {
  const now = performance.now();
  const state = states.get(el) || {};
  clearTimeout(state.timer);
  if (state.at) state.ms += now - state.at;
  if (!el.isConnected) states.delete(end = el);
  if (end && state.about && state.ms > LITTLE) tell('element_left', state);
  if (restart) state.about = state.ms = 0;
  state.on = on;
  state.at = on && !document.hidden && now;
  if (state.at && !state.about) state.timer = setTimeout(() => {
    state.about = describe(el);
    update(el, on);
    tell('element_viewed', state);
  }, SECOND);
};

/** The page is hidden or shown, or its view ends and another starts. */
export const settleViews = (restart) => states.forEach((state, el) => update(el, state.on, 1, restart));

/** Returns a function that takes elements to watch, also again when they changed. */
export const watchViews = () => {
  const observers = [{ threshold: 0.5 }, { rootMargin: '-49% 0px' }].map((options, tall) => new IntersectionObserver((entries) => entries.forEach((entry) => {
    // What is taller than the window fills half of it when it crosses its middle.
    if (entry.boundingClientRect.height > innerHeight == tall) update(entry.target, tall ? entry.isIntersecting : entry.intersectionRatio >= 0.5);
  }), options));
  return (el) => {
    const state = states.get(el) || {};
    states.set(el, state);
    if (state.name !== (state.name = nameOf(el))) update(el, state.on, 1, 1); // another element from now on
    observers.forEach((observer) => observer.observe(el));
  };
};
