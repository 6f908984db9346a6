// The real service and what stands before it; one of each per test file.

import { after, before } from 'node:test';
import { Service } from '../browser/service.mjs';
import { Front } from './front.mjs';

export let service;
export let front;

/** Has the hooks set the scene for the tests of a file. */
export function scene() {
  before(async () => {
    service = await Service.create();
    await service.start();
    front = await Front.of(service.url);
  });
  after(async () => {
    front?.close();
    await service?.remove();
  });
}
