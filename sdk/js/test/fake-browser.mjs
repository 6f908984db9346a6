// As much of a browser as the tracking script touches, with a clock that tests turn.
import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';
import vm from 'node:vm';

const SCRIPT = readFileSync(new URL('../clickstream.js', import.meta.url), 'utf8');

/** localStorage; `store` may be shared between browsers, as tabs of one site share it. */
export const storage = (store = {}, { full = false } = {}) => new Proxy(store, {
  set(target, key, value) {
    if (full) throw new Error('QuotaExceededError');
    target[key] = String(value);
    return true;
  },
});

/** An element of the page. `marks` are its data- attributes, `inside` the selectors that an ancestor of it matches. */
export function element({ track, kind, text = '', cls = null, id = '', name = 'button', inside = [], box = { x: 10, y: 20, width: 100, height: 40 }, ...more }) {
  const el = {
    dataset: { track, trackKind: kind },
    localName: name,
    id,
    innerText: text,
    isConnected: true,
    nodeType: 1,
    getAttribute: () => cls,
    getBoundingClientRect: () => box,
    getRootNode: () => ({}),
    matches: (selector) => selector.split(',').some((one) => (one === '[data-track]' ? track !== undefined : one === name || inside.includes(one))),
    closest: (selector) => (selector.split(',').some((one) => inside.includes(one)) ? el : null),
    querySelector: () => null,
    ...more,
  };
  return el;
}

/**
 * A page with the script on it. `answers` are taken by its requests in turn: a status, `[status, headers]`,
 * `[status, headers, body]`, or an Error; or they are what a function makes of the text that was sent.
 */
export function browser({ answers = [], store, local = storage(store), dataset = { writeKey: 'k', host: '' }, navigator = {}, elements = [], framed = false } = {}) {
  const it = { now: Date.UTC(2026, 0, 1), requests: [], beacons: [], timers: [], listeners: {}, local, warnings: [], observed: new Set(), cookies: [] };
  class FakeDate extends Date {
    constructor(...args) { super(...(args.length ? args : [it.now])); }
    static now() { return it.now; }
  }
  const setTimeout = (act, ms = 0, ...args) => {
    const timer = { act: () => act(...args), at: it.now + ms };
    it.timers.push(timer);
    return timer;
  };
  const clearTimeout = (timer) => { it.timers = it.timers.filter((t) => t !== timer); };
  const addEventListener = (type, act) => (it.listeners[type] ??= []).push(act);
  const location = { href: 'https://shop.example/a?b=1#c', host: 'shop.example', toString() { return this.href; } };
  const document = {
    nodeType: 9, currentScript: { dataset, src: 'https://stats.example/clickstream.js' },
    referrer: 'https://search.example/', title: 'A', hidden: false, querySelectorAll: () => elements,
    get cookie() { return it.cookies.map((c) => c.split(';')[0]).join('; '); },
    set cookie(text) { it.cookies.push(text); },
  };
  class Element {
    attachShadow() { return { nodeType: 11, querySelectorAll: () => [] }; }
  }
  class History {
    pushState(_, __, url) { location.href = new URL(url, location.href).href; }
    replaceState(_, __, url) { location.href = new URL(url, location.href).href; }
  }
  const history = new History();
  const fetch = async (url, options) => {
    it.requests.push({ url, options, body: JSON.parse(options.body) });
    const answer = (Array.isArray(answers) ? answers.shift() : answers(options.body)) ?? 200;
    if (answer instanceof Error) throw answer;
    const [status, headers = {}, body = { results: [] }] = [answer].flat();
    return { status, ok: status >= 200 && status < 300, headers: new Headers(headers), json: async () => (typeof body === 'string' ? JSON.parse(body) : body) };
  };
  const window = {
    document, history, location, fetch, setTimeout, clearTimeout, addEventListener, URL, Element, Date: FakeDate, crypto: webcrypto,
    innerWidth: 1000, innerHeight: 800, scrollX: 0, scrollY: 30.4, performance: { now: () => it.now - Date.UTC(2026, 0, 1) + 1 },
    get localStorage() {
      if (!it.local) throw new Error('SecurityError');
      return it.local;
    },
    console: { warn: (...args) => it.warnings.push(args.join(' ')) },
    navigator: { language: 'en-GB', sendBeacon: (url, body) => { it.beacons.push(JSON.parse(body)); return true; }, ...navigator },
    IntersectionObserver: class {
      constructor(act, { rootMargin }) { it[rootMargin ? 'middle' : 'half'] = act; }
      observe(target) { it.observed.add(target); }
    },
    MutationObserver: class {
      constructor(act) { (it.mutations ??= []).push(act); }
      observe() {}
      disconnect() {}
    },
  };
  window.window = window;
  window.parent = framed ? {} : window;
  Object.assign(it, { window, document, history, location });
  vm.runInNewContext(SCRIPT, window);

  /** Elements came or changed. */
  it.changes = (change) => it.mutations.at(0)([{ target: document, addedNodes: [], ...change }]);
  /** Something on the page changed: an answer to a click. */
  it.answer = () => it.mutations.at(-1)([]);
  /** `ratio` of the element is on screen. */
  it.sees = (target, ratio, height = 40) => {
    const entry = { target, intersectionRatio: ratio, isIntersecting: ratio > 0, boundingClientRect: { height } };
    it.half([entry]);
  };
  /** A tall element crosses the middle of the window, or no longer. */
  it.crosses = (target, isIntersecting, height) => it.middle([{ target, isIntersecting, intersectionRatio: 0.01, boundingClientRect: { height } }]);
  /** Lets `ms` pass, timers in their order, answers arriving in between. */
  it.pass = async (ms) => {
    const end = it.now + ms;
    for (;;) {
      await new Promise(setImmediate);
      const next = it.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      clearTimeout(next);
      it.now = Math.max(it.now, next.at);
      next.act();
    }
    it.now = end;
  };
  it.fire = (type, event = {}) => (it.listeners[type] ?? []).forEach((act) => act(event));
  /** Clicks; `target` and its ancestors as the event's path has them. */
  it.click = (target, more) => it.fire('click', {
    isTrusted: true, detail: 1, clientX: 15, clientY: 26, timeStamp: it.now + (it.clicks = (it.clicks ?? 0) + 1000), composedPath: () => [target, document, window].flat(), ...more,
  });
  /** Every event sent by fetch, in order. */
  it.sent = () => it.requests.flatMap((r) => r.body.batch);
  /** Events that wait in localStorage. */
  it.waiting = () => Object.keys(it.local).filter((key) => key.startsWith('clickstream.k.q')).sort().map((key) => JSON.parse(it.local[key]));
  return it;
}
