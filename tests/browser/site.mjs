// A site that tests make up: its pages, the script, and a collector that remembers what it was sent.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { eventually } from './eventually.mjs';

const SCRIPTS = new URL('../../sdk/js/', import.meta.url);
const EXAMPLE = new URL('../../examples/site/', import.meta.url);
const KINDS = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css' };

/** The head of a page that loads the script; `more` are attributes of its tag. */
export const head = (more = '', title = 'A page') => `<!doctype html><html lang="en"><head><title>${title}</title><script src="/clickstream.js" data-write-key="demo" ${more} defer></script></head>`;

export class Site {
  static async create() {
    const site = new Site();
    site.pages = new Map();
    site.reset();
    site.server = createServer((request, response) => site.serve(request, response));
    await new Promise((resolve) => site.server.listen(0, '127.0.0.1', resolve));
    site.url = `http://127.0.0.1:${site.server.address().port}`;
    return site;
  }

  /** Forgets what it was sent, and from then on whoever sent it: beacons of a closed page come late. */
  reset() {
    this.gone = new Set([...(this.gone ?? []), ...(this.received ?? []).map((e) => e.anonymousId)]);
    /** Events that it was sent, resent ones too. */
    this.received = [];
    /** What it answers to a batch: a status, or `{ status, headers }`, or null for none. */
    this.answers = () => 200;
  }

  serve(request, response) {
    const { pathname } = new URL(request.url, this.url);
    if (request.method === 'POST') {
      this.collect(request, response);
      return;
    }
    const page = this.pages.get(pathname);
    try {
      const file = pathname.startsWith('/clickstream.') ? new URL(`.${pathname}`, SCRIPTS) : new URL(`.${pathname.endsWith('/') ? `${pathname}index.html` : pathname}`, EXAMPLE);
      response.setHeader('Content-Type', page ? KINDS[extname(pathname)] ?? KINDS['.html'] : KINDS[extname(file.pathname)] ?? 'application/octet-stream');
      response.end(page ?? readFileSync(file));
    } catch {
      response.writeHead(404, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Not here</title>');
    }
  }

  collect(request, response) {
    const parts = [];
    request.on('data', (part) => parts.push(part)).on('end', () => {
      const { batch } = JSON.parse(Buffer.concat(parts));
      const answer = this.answers(batch);
      if (answer === null) {
        request.socket.destroy();
        return;
      }
      const { status, headers = {} } = typeof answer === 'number' ? { status: answer } : answer;
      if (status === 200) this.received.push(...batch.filter((e) => !this.gone.has(e.anonymousId)));
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(JSON.stringify({ success: status === 200, results: batch.map(() => ({ result: 'accepted' })) }));
    });
  }

  /** Events as the service would count them: each id once, the first copy. */
  events(name) {
    const first = new Map();
    for (const event of this.received) if (!first.has(event.messageId)) first.set(event.messageId, event);
    return [...first.values()].filter((e) => !name || (e.event ?? e.type) === name);
  }

  /** Resolves with the events of that name once there are `count` of them. */
  until(name, count = 1, deadline = 10_000) {
    return eventually(`${count} ${name} arrive`, deadline, () => this.events(name).length >= count && this.events(name));
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
