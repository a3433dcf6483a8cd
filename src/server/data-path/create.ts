/** The data path by its name: the one place that knows them all. */
import type { Ring } from '../../native/ring/ring.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';
import type { ThreadConfig } from '../thread-config.ts';
import { CopyPath } from './copy.ts';
import type { DataPath } from './data-path.ts';

/** What a path calls when the data of a request has come: QueueThread. */
export interface Dispatcher {
  dispatch(slot: number): void;
}

export interface PathParts {
  readonly ring: Ring;
  readonly slots: Slots;
  readonly device: CharDevice;
  readonly thread: Dispatcher;
}

export function createDataPath(config: ThreadConfig, parts: PathParts): DataPath {
  switch (config.dataPath) {
    case 'copy':
    case 'get_data':
      return new CopyPath(parts.slots);
    default:
      throw new Error(`no data path is called ${config.dataPath}`);
  }
}
