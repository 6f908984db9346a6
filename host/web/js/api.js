// Reads from the service, with the admin token where it wants one.

import { byId } from './dom.js';

const KEY = 'clickstream.admin';

/** An answer that is no success. `message` is for a person. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let asking = null;

/** Asks for the token once, however many reads want it. */
function ask() {
  asking ??= new Promise((resolve) => {
    const dialog = byId('ask');
    byId('ask-token').value = '';
    dialog.addEventListener('close', () => {
      sessionStorage.setItem(KEY, byId('ask-token').value);
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

/** A GET; throws `ApiError`, or `TypeError` where nothing answers. */
export async function get(path, { accept = 'application/json', signal } = {}) {
  for (;;) {
    const token = sessionStorage.getItem(KEY);
    const headers = { Accept: accept, ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(path, { headers, signal, cache: 'no-store' });
    if (answer.ok) return answer;
    if (answer.status === 401) {
      await ask();
      if (sessionStorage.getItem(KEY)) continue;
      throw new ApiError(401, 'they are shown only to who knows the admin token');
    }
    const problem = await answer.json().catch(() => ({}));
    throw new ApiError(answer.status, problem.detail || problem.title || `the service answered ${answer.status}`);
  }
}

/** A GET of JSON. */
export const read = async (path, options) => (await get(path, options)).json();

/** The rows of a report. `query` holds site, from, to and what else the report takes. */
export async function report(name, query, signal) {
  return (await read(`/v1/reports/${name}?${new URLSearchParams(query)}`, { signal })).rows;
}
