/** What a program in JavaScript may give the library: each value of a wrong kind is refused by its name, before anything is done. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SharedMemoryDevice } from '../src/client/device.ts';
import { SharedRegion } from '../src/client/region.ts';
import { mapAnonymous } from '../src/native/memory.ts';
import { shown } from '../src/text/shown.ts';
import * as library from '../src/index.ts';

type Call = (value: never) => unknown;

const WAITING: Readonly<Record<string, Call>> = {
  listDevices: (value) => library.listDevices(value),
  describeDevice: (value) => library.describeDevice(0, value),
  addDevice: (value) => library.addDevice({ target: 'null' }, value),
  recoverDevice: (value) => library.recoverDevice(0, {}, value),
  recoverAllDevices: (value) => library.recoverAllDevices({}, value),
  deleteDevice: (value) => library.deleteDevice(0, value),
  deleteAllDevices: (value) => library.deleteAllDevices(value),
  stopDevice: (value) => library.stopDevice(0, value),
  quiesceDevice: (value) => library.quiesceDevice(0, value),
  updateSize: (value) => library.updateSize(0, 4096, value),
  setAffinity: (value) => library.setAffinity(0, value),
  registerBuffer: (value) =>
    library.registerBuffer(0, { kind: 'memfd', bytes: 4096, seal: true, readOnly: false }, value),
  unregisterBuffer: (value) => library.unregisterBuffer(0, 0, value),
  unregisterAllBuffers: (value) => library.unregisterAllBuffers(0, value),
  startServer: (value) => library.startServer({}, value),
  openServer: (value) => library.openServer({}, value),
};

describe('the options of a call that may wait are refused', () => {
  for (const [name, call] of Object.entries(WAITING)) {
    test(`by ${name}`, async () => {
      for (const value of [null, 'main', 5, [], () => {}]) {
        await isRefused(() => call(value as never), 'options are an object, and not ', value);
      }
      for (const signal of [null, new AbortController()]) {
        await isRefused(() => call({ signal } as never), '`signal` is ', signal);
      }
      await isRefused(() => call({ onWaiting: console } as never), '`onWaiting` is ', console);
      await isRefused(() => call({ timeout: 5 } as never), 'this call has no option timeout', 5);
      for (const timeoutMs of ['5', Number.NaN, -1]) {
        await isRefused(() => call({ timeoutMs } as never), '`timeoutMs` is ', timeoutMs);
      }
    });
  }
});

const OTHERS: readonly (readonly [call: Call, begin: string, ...values: unknown[]])[] = [
  [(value) => library.addDevice(value), 'options are an object', null, undefined, 'null'],
  [(value) => library.recoverDevice(0, value), 'options are an object', null, 'null'],
  [(value) => library.recoverAllDevices(value), 'options are an object', null, 'null'],
  [(value) => library.recoverAllDevices({ cpus: value }), '`cpus` is ', '0', null, [0, 1, 2, 3, 4, 5, 6, '7']],
  [(value) => library.deleteDevice(0, { force: value }), '`force` is ', 'false', 0, null],
  [(value) => library.deleteAllDevices({ force: value }), '`force` is ', 'false'],
  [(value) => library.stopDevice(0, { force: value }), '`force` is ', 'false'],
  [(value) => library.stopDevice(0, { safe: value }), '`safe` is ', 'false'],
  [(value) => library.updateSize(0, 4096, { grow: value }), '`grow` is ', 'false'],
  [(value) => library.updateSize(0, value), '`bytes` is ', '4k', null, undefined, 4096n, Symbol('4k'), -512, 2 ** 53],
  [(value) => library.setAffinity(0, { cpus: value }), '`cpus` is ', null, undefined, 0, '0-3', new Set([0]), ['0']],
  [(value) => library.setAffinity(0, { cpus: [0], queue: value }), '`queue` is ', null, '0', Symbol('0')],
  [(value) => library.registerBuffer(0, value), 'options are an object', null, undefined, '/dev/shm/a'],
  [(value) => library.deleteDevice(0, { forse: value } as never), 'this call has no option forse', true],
  [(value) => library.registerBuffer(0, { kind: value } as never), '`kind` is ', null, 'file', 'toString'],
  [(value) => library.registerBuffer(0, { kind: 'path', path: value, readOnly: false }), '`path` is ', null, 5],
  [
    (value) => library.registerBuffer(0, { kind: 'memfd', bytes: value } as never),
    '`bytes` is ',
    null,
    '4k',
    4096n,
    2 ** 53,
  ],
  [(value) => library.registerBuffer(0, { kind: 'memfd', bytes: 1, seal: value } as never), '`seal` is ', 1, 'no'],
  [(value) => library.unregisterBuffer(0, value), '`index` is ', null, undefined, '0', -1],
  [(value) => library.startServer(value), 'options are an object', null, 'fast'],
  // `main` would be opened in its place.
  [(value) => library.openServer(value), 'options are an object', null, 'fast'],
  [(value) => library.openServer({ nmae: value } as never), 'a server has no option nmae', 'fast'],
  [(value) => library.openServer({ name: value }), '', null, 5, 1n, Symbol('fast'), circular()],
];

test('other values of a wrong kind are refused', async () => {
  for (const [call, begin, ...values] of OTHERS) {
    for (const value of values) await isRefused(() => call(value as never), begin, value);
  }
});

test('an id that is none is refused before a driver is needed', async () => {
  const { describeDevice, deleteDevice, stopDevice, quiesceDevice, unregisterAllBuffers } = library;
  const calls: readonly Call[] = [
    describeDevice,
    deleteDevice,
    stopDevice,
    quiesceDevice,
    unregisterAllBuffers,
    (value) => library.recoverDevice(value, {}),
    (value) => library.updateSize(value, 4096),
    (value) => library.setAffinity(value, { cpus: [0] }),
    (value) => library.registerBuffer(value, { kind: 'memfd', bytes: 4096 }),
    (value) => library.unregisterBuffer(value, 0),
  ];
  for (const call of calls) {
    for (const id of [Number.NaN, -1, '0', null, new Error('no id'), [0, 1, 2, 3, 4, 5, 6, 7]]) {
      await isRefused(() => call(id as never), shown(id), id);
    }
  }
});

test('a region gives no buffer of another size, and an open device reads and writes nowhere else', async () => {
  const memory = mapAnonymous(8192, 'of a test');
  const region = new SharedRegion({ memory, index: 0, readOnly: false, unregister: async () => {}, close: () => {} });
  for (const bytes of [-5, 1.5, '4096', null])
    await isRefused(() => region.alloc(bytes as never), '`bytes` is ', bytes);
  await isRefused(() => region.free(null as never), '`buffer` is ', null);
  const device = new SharedMemoryDevice(0, '/dev/ublkb0', null as never);
  const buffer = Buffer.alloc(512);
  for (const position of [undefined, null, -1, '0']) {
    await isRefused(() => device.read(buffer, position as never), '`position` is ', position);
    await isRefused(() => device.write(buffer, position as never), '`position` is ', position);
  }
  await isRefused(() => device.write('text' as never, 0), '`buffer` is ', 'text');
});

test('a device that was closed shares no memory: nobody would release it', async () => {
  const device = new SharedMemoryDevice(0, '/dev/ublkb0', { close: async () => {} } as never);
  await device.close();
  await assert.rejects(device.allocate({ bytes: 4096 }), { code: 'EBADF', device: 0 });
});

test('memory is asked for by its size before a driver is needed', async () => {
  const device = new SharedMemoryDevice(0, '/dev/ublkb0', null as never);
  for (const bytes of ['4k', 2 ** 53])
    await isRefused(() => device.allocate({ bytes: bytes as never }), '`bytes` is ', bytes);
  await isRefused(() => device.allocate({ bytes: 4096 }, { timeoutMs: '1s' as never }), '`timeoutMs` is ', '1s');
  const given = new Error('given up');
  await assert.rejects(device.allocate({ bytes: 4096 }, { signal: AbortSignal.abort(given) }), given);
});

async function isRefused(call: () => unknown, begin: string, value: unknown): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error) =>
      error instanceof library.UblkError &&
      error.kind === 'usage' &&
      error.message.startsWith(begin) &&
      !error.message.includes('\n'),
    `${call.toString()} with ${shown(value)}`,
  );
}

function circular(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}
