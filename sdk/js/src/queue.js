// Each event waits under a key of its own, so that tabs, which share the storage, never overwrite one another's. The key
// goes once the service has answered for the event. Whatever is sent twice has one messageId and counts once.

import { placePage } from './start.js';
import { box, get, keysOf, prefix, put, set, writeKey } from './store.js';

export const SECOND = 1e3;
const CAP = 2e3; // events kept while the service is away; the oldest go first
const FULL = 2e4; // characters of a request, of at most 3 bytes each: a browser lets 64 KB outlive the page

/** Keys of events that do not go yet: more may come to be known of them. */
export const held = new Set();

let made = 1e9 * (1 + Math.random()); // counts what this tab made, from where no other tab does
let failures = 0; // in a row
let endpoint;
let retry = 0;
let timer;
let sending;
let leaving;

// In a second, or in `ms` if that is longer.
const later = (ms = 0) => { timer ||= setTimeout(flush, Math.max(SECOND, ms)); };

/** Queues an event; returns its key, which sorts by the time it was made. */
export const enqueue = (event, key = `${prefix}q${Date.now()}${made++}`) => {
  put(key, JSON.stringify(event));
  later();
  return key;
};

/** Changes the text of an event that still waits. */
export const amend = (key, from, to) => {
  if (box[key]) put(key, box[key].replace(from, to));
};

// How long not to try: whichever tab was asked to wait, and after this one's failures.
const pause = () => Math.max(retry, +get('after') || 0) - Date.now();

// The oldest events that fit into one request. After each failure in a row it is half as large: if that was the reason, it
// fits in the end.
const take = () => {
  const keys = keysOf('q');
  let size = pause() > 0 && FULL; // reading what does not fit would take long
  keys.splice(0, keys.length - CAP).forEach((key) => delete box[key]);
  return keys.filter((key) => size < FULL && !held.has(key) && !size | (size += box[key].length * 2 ** failures) < FULL);
};
const body = (keys) => '{"batch":[' + keys.map((key) => box[key]) + '],' + JSON.stringify({ writeKey, sentAt: new Date() }).slice(1);

const send = async () => {
  for (let keys; (keys = await take())[0]; ) {
    const text = body(keys);
    let answer;
    let results;
    try {
      // Plain text needs no preflight.
      answer = await fetch(endpoint, { method: 'POST', body: text, keepalive: text.length < FULL, credentials: 'omit' });
      results = answer.ok && (await answer.json()).results;
    } catch (e) { /* no results say it */ }
    // No network, a good answer that is not the service's, a refusal for now, or 413 for more than one event.
    const failed = !results && /^(,|2|408|429|5|413,.)/.test([answer?.status, keys[1]]);
    if (!results && !failed) console.warn('clickstream: refused', answer.status);
    if (keys.filter((key, i) => failed || results?.[i]?.result === 'retry' || !delete box[key])[0]) {
      set('after', Date.now() + answer?.headers.get('retry-after') * SECOND);
      retry = Date.now() + Math.min(3e4, 500 * 2 ** failures++) * (1 + Math.random());
    } else failures = 0;
  }
  sending = 0;
  if (keysOf('q')[0]) later(pause());
};

/** Sends what is queued; resolves when it was answered. `online`: what failed need not wait longer. */
export const flush = async (online) => {
  placePage();
  if (online) retry = 0;
  timer = 0;
  if (endpoint) await (sending ||= send());
};

/** As the page goes. A beacon tells nothing back: what it takes stays stored, and the next page sends it again. */
export const beacon = () => {
  held.clear();
  if (endpoint && (leaving = take())[0]) navigator.sendBeacon(endpoint, body(leaving));
};

/** Nothing is sent before. */
export const openQueue = (url) => {
  endpoint = url;
  later();
};
