// As much of a browser as the tracking script touches, with a clock that tests turn.
import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';
import vm from 'node:vm';

const SCRIPT = readFileSync(new URL('../clickstream.js', import.meta.url), 'utf8');

/** localStorage; `store` may be shared between browsers, as pages of one site share it. */
export function storage(store = {}, { full = false } = {}) {
  const methods = {
    setItem(key, value) {
      if (full) throw new Error('QuotaExceededError');
      store[key] = String(value);
    },
    removeItem: (key) => delete store[key],
  };
  return new Proxy(store, { get: (target, key) => methods[key] ?? target[key] });
}

/** An element of the page: `marks` are its data-track attributes. */
export function element({ track, kind, text = '', cls = null, name = 'button', hidden = false }) {
  return {
    dataset: { track, trackKind: kind },
    localName: name,
    innerText: text,
    isConnected: true,
    nodeType: 1,
    getAttribute: () => cls,
    getBoundingClientRect: () => ({ left: 10, top: 20, width: 100, height: 40 }),
    matches: (selector) => selector === '[data-track]',
    closest(selector) {
      if (selector === '[data-track]') return this;
      return hidden ? this : null;
    },
    querySelector: () => null,
    querySelectorAll: () => [],
  };
}

/** A page with the script on it. `answers` are taken by its requests in turn: a status, `[status, headers]`, or an Error. */
export function browser({ answers = [], store, local = storage(store), dataset = { writeKey: 'k', host: '' }, navigator = {}, elements = [] } = {}) {
  const it = { now: Date.UTC(2026, 0, 1), requests: [], beacons: [], timers: [], listeners: {}, local, warnings: [] };
  class FakeDate extends Date {
    constructor(...args) { super(...(args.length ? args : [it.now])); }
    static now() { return it.now; }
  }
  const setTimeout = (act, ms = 0) => {
    const timer = { act, at: it.now + ms };
    it.timers.push(timer);
    return timer;
  };
  const clearTimeout = (timer) => { it.timers = it.timers.filter((t) => t !== timer); };
  const addEventListener = (type, act) => (it.listeners[type] ??= []).push(act);
  const root = { ...element({}), matches: () => false, querySelectorAll: () => elements };
  const location = { href: 'https://shop.example/a?b=1#c', origin: 'https://shop.example', toString() { return this.href; } };
  const document = {
    currentScript: { dataset, src: 'https://stats.example/clickstream.js' },
    referrer: 'https://search.example/', title: 'A', hidden: false, documentElement: root, addEventListener,
  };
  const window = {
    get localStorage() {
      if (!it.local) throw new Error('SecurityError');
      return it.local;
    },
    innerWidth: 1000, innerHeight: 800, scrollX: 0, scrollY: 30.4, addEventListener,
  };
  const history = {
    pushState(_, __, url) { location.href = new URL(url, location.href).href; },
    replaceState(_, __, url) { location.href = new URL(url, location.href).href; },
  };
  const fetch = async (url, options) => {
    it.requests.push({ url, options, body: JSON.parse(options.body) });
    const answer = answers.shift() ?? 200;
    if (answer instanceof Error) throw answer;
    const [status, headers = {}] = [answer].flat();
    return { status, headers: { get: (name) => headers[name] ?? null } };
  };
  Object.assign(it, { window, document, history, location });
  vm.runInNewContext(SCRIPT, {
    window, document, history, location, fetch, setTimeout, clearTimeout, URL, Date: FakeDate, crypto: webcrypto,
    console: { warn: (...args) => it.warnings.push(args.join(' ')) },
    navigator: { language: 'en-GB', sendBeacon: (url, body) => { it.beacons.push(JSON.parse(body)); return true; }, ...navigator },
    IntersectionObserver: class {
      constructor(act) { it.sees = (target, ratio, rect = { width: 100, height: 40 }) => act([{ target, intersectionRatio: ratio, intersectionRect: rect }]); }
      observe(target) { (it.observed ??= new Set()).add(target); }
      unobserve(target) { it.observed.delete(target); }
    },
    MutationObserver: class {
      constructor(act) { it.changes = (change) => act([{ addedNodes: [], removedNodes: [], ...change }]); }
      observe() {}
    },
  });
  /** Lets `ms` pass, timers in their order, answers arriving in between. */
  it.pass = async (ms) => {
    const end = it.now + ms;
    for (;;) {
      for (let i = 0; i < 20; i++) await null;
      const next = it.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      clearTimeout(next);
      it.now = Math.max(it.now, next.at);
      next.act();
    }
    it.now = end;
  };
  it.fire = (type, event = {}) => (it.listeners[type] ?? []).forEach((act) => act(event));
  it.click = (target, more) => it.fire('click', { isTrusted: true, target, detail: 1, clientX: 5, clientY: 6, pageX: 5.4, pageY: 36.4, ...more });
  /** Every event sent by fetch, in order. */
  it.sent = () => it.requests.flatMap((r) => r.body.batch);
  return it;
}
