// One call of each kind, as every client of Segment has it, and what the service keeps of each.

import assert from 'node:assert/strict';

/** What is called: Segment's name of the call, and what it is told beside the person. */
export const CALLS = [
  ['identify', { traits: { plan: 'pro', email: 'a@example.com' } }],
  ['track', { event: 'element_clicked', properties: { element_id: 'buy-now', x: 17, y: 4, colour: 'red' } }],
  ['track', { event: 'Order Completed', properties: { total: 12.5, items: ['tea', 'cup'], nested: { deep: true } } }],
  ['page', { name: 'Tea', category: 'Shop', properties: { url: 'https://shop.example/tea?utm_source=mail&secret=1', title: 'All tea' } }],
  ['screen', { name: 'Basket', properties: { count: 3 } }],
  ['group', { groupId: 'g-1', traits: { name: 'Tea Ltd' } }],
  ['alias', { previousId: 'before' }],
];

/** Checks that `rows` are those calls of the person `user`, made by `library`. */
export function check(rows, user, library) {
  assert.equal(rows.length, CALLS.length);
  const of = (name) => rows.find((row) => row.name === name) ?? assert.fail(`no ${name}: ${JSON.stringify(rows)}`);
  for (const row of rows) {
    assert.equal(row.user_id, user, row.name);
    assert.match(row.library, library);
    assert.equal(row.source, 'http');
    assert.ok(Math.abs(Date.now() - Date.parse(`${row.original_at.replace(' ', 'T')}Z`)) < 120_000, `${row.name} at ${row.original_at}`);
    assert.deepEqual(row.warnings.filter((code) => code !== 'device_unknown'), [], row.name);
  }
  const identify = rows.find((row) => row.action === 'identify');
  assert.equal(identify.properties.plan, 'pro');
  assert.equal(identify.properties.email, 'a@example.com');
  const click = of('element_clicked');
  assert.equal(click.action, 'click');
  assert.deepEqual([click.element_id, click.x, click.y, click.properties.colour], ['buy-now', 17, 4, 'red']);
  const order = of('Order Completed');
  assert.equal(order.action, 'custom');
  assert.deepEqual([order.properties.total, order.properties.items, order.properties.nested], [12.5, ['tea', 'cup'], { deep: true }]);
  const page = of('Tea');
  assert.equal(page.action, 'page');
  assert.deepEqual([page.properties.category, page.page_title, page.utm_source], ['Shop', 'All tea', 'mail']);
  assert.equal(page.url, 'https://shop.example/tea?utm_source=mail');
  const screen = of('Basket');
  assert.equal(screen.action, 'page');
  assert.equal(screen.properties.count, 3);
  const group = of('$group');
  assert.deepEqual([group.properties.groupId, group.properties.name], ['g-1', 'Tea Ltd']);
  assert.equal(of('$alias').properties.previousId, 'before');
}
