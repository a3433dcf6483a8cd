/** Servers that are killed under I/O: what each recovery policy lets a client see, and that no acknowledged write is lost. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Feature } from '../../../src/spec/features.ts';
import type { AddOptions } from '../../../src/spec/options.ts';
import type { Failure } from '../../../tools/guest/verifier.ts';
import { startVerifier } from '../../../tools/guest/start-verifier.ts';
import { describeDevice } from '../guest.ts';
import { killServer, until, withServed } from './devices.ts';
import { library } from './library.ts';
import { LONG } from './long.ts';

/** How often a server is killed. */
export const KILLS = LONG ? 10 : 1;

interface Outage {
  readonly killed: number;
  readonly recovered: number;
}

/** The features it takes, the errors it makes, and whether a failure may be. */
export interface Policy {
  readonly features: readonly Feature[];
  readonly codes: readonly string[];
  readonly allows: (failure: Failure, outage: Outage) => boolean;
}

export const POLICIES = {
  plain: {
    features: ['USER_RECOVERY'],
    codes: ['EIO'],
    // What the dead server had fails; what comes later waits.
    allows: (failure: Failure, outage: Outage) => failure.issued <= outage.killed + 500,
  },
  'fail I/O (-e)': {
    features: ['USER_RECOVERY', 'USER_RECOVERY_FAIL_IO'],
    // EREMOTEIO is BLK_STS_TARGET: there is no server.
    codes: ['EIO', 'EREMOTEIO'],
    allows: () => true,
  },
  'reissue (-i)': { features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'], codes: [], allows: () => false },
} as const satisfies Readonly<Record<string, Policy>>;

/** Kills the server of a new device `kills` times while a client writes and verifies, and recovers it each time. */
export async function surviveKills(
  device: Partial<AddOptions> & { target: string },
  { features, codes, allows }: Policy,
  kills: number,
): Promise<void> {
  await withServed({ ...device, features }, async ({ id, path }) => {
    const verifier = await startVerifier(path, 512);
    await until('the client has written', async () => (await requestsOf(id)) > 200);
    const outages: Outage[] = [];
    for (let kill = 0; kill < kills; kill++) {
      await sleep(500);
      await killServer(id);
      const killed = Date.now();
      const { state: left } = await describeDevice(id);
      assert.equal(left, features.includes('USER_RECOVERY_FAIL_IO') ? 'FAIL_IO' : 'QUIESCED');
      const { state, ublksrv_pid: pid } = await library.recoverDevice(id, {});
      assert.equal(state, 'LIVE');
      assert.ok(pid > 0);
      outages.push({ killed, recovered: Date.now() });
    }
    await sleep(500);
    const { writes, reads, failures, wrong } = await verifier.stop();
    assert.deepEqual(wrong, []);
    assert.ok(writes > 50 && reads > 50, `${writes} writes, ${reads} reads`);
    for (const failure of failures) {
      const outage = outages.find(({ recovered }) => failure.issued <= recovered);
      assert.ok(outage !== undefined && codes.includes(failure.code), JSON.stringify(failure));
      assert.ok(failure.failed >= outage.killed - 2000, 'while there was a server');
      assert.ok(allows(failure, outage), `${JSON.stringify(failure)} in ${JSON.stringify(outage)}`);
    }
  });
}

/** Reads and writes that the server has answered. */
export async function requestsOf(id: number): Promise<number> {
  const { io } = await describeDevice(id);
  return (io?.matched.requests ?? 0) + (io?.copied.requests ?? 0) + (io?.registered.requests ?? 0);
}
