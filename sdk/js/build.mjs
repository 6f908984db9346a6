// Makes clickstream.js from src/clickstream.js: comments and indentation go, nothing else changes, so that an error's
// line still reads like the source. size.mjs checks that the file is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';

/** Bytes that the script may weigh over the wire, gzipped: it loads before anything it measures. */
export const LIMIT = 3072;

const at = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The source without whole-line comments, comments after code (two spaces or a space, then `// `) and indentation. */
export function strip(source) {
  const lines = source.split('\n').map((line) => line.trim().replace(/(^|\s+)\/\/ .*$/, ''));
  const banner = '/* Clickstream, Apache-2.0. Made from src/clickstream.js. */';
  return [banner, ...lines.filter(Boolean)].join('\n') + '\n';
}

/** Builds or checks; returns what is wrong, or null. */
export function build(check) {
  const built = strip(readFileSync(at('src/clickstream.js'), 'utf8'));
  const size = gzipSync(built, { level: 9 }).length;
  if (size >= LIMIT) return `clickstream.js is ${size} bytes gzipped; it must stay below ${LIMIT}`;
  if (!check) writeFileSync(at('clickstream.js'), built);
  else if (readFileSync(at('clickstream.js'), 'utf8') !== built) return 'clickstream.js is stale: run `node sdk/js/build.mjs`';
  console.log(`clickstream.js: ${size} bytes gzipped of ${LIMIT} allowed`);
  return null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = build(false);
  if (wrong) {
    console.error(wrong);
    process.exit(1);
  }
}
