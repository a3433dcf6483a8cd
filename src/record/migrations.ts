/**
 * Records of earlier versions, made into today's. A server of an earlier version may still be serving when the program
 * is updated, and its device must be listed, recovered and deleted all the same. Only root writes the file, so that its
 * version says what is in it.
 */
import { type DataPathName, DATA_PATHS } from '../spec/data-paths.ts';
import { FeatureSet } from '../spec/features.ts';
import { ADD_DEFAULTS, type AddOptions } from '../spec/options.ts';
import { decide } from '../spec/decide.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import type { DeviceRecord, StoredBuffer } from './device-record.ts';

/** Returns null for what is not a record, and for a record of a newer version. */
export function migrate(value: unknown): DeviceRecord | null {
  if (typeof value !== 'object' || value === null || !('version' in value)) return null;
  if (value.version === 2) return withYounger(value as DeviceRecord);
  return value.version === 1 ? fromVersion1(value as RecordVersion1) : null;
}

/** The values that options have in records of version 2 that are older than these options. */
const YOUNGER = { server: null, share: false } as const satisfies Partial<DeviceSpec>;

function withYounger(record: DeviceRecord): DeviceRecord {
  return { ...record, spec: { ...YOUNGER, ...record.spec } };
}

/** The record of 0.1.0: its `options` had the features of the chosen data path among those that were asked for. */
interface RecordVersion1 {
  readonly version: 1;
  readonly id: number;
  readonly options: AddOptions;
  readonly dataPath: string;
  readonly serverPid: number;
  readonly previousPid?: number;
  readonly generation: number;
  readonly recorded: boolean;
  readonly buffers: readonly StoredBuffer[];
  readonly unsettled: number | null;
  readonly ended: { readonly at: string; readonly reason: string } | null;
}

const STOPPED = 'the device was stopped';

function fromVersion1(old: RecordVersion1): DeviceRecord {
  const { id, options, generation, recorded, buffers, unsettled } = old;
  return {
    version: 2,
    id,
    options,
    // The options that have been added since are as they are by default.
    spec: decide({ ...ADD_DEFAULTS, ...options }, NO_PREFERENCE, FeatureSet.none),
    server: identity(old.serverPid),
    previous: identity(old.previousPid ?? -1),
    generation,
    recorded,
    buffers,
    unsettled,
    ended: old.ended === null ? null : endingOf(old.ended),
  };
}

/** The path was chosen before the record was written: features that name none meant `copy`. */
const NO_PREFERENCE: { readonly prefers: readonly DataPathName[] } = { prefers: [DATA_PATHS.copy.name] };

function identity(pid: number): DeviceRecord['server'] {
  return pid > 0 ? { pid, startTime: null } : null;
}

function endingOf({ at, reason }: { readonly at: string; readonly reason: string }): DeviceRecord['ended'] {
  return reason === STOPPED ? { at, reason: 'stopped', message: null } : { at, reason: 'failed', message: reason };
}
