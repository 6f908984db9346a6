// The real binary on a data folder of its own.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BINARY = process.env.CLICKSTREAM ?? join(ROOT, 'target/release/clickstream');

const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A service that can be stopped and started again on the same folder and port. */
export class Service {
  static async create() {
    const service = new Service();
    service.data = mkdtempSync(join(tmpdir(), 'clickstream-browser-'));
    service.port = await freePort();
    service.url = `http://127.0.0.1:${service.port}`;
    return service;
  }

  async start() {
    const log = createWriteStream(join(this.data, 'output.log'), { flags: 'a' });
    const args = ['up', '--data', join(this.data, 'folder'), '--listen', `127.0.0.1:${this.port}`];
    this.process = spawn(BINARY, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout.pipe(log, { end: false });
    this.process.stderr.pipe(log, { end: false });
    this.ended = new Promise((resolve, reject) => {
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
      this.process.once('error', reject);
    });
    let over = null;
    this.ended.then((end) => { over = end; }, (error) => { over = error; });
    await eventually('the service is ready', 60_000, async () => {
      if (over) throw new Error(`the service ended before it was ready: ${JSON.stringify(over)}\n${this.output()}`);
      return (await fetch(`${this.url}/ready`).catch(() => null))?.ok;
    });
  }

  /** Asks it to end as a supervisor does; resolves with exit code and signal. */
  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    return this.ended;
  }

  /** What it printed so far, the last lines. */
  output() {
    try {
      return readFileSync(join(this.data, 'output.log'), 'utf8').split('\n').slice(-40).join('\n');
    } catch {
      return '';
    }
  }

  /** Rows of a report for today. */
  async report(name, query = {}) {
    const today = new Date().toISOString().slice(0, 10);
    const answer = await fetch(`${this.url}/v1/reports/${name}?${new URLSearchParams({ site: 'demo', from: today, to: today, ...query })}`);
    if (!answer.ok) throw new Error(`report ${name}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()).rows;
  }

  /** Views and clicks of one element today. */
  async element(id) {
    const row = (await this.report('elements')).find((r) => r.element_id === id);
    return { views: Number(row?.views ?? 0), clicks: Number(row?.clicks ?? 0), row };
  }

  async remove() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.stop('SIGKILL');
    rmSync(this.data, { recursive: true, force: true });
  }
}
