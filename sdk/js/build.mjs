// Makes the two files that sites load from src/: clickstream.js, the classic script, and clickstream.mjs, the ES module.
// esbuild puts the modules together, terser makes the result small. size.mjs checks that both files are current.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build as bundle } from 'esbuild';
import { minify } from 'terser';

/** Bytes that the script may weigh over the wire, gzipped: it loads before anything it measures. */
export const LIMIT = 3072;

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const FILES = [
  { file: 'clickstream.js', entry: 'src/clickstream.js', classic: true },
  { file: 'clickstream.mjs', entry: 'src/start.js', classic: false },
];

async function made({ entry, classic }) {
  const { outputFiles: [{ text }] } = await bundle({ entryPoints: [at(entry)], bundle: true, format: classic ? 'iife' : 'esm', target: 'es2021', minifySyntax: true, write: false });
  // `unsafe_comps` may negate a comparison, which is wrong for NaN: the first click and the first session, both tested.
  const { code } = await minify(text, {
    ecma: 2020,
    module: true,
    compress: { passes: 4, keep_fargs: false, pure_getters: true, lhs_constants: false, unsafe: true, unsafe_arrows: true, unsafe_comps: true, unsafe_methods: true },
  });
  return `${code}\n`;
}

/** Builds, or checks what is built; returns what is wrong, or null. */
export async function build(check) {
  for (const it of FILES) {
    const code = await made(it);
    const size = gzipSync(code, { level: 9 }).length;
    if (size > LIMIT) return `${it.file} is ${size} bytes gzipped; ${LIMIT} are allowed`;
    if (!check) writeFileSync(at(it.file), code);
    else if (!existsSync(at(it.file)) || readFileSync(at(it.file), 'utf8') !== code) return `${it.file} is stale: run \`node sdk/js/build.mjs\``;
    console.log(`${it.file}: ${size} bytes gzipped of ${LIMIT} allowed`);
  }
  return null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = await build(false);
  if (wrong) {
    console.error(wrong);
    process.exit(1);
  }
}
