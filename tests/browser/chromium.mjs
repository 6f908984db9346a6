// Headless Chromium, and pages that remember everything that went wrong on them.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const CANDIDATES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Switches that keep the browser to the page under test. */
const SWITCHES = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** A person's browser: headless Chromium's own name would have its events counted as a bot's. */
const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** `keepPages`: with the back/forward cache, which Playwright switches off. */
export async function launch({ keepPages = false } = {}) {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error('no Chromium: install the package `chromium`, or name a binary in CHROMIUM');
  return chromium.launch({ executablePath, headless: true, args: SWITCHES, ignoreDefaultArgs: keepPages ? ['--disable-back-forward-cache'] : [] });
}

/** A visitor with storage of their own. */
export const visitor = (browser, options = {}) => browser.newContext({ userAgent: USER_AGENT, viewport: { width: 1280, height: 900 }, ...options });

/** A page that keeps `page.wrong` (errors, warnings, policy violations) and `page.sent` (tracked events). */
export async function watched(context) {
  const page = await context.newPage();
  page.wrong = [];
  page.sent = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && page.wrong.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => page.wrong.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    if (request.url().endsWith('/v1/batch')) page.sent.push(...JSON.parse(request.postData()).batch);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy violated: ${e.violatedDirective} ${e.blockedURI}`));
  });
  return page;
}
