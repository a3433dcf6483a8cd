/** Plays one round: a device, a client, a misfortune, a remedy, and a look at what is left. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceReport } from '../../src/device/report.ts';
import { KernelLog } from '../guest/kernel-log.ts';
import { library } from '../guest/library.ts';
import { leftovers } from '../guest/leftovers.ts';
import { startVerifier, type Verifier } from '../guest/start-verifier.ts';
import { tidied } from '../guest/tidied.ts';
import type { Verdict } from '../guest/verifier.ts';
import { type Backing, makeBacking } from './backing.ts';
import { succeeds, within } from './command.ts';
import { stateOf } from './device.ts';
import { deleteDevice, endDevice } from './endings.ts';
import { befall } from './misfortunes.ts';
import { BLOCKS, hasData, mayFail, type Round } from './plan.ts';

const EXPECTED = '/tmp/chaos-expected.json';
const CLIENT_MS = 60_000;
/** In an emulated guest, a client that never rests would make every command slow, and its server even more so. */
const CLIENT_NICENESS = 19;
const CLIENT_PAUSE_MS = 20;

/** Throws what went wrong. */
export async function playRound(round: Round): Promise<void> {
  const log = new KernelLog();
  const backing = makeBacking(round);
  await tidied(
    async () => {
      try {
        await live(round, backing);
        if (hasData(round)) await readAgain(round, backing);
      } catch (error) {
        await library.deleteAllDevices({ force: true });
        throw error;
      }
    },
    () => {
      rmSync(EXPECTED, { force: true });
      backing.remove();
    },
  );
  const left = [...(await leftovers()), ...log.complaints()];
  if (left.length > 0) throw new Error(`left behind: ${left.join('; ')}`);
}

async function live(round: Round, backing: Backing): Promise<void> {
  const device = await add(round, backing);
  const pause = ['--pause', String(CLIENT_PAUSE_MS)];
  const options = ['--expected', EXPECTED, ...pause, ...(hasData(round) ? [] : ['--blind'])];
  const client = await startVerifier(device.path, BLOCKS, options, CLIENT_NICENESS);
  let deleted: Promise<void> | undefined;
  try {
    await sleep(round.calmMs);
    const bereft = await befall({ round, device, backing });
    if (bereft && round.policy !== '' && round.recovers) await recover(device);
    // A device is not gone while the client has it open, so both end together.
    else if (bereft) deleted = deleteDevice(device);
    const [verdict] = await Promise.all([within(CLIENT_MS, 'the client', client.stop()), deleted]);
    judge(verdict, round);
  } finally {
    client.kill();
  }
  if (deleted === undefined) await endDevice(device, round.misfortune);
}

async function recover({ id }: DeviceReport): Promise<void> {
  await succeeds(`recover -n ${id}`);
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

/** Every write that was acknowledged is in the files, whatever became of the device. */
async function readAgain(round: Round, backing: Backing): Promise<void> {
  const { target, queues, depth } = round;
  const { files } = backing;
  const device = await library.addDevice({ ...library.ADD_DEFAULTS, target, queues, depth, files });
  let reader: Verifier | undefined;
  try {
    reader = await startVerifier(device.path, BLOCKS, ['--check', '--expected', EXPECTED]);
    const { wrong, failures } = await within(CLIENT_MS, 'reading again', reader.stop());
    if (wrong.length + failures.length > 0) {
      throw new Error(`after the device: ${failures.length} reads failed, ${wrong.slice(0, 3).join('; ')}`);
    }
  } finally {
    reader?.kill();
    await library.deleteDevice(device.id);
  }
}

async function add(round: Round, { files }: Backing): Promise<DeviceReport> {
  const { target, dataPath, queues, depth, policy } = round;
  const words = `add -t ${target} -q ${queues} -d ${depth} --data_path ${dataPath} ${policy} --json ${files.join(' ')}`;
  const { device }: { device: DeviceReport } = JSON.parse(await succeeds(words.trim().replace(/ +/g, ' ')));
  return device;
}
