/** The two ways in which a user adds, recovers and deletes a device: by commands and by the library. */
import type { DeviceReport } from '../../src/device/report/report.ts';
import { library } from '../guest/library.ts';
import { LONGEST_MS, succeeds, within } from './command.ts';
import type { Policy, Round } from './plan.ts';
import { SERVER } from './resident.ts';
import { optionsOf, wordsOf } from './storage.ts';

export interface Caller {
  readonly add: (round: Round, files: readonly string[]) => Promise<DeviceReport>;
  readonly recover: (id: number) => Promise<void>;
  readonly del: (id: number) => Promise<void>;
}

export function callerOf({ byCommands }: Round): Caller {
  return byCommands ? COMMANDS : LIBRARY;
}

const COMMANDS: Caller = {
  add: async (round, files) => {
    const { target, isResident, dataPath, queues, depth, policy } = round;
    const server = isResident ? `--server=${SERVER}` : '';
    const device = `-t ${target} -q ${queues} -d ${depth} --data_path ${dataPath} ${policy} ${server}`;
    const words = `add ${device} --json ${wordsOf(round, files)}`;
    const made: { device: DeviceReport } = JSON.parse(await succeeds(words.trim().replace(/ +/g, ' ')));
    return made.device;
  },
  recover: async (id) => void (await succeeds(`recover -n ${id}`)),
  del: async (id) => void (await succeeds(`del -n ${id}`)),
};

const LIBRARY: Caller = {
  add: (round, files) => {
    const { target, isResident, dataPath, queues, depth, policy } = round;
    const server = isResident ? { server: SERVER } : {};
    const device = { target, dataPath, queues, depth, features: FEATURES[policy], ...server };
    return within(LONGEST_MS, 'addDevice', library.addDevice({ ...device, ...optionsOf(round, files) }));
  },
  recover: async (id) => void (await within(LONGEST_MS, 'recoverDevice', library.recoverDevice(id, {}))),
  del: (id) => within(LONGEST_MS, 'deleteDevice', library.deleteDevice(id)),
};

const FEATURES = {
  '': [],
  '-r 1': ['USER_RECOVERY'],
  '-r 1 -i 1': ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'],
  '-r 1 -e 1': ['USER_RECOVERY', 'USER_RECOVERY_FAIL_IO'],
} as const satisfies Record<Policy, readonly string[]>;
