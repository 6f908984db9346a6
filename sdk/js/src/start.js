// What every event tells, and what a page calls.

import { watchClicks } from './clicks.js';
import { eachElement } from './elements.js';
import { after, on } from './page.js';
import { beacon, enqueue, flush, openQueue } from './queue.js';
import { forget, get, keep, local, openStore, prefix, set } from './store.js';
import { settleViews, watchViews } from './views.js';

const IDLE = 18e5; // ms without an event that end a session

let off; // nothing is added
let cookie; // the attributes of the visitor's cookie, once there may be one
let virtual = {}; // a page without an address of its own, as page() named it
let referrer;
let shown; // the address
let last; // the address that was told, which is of a virtual page if page() named one

const uuid = () => '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (c) => (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

const session = () => {
  const now = Date.now();
  const id = now - get('at') < IDLE ? get('session') : set('session', uuid());
  set('at', now);
  return id;
};
const visitor = () => {
  const id = (cookie && document.cookie.match(/clickstream=(.{36})/)?.[1]) || get('visitor') || set('visitor', uuid());
  if (cookie) document.cookie = `clickstream=${id};${cookie}`;
  return id;
};

/** The address of this page, or of a path of its site, without a fragment. */
const address = (path = '') => new URL(path, location).href;
const add = (event) => off || enqueue({
  ...event,
  messageId: uuid(),
  anonymousId: visitor(),
  userId: get('user'),
  timestamp: new Date(),
  properties: {
    ...event.properties,
    viewport_width: innerWidth,
    viewport_height: innerHeight,
    scroll_position: Math.round(scrollY),
    session_id: session(),
  },
  context: {
    page: { url: last ?? address(), referrer, title: virtual.title || document.title },
    locale: navigator.language,
    library: { name: 'clickstream.js', version: '0.1.0' },
  },
});
export const track = (event, properties) => add({ type: 'track', event, properties });
const page = (properties = {}) => {
  settleViews(1);
  virtual = properties;
  referrer = last ?? document.referrer;
  last = address(properties.path);
  shown = address();
  add({ type: 'page', properties });
};
// After the router's own work, so that the title is the new page's.
const moved = () => setTimeout(() => address() !== shown && page());

/** Starts the tracking of this page; clickstream.d.ts says what the settings may be and what is returned. */
export const start = (settings) => {
  const selector = '[data-track]' + (settings.elements ? ',' + settings.elements : '');
  const never = !settings.writeKey || navigator.globalPrivacyControl || navigator.doNotTrack == 1;
  const allow = (yes) => {
    off = !yes;
    cookie = yes && settings.cookie;
    if (off) {
      forget();
      document.cookie = `clickstream=;${settings.cookie};max-age=0`;
    } else if ((settings.cookieless ?? false) === false) keep();
    openQueue(yes && (settings.host || '') + '/v1/batch');
  };
  off = never;
  openStore(settings.writeKey);
  if (!never) {
    const said = local((s) => s[prefix + 'consent']);
    if (said || (settings.consent ?? false) === false) allow(said != 0);
    if (parent === window) page();
    eachElement(selector, watchViews());
    watchClicks(selector);
    after(history, 'pushState', moved);
    after(history, 'replaceState', moved);
    on('popstate', moved);
    on('online', flush);
    on('pageshow', (e) => e.persisted && page());
    on('visibilitychange pagehide', () => {
      settleViews();
      beacon();
    });
  }
  return {
    track,
    page,
    identify: (id, traits) => {
      set('user', id);
      add({ type: 'identify', traits });
    },
    consent: (yes) => {
      if (never) return;
      allow(yes);
      local((s) => { s[prefix + 'consent'] = +yes; });
    },
    flush: () => flush(),
  };
};
