// The tracking script: views and clicks of elements with data-track, and page views. README.md says how to use it.
// The file that pages load, ../clickstream.js, is this one without comments and indentation (`node build.mjs`).
(() => {
  'use strict';
  const BATCH = 20; // events in one request
  const CAP = 500; // events kept while the service is away; the oldest go first
  const IDLE = 18e5; // ms without an event that end a session
  const SECOND = 1e3;

  const w = window;
  const d = document;
  const nav = navigator;
  const script = d.currentScript;
  if (!script || (w.clickstream && w.clickstream.flush)) return; // not loaded by a tag, or loaded twice
  const { writeKey, host } = script.dataset;
  const none = () => {};
  if (!writeKey || nav.globalPrivacyControl || nav.doNotTrack === '1') {
    w.clickstream = { track: none, page: none, identify: none, flush: async () => {} };
    return;
  }
  const endpoint = (host === undefined ? new URL(script.src).origin : host) + '/v1/batch';

  // What storage refuses (forbidden, full) lives in memory.
  const prefix = `clickstream.${writeKey}.`;
  const memory = {};
  const storage = (act) => {
    try { return act(w.localStorage); } catch (e) { /* memory has it */ }
  };
  const read = (key) => memory[key] || storage((s) => JSON.parse(s[prefix + key]));
  const write = (key, value) => {
    memory[key] = value;
    storage((s) => s.setItem(prefix + key, JSON.stringify(value)));
    return value;
  };

  const uuid = () => {
    const b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64;
    b[8] = (b[8] & 63) | 128;
    return [...b].map((n, i) => ([4, 6, 8, 10].includes(i) ? '-' : '') + (n + 256).toString(16).slice(1)).join('');
  };
  // Read from storage each time: other pages of the site share the session.
  const session = () => {
    const now = Date.now();
    const last = storage((s) => JSON.parse(s[prefix + 'session'])) || memory.session;
    return write('session', { id: last && now - last.at < IDLE ? last.id : uuid(), at: now }).id;
  };

  // Each page stores its own queue and takes over those that other pages left. Two open pages may so send one event
  // twice; its messageId never changes, so the service counts it once.
  const mine = 'queue.' + uuid();
  let queue = [];
  storage((s) => {
    const left = Object.keys(s).filter((key) => key.startsWith(prefix + 'queue.'));
    queue = left.flatMap((key) => JSON.parse(s[key])).slice(-CAP);
    write(mine, queue);
    left.forEach((key) => s.removeItem(key));
  });
  const keep = (events) => {
    queue = events.slice(-CAP);
    if (queue[0]) write(mine, queue);
    else storage((s) => s.removeItem(prefix + mine));
  };

  let timer;
  let failures = 0;
  let sending;
  let most = BATCH;
  const schedule = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(flush, ms);
  };
  const body = (batch) => JSON.stringify({ batch, writeKey, sentAt: new Date() });
  const send = async () => {
    const batch = queue.slice(0, most);
    const text = body(batch);
    // Plain text needs no preflight; a browser lets 64 KB outlive the page.
    const answer = await fetch(endpoint, { method: 'POST', body: text, keepalive: text.length < 2e4, credentials: 'omit' }).catch(none);
    const status = answer ? answer.status : 503;
    if ([408, 429].includes(status) || status > 499) {
      const after = answer && answer.headers.get('Retry-After');
      const asked = after > 0 ? after * SECOND : Date.parse(after) - Date.now() || 0;
      return schedule(Math.max(asked, Math.min(60, 2 ** failures++) * SECOND * (0.5 + Math.random() / 2)));
    }
    failures = 0;
    if (status === 413 && batch[1]) {
      most = batch.length >> 1; // too large together
    } else {
      if (status > 299) console.warn('clickstream: refused', status);
      keep(queue.filter((event) => !batch.includes(event)));
      most = BATCH;
    }
    if (queue[0]) schedule(0);
  };
  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    if (!sending && queue[0]) sending = send().finally(() => (sending = 0));
    return sending || Promise.resolve();
  };

  let virtual = {}; // a page without an address of its own, as page() named it
  let referrer = d.referrer;
  const here = () => new URL(virtual.path || '', location);
  const add = (type, name, properties) => {
    const url = here();
    const event = {
      type,
      event: name,
      messageId: uuid(),
      anonymousId: read('anonymous') || write('anonymous', uuid()),
      userId: read('user'),
      timestamp: new Date(),
      properties: {
        ...properties,
        viewport_width: w.innerWidth,
        viewport_height: w.innerHeight,
        scroll_position: Math.round(w.scrollY),
        session_id: session(),
      },
      context: {
        page: { url: url.href, path: url.pathname, referrer, title: virtual.title || d.title },
        locale: nav.language,
        library: { name: 'clickstream.js', version: '0.1.0' },
      },
    };
    if (type === 'identify') event.traits = properties;
    keep([...queue, event]);
    if (failures) return; // its retry comes
    if (queue.length >= BATCH) flush();
    else if (!timer) schedule(SECOND);
  };

  const FIELD = 'input,textarea,select,[contenteditable],[data-track-private]';
  // What people type and what a page marks private never leaves it.
  const track = (name, el, more) => {
    const hidden = el.closest(FIELD) || el.querySelector(FIELD);
    add('track', name, {
      element_id: el.dataset.track,
      element_kind: el.dataset.trackKind || el.localName,
      element_text: hidden ? undefined : (el.innerText || '').trim().replace(/\s+/g, ' ').slice(0, 120),
      element_class: el.getAttribute('class') || undefined,
      ...more,
    });
  };

  // A view: half of the element, or half of the window full of it, for a second on a visible page.
  let seen = new WeakSet();
  const visible = new Map(); // element → timer
  const drop = (el) => {
    clearTimeout(visible.get(el));
    visible.delete(el);
  };
  const watch = (el) => {
    drop(el);
    const since = Date.now();
    visible.set(el, !d.hidden && !seen.has(el) && setTimeout(() => {
      seen.add(el);
      track('element_viewed', el, { visible_ms: Date.now() - since });
    }, SECOND));
  };
  const rewatch = () => [...visible.keys()].forEach(watch);
  const io = new IntersectionObserver((entries) => entries.forEach(({ target, intersectionRatio, intersectionRect: r }) => {
    if (intersectionRatio < 0.5 && r.width * r.height < w.innerWidth * w.innerHeight / 2) drop(target);
    else if (!visible.has(target)) watch(target);
  }), { threshold: [...Array(21).keys()].map((n) => n / 20) });
  const each = (node, act) => {
    if (!node.matches) return;
    if (node.matches('[data-track]')) act(node);
    node.querySelectorAll('[data-track]').forEach(act);
  };
  const observe = (el) => io.observe(el);
  const forget = (el) => {
    io.unobserve(el);
    drop(el);
  };

  let shown; // the address without its fragment
  let last;
  const page = (properties = {}) => {
    referrer = last || referrer;
    virtual = properties;
    last = here().href;
    shown = location.href.split('#')[0];
    add('page', undefined, properties);
    seen = new WeakSet();
    rewatch();
  };
  // After the router's own work, so that the title is the new page's.
  const moved = () => setTimeout(() => location.href.split('#')[0] !== shown && page());

  w.clickstream = {
    track: (name, properties) => add('track', name, properties),
    page,
    identify: (id, traits) => {
      write('user', id);
      add('identify', undefined, traits);
    },
    flush,
  };

  page();
  each(d.documentElement, observe);
  new MutationObserver((changes) => changes.forEach((change) => {
    change.removedNodes.forEach((node) => each(node, forget));
    (change.attributeName ? [change.target] : change.addedNodes).forEach((node) => node.isConnected && each(node, observe));
  })).observe(d, { childList: true, subtree: true, attributeFilter: ['data-track'] });
  ['pushState', 'replaceState'].forEach((name) => {
    const original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      moved();
    };
  });
  const on = (target, type, act) => target.addEventListener(type, act, true);
  on(w, 'popstate', moved);
  on(w, 'online', flush);
  on(w, 'pageshow', (e) => e.persisted && page());
  on(d, 'visibilitychange', () => {
    rewatch();
    if (d.hidden && !failures) flush();
  });
  // A beacon tells nothing back: the stored queue stays, the next page sends it again, and it counts once.
  on(w, 'pagehide', () => {
    for (let i = 0; !failures && !sending && i < queue.length; i += BATCH) nav.sendBeacon(endpoint, body(queue.slice(i, i + BATCH)));
  });
  on(d, 'click', (e) => {
    const el = e.isTrusted && e.target.closest('[data-track]');
    if (!el) return;
    const r = el.getBoundingClientRect();
    const pointer = e.detail || e.clientX || e.clientY; // a keyboard has none: the middle of the element
    track('element_clicked', el, {
      x: Math.round(pointer ? e.pageX : r.left + r.width / 2 + w.scrollX),
      y: Math.round(pointer ? e.pageY : r.top + r.height / 2 + w.scrollY),
    });
  });
})();
