/** When a connection over TCP is given up, and that what the kernel says of one is read from the right places. */
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketPair, startConnecting } from '../../../src/native/libc/stream-socket.ts';
import { tcpSignsOf } from '../../../src/native/libc/tcp-info.ts';
import { Ring } from '../../../src/native/ring/ring.ts';
import { OwnOperations } from '../../../src/queue/target-ring.ts';
import { isSilent, Looks } from '../../../src/targets/nbd/connection/liveness.ts';
import { ringRefusal } from './requests.ts';

const LIMITS = { idleSeconds: 15, probeSeconds: 5, probes: 3 };
const SIGNS = { heardMs: 40_000, retransmits: 0, probes: 0, window: 65_536 };

describe('a connection over TCP', () => {
  for (const [what, signs, silent] of [
    ['data was sent 7 times and nothing came for 30 s', { retransmits: 7, heardMs: 30_000 }, true],
    ['data was sent 7 times and something came 29 s ago', { retransmits: 7, heardMs: 29_000 }, false],
    ['nothing was sent for an hour', { heardMs: 3_600_000 }, false],
    ['data was sent after a long pause', { retransmits: 1, heardMs: 100_000 }, false],
    ['the window is closed, and the last probe was answered two minutes ago', { window: 0, heardMs: 120_000 }, false],
    ['the window was closed on data that was sent', { window: 0, retransmits: 9, heardMs: 90_000 }, false],
    ['the window is closed, and three probes had no answer', { window: 0, probes: 3, heardMs: 60_000 }, true],
    ['it is idle, and three probes had no answer', { probes: 3 }, true],
  ] as const) {
    test(`${silent ? 'is given up' : 'is kept'} when ${what}`, () => {
      assert.equal(isSilent({ ...SIGNS, ...signs }), silent);
    });
  }
});

describe('what the kernel says of a connection', () => {
  let server: Server;
  let fd: number;
  beforeEach(async () => {
    server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1', 1);
    await once(server, 'listening');
    fd = connecting(server);
  });
  afterEach(() => {
    closeSync(fd);
    server.close();
  });

  test('has the time since something came, and how much the other end takes', async () => {
    const [peer] = (await once(server, 'connection')) as [ReturnType<typeof connect>];
    const first = tcpSignsOf(fd);
    assert.ok(first !== null && first.heardMs < 200 && first.window > 10_000, JSON.stringify(first));
    await sleep(400);
    const later = tcpSignsOf(fd);
    assert.ok(later !== null && later.heardMs >= 300 && later.heardMs < 2_000, JSON.stringify(later));
    peer.write('x');
    await sleep(50);
    const heard = tcpSignsOf(fd);
    assert.ok(heard !== null && heard.heardMs < 200, JSON.stringify(heard));
    peer.destroy();
  });

  test('shows a closed window, whose probes the other end answers', async () => {
    const [peer] = (await once(server, 'connection')) as [ReturnType<typeof connect>];
    const writer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [reader] = (await once(server, 'connection')) as [ReturnType<typeof connect>];
    const { _handle: handle } = writer as unknown as { readonly _handle: { readonly fd: number } };
    writer.write(Buffer.alloc(16 << 20));
    await sleep(1000);
    const signs = tcpSignsOf(handle.fd);
    assert.ok(
      signs !== null && signs.window < 10_000 && signs.probes <= 1 && signs.heardMs < 1000,
      JSON.stringify(signs),
    );
    assert.ok(!isSilent({ ...signs, heardMs: 100_000 }), JSON.stringify(signs));
    for (const socket of [peer, writer, reader]) socket.destroy();
  });

  test('counts how often something was sent again', async () => {
    const full = Array.from({ length: 4 }, () => connecting(server));
    // Nobody accepts while this thread does not turn, and the queue of the listener takes two.
    const until = performance.now() + 1_300;
    while (performance.now() < until);
    const counts = full.map((one) => tcpSignsOf(one)?.retransmits);
    assert.ok(
      counts.some((count) => (count ?? 0) > 0),
      counts.join(' '),
    );
    for (const one of full) closeSync(one);
  });

  test('is nothing for a unix socket', () => {
    for (const end of socketPair()) {
      assert.equal(tcpSignsOf(end), null);
      closeSync(end);
    }
  });
});

describe('a thread that sleeps in its ring', { skip: ringRefusal() }, () => {
  test('is woken to look at a connection over TCP, and not for one over a unix socket', async () => {
    const server = createServer((socket) => socket.on('error', () => {}));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const tcp = connecting(server);
    const pair = socketPair();
    for (const [fd, operations] of [
      [tcp, 1],
      [pair[0], 0],
    ] as const) {
      const ring = new Ring(4, 8);
      const none = new Int32Array(1);
      const own = new OwnOperations(ring, { dataLo: none, dataHi: none, dataIndex: none });
      assert.notEqual(new Looks(own, fd, 3), null);
      assert.equal(ring.sq.pending, operations);
      ring.enter(0);
      assert.equal(ring.cq.ready(), ring.cq.head, 'the pause is not over at once');
      ring.close();
    }
    for (const fd of [tcp, ...pair]) closeSync(fd);
    server.close();
  });
});

function connecting(server: Server): number {
  const { port } = server.address() as AddressInfo;
  return startConnecting({ family: 'ip', address: Uint8Array.of(127, 0, 0, 1), port }, LIMITS);
}
