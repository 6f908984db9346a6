// The promise of the whole: a visit with exactly so many views, clicks and pages, over a network that is cut and a
// service that is killed at random, ends in reports that say exactly so many. SEED=n repeats a run.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, visitor, watched } from './chromium.mjs';
import { eventually } from './eventually.mjs';
import { Service } from './service.mjs';
import { Site, head } from './site.mjs';
import { Wire } from './wire.mjs';

const SEED = Number(process.env.SEED ?? 20261124);
const STEPS = Number(process.env.STEPS ?? 24); // things the visitor does
const BLOCKS = 6;
const LONG = 1_400; // ms on screen that make a view
const SHORT = 100; // ms that make none

/** Numbers from a seed (mulberry32). */
function random(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

let service;
let wire;
let site;
let browser;

before(async () => {
  service = await Service.create();
  await service.start();
  wire = await Wire.to(service.port);
  site = await Site.create();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.close();
  wire?.close();
  await service?.remove();
});

/** A visitor who remembers what they did. */
class Visit {
  constructor(context, chance) {
    Object.assign(this, { context, chance, views: Array(BLOCKS).fill(0), clicks: Array(BLOCKS).fill(0), pages: 0, seen: new Set() });
  }

  async open() {
    this.page = await watched(this.context);
    await this.load();
  }

  async load() {
    await this.page.goto(`${site.url}/`);
    await this.page.waitForFunction(() => window.clickstream);
    this.turned();
  }

  turned() {
    this.pages += 1;
    this.seen.clear();
  }

  /** One thing that a visitor may do. */
  async step(n) {
    const what = this.chance();
    if (what < 0.1) {
      await this.load();
    } else if (what < 0.2) {
      await this.page.close({ runBeforeUnload: true });
      await this.open();
    } else if (what < 0.4) {
      await this.page.evaluate((to) => history.pushState(null, '', to), `/step-${n}`);
      await this.page.waitForTimeout(50);
      this.turned();
    } else if (what < 0.5) {
      await this.show(SHORT);
    } else {
      await this.show(LONG);
    }
  }

  async show(ms) {
    const i = Math.floor(this.chance() * BLOCKS);
    const clicks = ms === LONG ? Math.floor(this.chance() * 4) : 0;
    await this.page.evaluate(([id, time]) => {
      const block = document.querySelector(`[data-track="${id}"]`);
      block.hidden = false;
      if (time) setTimeout(() => { block.hidden = true; }, time);
    }, [`block-${i}`, ms === SHORT && SHORT]);
    for (let k = 0; k < clicks; k++) {
      await this.page.mouse.click(50, 50);
      this.clicks[i] += 1;
    }
    await this.page.waitForTimeout(ms);
    if (ms === SHORT) return;
    await this.page.evaluate((id) => { document.querySelector(`[data-track="${id}"]`).hidden = true; }, `block-${i}`);
    if (!this.seen.has(i)) this.views[i] += 1;
    this.seen.add(i);
  }
}

/** Breaks one thing after the other until `over()`; everything is whole when it ends. */
async function trouble(chance, over) {
  const done = { kills: 0, cuts: 0, lost: 0 };
  while (!over()) {
    await sleep(500 + chance() * 2_000);
    const what = chance();
    if (what < 0.35) {
      done.kills += 1;
      await service.stop('SIGKILL');
      await sleep(chance() * 1_500);
      await service.start();
    } else {
      if (what < 0.7) wire.cut();
      else wire.deafen();
      done[what < 0.7 ? 'cuts' : 'lost'] += 1;
      await sleep(500 + chance() * 2_000);
      wire.heal();
    }
  }
  return done;
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

test(`reports say what a visitor did, whatever broke meanwhile (seed ${SEED})`, async () => {
  const blocks = Array.from({ length: BLOCKS }, (_, i) => `<button data-track="block-${i}" hidden style="position:absolute;left:0;top:0;width:200px;height:100px" onclick="this.append('.')">Block ${i}</button>`).join('');
  site.pages.set('/', `${head(`data-host="${wire.url}"`)}<body>${blocks}</body></html>`);
  const visit = new Visit(await visitor(browser), random(SEED));
  await visit.open();
  let over = false;
  const broken = trouble(random(SEED + 1), () => over);
  for (let n = 0; n < STEPS; n++) await visit.step(n);
  over = true;
  const done = await broken;
  console.log(`${sum(visit.views)} views, ${sum(visit.clicks)} clicks, ${visit.pages} pages; ${done.kills} kills, ${done.cuts} cuts, ${done.lost} lost answers`);

  await eventually('everything was answered for', 90_000, () => visit.page.evaluate(() => !Object.keys(localStorage).some((key) => key.startsWith('clickstream.demo.q'))));
  const said = async () => {
    const rows = await service.report('elements');
    const of = (i, measure) => Number(rows.find((row) => row.element_id === `block-${i}`)?.[measure] ?? 0);
    return {
      views: visit.views.map((_, i) => of(i, 'views')),
      clicks: visit.clicks.map((_, i) => of(i, 'clicks')),
      pages: sum((await service.report('pages')).map((row) => Number(row.views))),
    };
  };
  const { views, clicks, pages } = visit;
  await eventually('the reports have it all', 30_000, async () => {
    const now = await said();
    return sum(now.views) >= sum(views) && sum(now.clicks) >= sum(clicks) && now.pages >= pages;
  }).catch(() => {}); // what is said then tells more
  assert.deepEqual(await said(), { views, clicks, pages });
  await sleep(3_000); // a repeat that counted would show by now
  assert.deepEqual(await said(), { views, clicks, pages });
});
