// What every event tells, and what a page calls.

import { watchClicks } from './clicks.js';
import { watchElements } from './elements.js';
import { after, on } from './page.js';
import { amend, beacon, enqueue, flush, openQueue } from './queue.js';
import { forget, get, keep, local, openStore, prefix, set } from './store.js';
import { settleViews } from './views.js';

const IDLE = 18e5; // ms without an event that end a session

let off; // nothing is added
let cookie; // the attributes of the visitor's cookie, once there may be one
let title; // of a page without an address of its own, as page() named it
let referrer;
let unplaced; // the key of a page view that does not tell its place yet
let shown; // the address
let last; // the address that was told, which is of a virtual page if page() named one

// 120 random bits.
const uuid = (one = new Uint8Array(1)) => '00000000-0000-4000-8000-000000000000'.replace(/0/g, () => (crypto.getRandomValues(one) & 15).toString(16));

const session = () => {
  const now = Date.now();
  const id = (now - get('at') < IDLE && get('session')) || set('session', uuid());
  set('at', now);
  return id;
};
const visitor = () => {
  const id = (cookie && document.cookie.split('clickstream=')[1]?.slice(0, 36)) || get('visitor') || set('visitor', uuid());
  if (cookie) document.cookie = `clickstream=${id};${cookie}`;
  return id;
};

/** The address of this page, or of a path of its site, without a fragment. */
const address = (path = '') => new URL(path, location).href;
const add = (event, where) => !off && enqueue({
  ...event,
  messageId: uuid(),
  anonymousId: visitor(),
  userId: get('user'),
  timestamp: new Date(),
  properties: {
    ...event.properties,
    ...where?.(),
    session_id: session(),
  },
  context: {
    page: { url: last || address(), referrer, title: title || document.title },
    locale: navigator.language,
    library: { name: 'clickstream.js', version: '0.1.0' },
  },
});
/** Reading it makes the browser lay the page out, if that is still to be done. */
const place = () => ({ viewport_width: innerWidth, viewport_height: innerHeight, scroll_position: Math.round(scrollY) });
/** A page view is made before the page has its layout, which takes long: its place comes later, into its properties. */
export const placePage = () => {
  if (unplaced) unplaced = amend(unplaced, ':{', ':' + JSON.stringify(place()).slice(0, -1) + ',');
};
export const track = (event, properties) => add({ type: 'track', event, properties }, place);
const page = (properties) => {
  placePage();
  settleViews(1);
  title = properties?.title;
  referrer = last || document.referrer;
  last = address(properties?.path);
  shown = address();
  unplaced = add({ type: 'page', properties });
};
// After the router's own work, so that the title is the new page's.
const moved = () => setTimeout(() => address() !== shown && page());

/** Starts the tracking of this page; clickstream.d.ts says what the settings may be and what is returned. */
export const start = (settings) => {
  const selector = '[data-track],' + (settings.elements || '_'); // there is no element `_`
  const never = off = !settings.writeKey || navigator.globalPrivacyControl || navigator.doNotTrack == 1;
  const allow = (yes) => {
    off = !yes;
    cookie = yes && settings.cookie;
    if (off) {
      forget();
      document.cookie = `clickstream=;${settings.cookie};max-age=0`;
    } else if ((settings.cookieless ?? false) === false) keep();
    openQueue(yes && [settings.host] + '/v1/batch');
  };
  openStore(settings.writeKey);
  if (!never) {
    const said = local((s) => s[prefix + 'consent']);
    if (said || (settings.consent ?? false) === false) allow(said != 0);
    if (parent === window) page();
    watchElements(selector);
    watchClicks(selector);
    after(history, 'pushState', moved);
    after(history, 'replaceState', moved);
    on('pageshow', (e) => e.persisted && page());
    on('popstate', moved);
    on('online', flush);
    on('visibilitychange pagehide', () => {
      placePage();
      settleViews();
      beacon();
    });
  }
  return {
    flush,
    page,
    track,
    identify: (id, traits) => {
      set('user', id);
      add({ type: 'identify', traits }, place);
    },
    consent: (yes) => {
      if (never) return;
      allow(yes);
      local((s) => (s[prefix + 'consent'] = +yes));
    },
  };
};
