// A browser, a made-up site, and for each test a new visitor's page on it; one of each per test file.

import { after, afterEach, before, beforeEach } from 'node:test';
import { launch, visitor, watched } from './chromium.mjs';
import { Site } from './site.mjs';

export let browser;
export let site;
export let context;
export let page;

/** Another visitor takes the page's place; whoever calls has closed the context before. */
export async function arrive() {
  context = await visitor(browser);
  page = await watched(context);
}

/** Has the hooks set the stage for the tests of a file; `options` are those of `launch`. */
export function stage(options) {
  before(async () => {
    browser = await launch(options);
    site = await Site.create();
  });
  after(async () => {
    await browser?.close();
    site?.close();
  });
  beforeEach(async () => {
    site.reset();
    await arrive();
  });
  afterEach(() => context.close());
}
