// The network between a browser and the service, as bad as a test wants it.

import { connect, createServer } from 'node:net';

export class Wire {
  /** Passes on to `port` of this machine, from a port of its own. */
  static async to(port) {
    const wire = new Wire();
    wire.sockets = new Set();
    wire.heal();
    wire.server = createServer((near) => {
      if (wire.state === 'cut') return near.destroy();
      const far = connect(port, '127.0.0.1');
      const end = () => {
        wire.sockets.delete(end);
        near.destroy();
        far.destroy();
      };
      wire.sockets.add(end);
      near.on('error', end).on('close', end).pipe(far);
      far.on('error', end).on('close', end).on('data', (bytes) => (wire.state === 'deaf' ? end() : near.write(bytes)));
      return undefined;
    });
    await new Promise((resolve) => wire.server.listen(0, '127.0.0.1', resolve));
    wire.url = `http://127.0.0.1:${wire.server.address().port}`;
    return wire;
  }

  /** Everything passes. */
  heal() {
    this.state = 'whole';
  }

  /** Nothing passes; what is under way breaks off. */
  cut() {
    this.state = 'cut';
    for (const end of this.sockets) end();
  }

  /** Requests arrive, their answers do not. */
  deafen() {
    this.state = 'deaf';
  }

  close() {
    this.cut();
    this.server.close();
  }
}
