// What stands between a client and the service: it passes everything on, refuses what it is told to, and remembers.

import { createServer, request as ask } from 'node:http';

/** Headers of a connection, not of what passes on it. */
const OWN = ['connection', 'keep-alive', 'transfer-encoding'];

const without = (headers, names) => Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

const whole = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
};

export class Front {
  /** In front of the service at `url`. */
  static async of(url) {
    const front = new Front();
    front.to = new URL(url);
    /** Every request that sent something: `{ path, headers, body, status }`. */
    front.seen = [];
    front.refusals = [];
    front.server = createServer((request, response) => front.serve(request, response).catch((error) => response.destroy(error)));
    await new Promise((resolve) => front.server.listen(0, '127.0.0.1', resolve));
    front.url = `http://127.0.0.1:${front.server.address().port}`;
    return front;
  }

  /** The next requests that send something are refused: `{ status, headers }` each. */
  refuse(...refusals) {
    this.refusals.push(...refusals);
  }

  async serve(request, response) {
    const body = await whole(request);
    const seen = { path: request.url, headers: request.headers, body };
    const refusal = request.method === 'POST' && this.refusals.shift();
    if (request.method === 'POST') this.seen.push(seen);
    if (refusal) {
      seen.status = refusal.status;
      // As the service itself lets pages read what it refuses.
      const cors = { 'Access-Control-Allow-Origin': request.headers.origin ?? '*', 'Access-Control-Expose-Headers': 'Retry-After' };
      response.writeHead(refusal.status, { ...cors, ...refusal.headers }).end();
      return;
    }
    const answer = await this.pass(request, body);
    seen.status = answer.statusCode;
    response.writeHead(answer.statusCode, without(answer.headers, OWN)).end(await whole(answer));
  }

  /** The service's answer to the same request. */
  pass({ method, url, headers }, body) {
    return new Promise((resolve, reject) => {
      const options = { method, path: url, headers: without(headers, OWN), host: this.to.hostname, port: this.to.port };
      ask(options, resolve).on('error', reject).end(body);
    });
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
