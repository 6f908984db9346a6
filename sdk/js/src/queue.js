// Each event waits under a key of its own, so that tabs, which share the storage, never overwrite one another's. The key
// goes once the service has answered for the event. Whatever is sent twice has one messageId and counts once.

import { box, get, keysOf, prefix, put, set, writeKey } from './store.js';

export const SECOND = 1e3;
const CAP = 2e3; // events kept while the service is away; the oldest go first
const FULL = 2e4; // characters of a request, of at most 3 bytes each: a browser lets 64 KB outlive the page

/** Keys of events that do not go yet: more may come to be known of them. */
export const held = new Set();

let made = 1e6;
let failures = 0;
let endpoint;
let retry = 0;
let timer;
let sending;

const later = (ms) => { timer ||= setTimeout(flush, ms); };

/** Queues an event; returns its key, which sorts by the time it was made. */
export const enqueue = (event) => {
  const key = `${prefix}q${Date.now()}${made++}${event.messageId}`;
  put(key, JSON.stringify(event));
  later(SECOND);
  return key;
};

// How long not to try: whichever tab was asked to wait, and after this one's failures.
const pause = () => Math.max(retry, get('after') || 0) - Date.now();

// The oldest events that fit into one request.
const take = () => {
  const keys = keysOf('q');
  let size = 0;
  keys.splice(0, keys.length - CAP).forEach((key) => delete box[key]);
  return keys.filter((key) => pause() <= 0 && !held.has(key) && !size | (size += box[key].length) < FULL);
};
const body = (keys) => `{"writeKey":"${writeKey}","sentAt":"${new Date().toJSON()}","batch":[${keys.map((key) => box[key])}]}`;

const send = async () => {
  await 0; // `sending` stands before this ends
  for (let keys; (keys = take())[0]; ) {
    let wait = 0;
    let results;
    let status = 0; // no network, or an answer that is not the service's
    try {
      // Plain text needs no preflight.
      const text = body(keys);
      const answer = await fetch(endpoint, { method: 'POST', body: text, keepalive: text.length < FULL, credentials: 'omit' });
      wait = answer.headers.get('Retry-After') * SECOND || 0;
      if (answer.ok) results = (await answer.json()).results;
      status = answer.status;
    } catch (e) { /* status says it */ }
    const failed = /^(0|408|429|5..)$/.test(status);
    if (status > 299 && !failed) console.warn('clickstream: refused', status);
    if (keys.filter((key, i) => failed || results?.[i]?.result === 'retry' || !delete box[key])[0]) {
      set('after', Date.now() + wait);
      retry = Date.now() + Math.min(3e4, 500 * 2 ** failures++) * (1 + Math.random());
    } else failures = 0;
  }
  sending = 0;
  if (keysOf('q')[0]) later(Math.max(SECOND, pause()));
};

/** Sends what is queued; resolves when it was answered. `online`: what failed need not wait longer. */
export const flush = async (online) => {
  if (online) retry = 0;
  clearTimeout(timer);
  timer = 0;
  if (endpoint) await (sending ||= send());
};

/** As the page goes. A beacon tells nothing back: what it takes stays stored, and the next page sends it again. */
export const beacon = () => {
  held.clear();
  const keys = take();
  if (endpoint && keys[0]) navigator.sendBeacon(endpoint, body(keys));
};

/** Nothing is sent before. */
export const openQueue = (url) => {
  endpoint = url;
  later(SECOND);
};
