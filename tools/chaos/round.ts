/** Plays one round: a device, a client, a misfortune, a remedy, and a look at what is left. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceReport } from '../../src/device/report/report.ts';
import { KernelLog } from '../guest/kernel-log.ts';
import { library } from '../guest/library.ts';
import { leftovers } from '../guest/leftovers.ts';
import { type IdleVerifier, prepareVerifier } from '../guest/start-verifier.ts';
import { tidied } from '../guest/tidied.ts';
import type { Verdict } from '../guest/verifier.ts';
import { type Backing, makeBacking } from './backing.ts';
import { type Caller, callerOf } from './callers.ts';
import { within } from './command.ts';
import { stateOf } from './device.ts';
import { endDevice } from './endings.ts';
import { checkFiles } from './files.ts';
import { befall } from './misfortunes.ts';
import { BLOCKS, hasData, hasFiles, mayFail, type Round } from './plan.ts';
import { endResident, startResident } from './resident.ts';
import type { Stopwatch } from './stopwatch.ts';

const EXPECTED = '/tmp/chaos-expected.json';
const CLIENT_MS = 60_000;
/** In an emulated guest, a client that never rests would make every command slow, and its server even more so. */
const CLIENT_NICENESS = 19;
const CLIENT_PAUSE_MS = 20;

/** Throws what went wrong. */
export async function playRound(round: Round, watch: Stopwatch): Promise<void> {
  const log = new KernelLog();
  const client = prepareVerifier(BLOCKS, clientOptions(round), CLIENT_NICENESS);
  const backing = await watch.step('files', async () => makeBacking(round));
  await tidied(
    async () => {
      try {
        if (round.isResident) await watch.step('serve', startResident);
        await live(round, backing, client, watch);
        if (hasFiles(round)) await watch.step('read', async () => checkFiles(backing.files, EXPECTED));
      } catch (error) {
        client.kill();
        await library.deleteAllDevices({ force: true });
        throw error;
      }
    },
    async () => {
      client.kill();
      rmSync(EXPECTED, { force: true });
      if (round.isResident) await watch.step('unserve', endResident);
      backing.remove();
    },
  );
  const left = await watch.step('look', async () => [...(await leftovers()), ...log.complaints()]);
  if (left.length > 0) throw new Error(`left behind: ${left.join('; ')}`);
}

async function live(round: Round, backing: Backing, idle: IdleVerifier, watch: Stopwatch): Promise<void> {
  const caller = callerOf(round);
  const device = await watch.step('add', () => caller.add(round, backing.files));
  const client = await watch.step('client', () => idle.begin(device.path));
  await watch.step('calm', () => sleep(round.calmMs));
  const bereft = await watch.step('misfortune', () => befall({ round, device, backing }));
  let deleted: Promise<void> | undefined;
  if (bereft && round.policy !== '' && round.recovers) await watch.step('recover', () => recover(device, caller));
  // A device is not gone while the client has it open, so both end together.
  else if (bereft) deleted = caller.del(device.id);
  const stopped = within(CLIENT_MS, 'the client', client.stop());
  const [verdict] = await watch.step('stop', () => Promise.all([stopped, deleted]));
  judge(verdict, round);
  if (deleted === undefined) await watch.step('end', () => endDevice(device, round.misfortune, caller));
}

function clientOptions(round: Round): string[] {
  return ['--expected', EXPECTED, '--pause', String(CLIENT_PAUSE_MS), ...(hasData(round) ? [] : ['--blind'])];
}

async function recover({ id }: DeviceReport, caller: Caller): Promise<void> {
  await caller.recover(id);
  const state = await stateOf(id);
  if (state !== 'LIVE') throw new Error(`recover said it was done, and the device is ${state}`);
  await sleep(300);
}

function judge({ wrong, failures, writes }: Verdict, round: Round): void {
  if (wrong.length > 0) throw new Error(`${wrong.length} blocks are wrong: ${wrong.slice(0, 3).join('; ')}`);
  if (failures.length > 0 && !mayFail(round)) {
    const { op, code } = failures[0]!;
    throw new Error(`${failures.length} requests failed, the first a ${op} with ${code}`);
  }
  if (writes === 0) throw new Error('the client has written nothing');
}
