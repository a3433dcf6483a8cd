/** Whether `add` has reckoned with the open files that a server has. */
import assert from 'node:assert/strict';
import { readRecord } from '../../../src/record/store.ts';
import { descriptorNeeds, serverDescriptors } from '../../../src/server/descriptor-budget.ts';
import { builtInTarget } from '../../../src/targets/registry.ts';
import { openFiles } from './devices.ts';

/** How many more than there are may be reckoned with for each thread, and for the server. */
const SPARE_PER_THREAD = 2;
const SPARE = 10;

/** Counts the open files of the device's own server, which has all its connections. */
export function requireReckonedDescriptors(id: number): void {
  const record = readRecord(id);
  assert.ok(record?.server, 'the device has a server');
  const { spec, server } = record;
  const reckoned = serverDescriptors(descriptorNeeds(spec, builtInTarget(spec.target) ?? null));
  // The ring of control commands is closed when the device is live.
  const open = openFiles(server.pid).length + 1;
  const spare = SPARE + spec.threads * SPARE_PER_THREAD;
  assert.ok(open <= reckoned && open >= reckoned - spare, `${open} open, ${reckoned} reckoned with`);
}
