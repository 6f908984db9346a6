// Fails if clickstream.js is stale or weighs too much over the wire.
import { build } from './build.mjs';

const wrong = build(true);
if (wrong) {
  console.error(wrong);
  process.exit(1);
}
