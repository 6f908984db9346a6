// Fails if a published file is stale or weighs too much over the wire.
import { build } from './build.mjs';

const wrong = await build(true);
if (wrong) {
  console.error(wrong);
  process.exit(1);
}
