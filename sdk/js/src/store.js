// What the pages of a site share: strings under its prefix.

export let box = {}; // memory until localStorage is allowed, and again when that is full
export let prefix;

/** What `act` makes of localStorage; nothing where that is forbidden. */
export const local = (act) => {
  try { return act(localStorage); } catch (e) { /* memory has it */ }
};
export const get = (key) => box[prefix + key];
export const put = (key, value) => {
  try { box[key] = value; } catch (e) { box = { ...box, [key]: value }; }
  return value;
};
export const set = (key, value) => put(prefix + key, value);
/** Whole keys, sorted. */
export const keysOf = (start) => Object.keys(box).filter((key) => key.startsWith(prefix + start)).sort();

export let writeKey;
export const openStore = (key) => {
  writeKey = key;
  prefix = `clickstream.${writeKey}.`;
};
/** From now on in localStorage, with what memory has. */
export const keep = () => { box = local((s) => Object.assign(s, box)) || box; };
export const forget = () => {
  keysOf('').forEach((key) => delete box[key]);
  box = {};
};
