/** Makes the data path of a device from its name. */
import type { Ring } from '../../native/ring/ring.ts';
import type { CharDevice } from '../char-device.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Slots } from '../slots.ts';
import type { ThreadConfig } from '../thread-config.ts';
import { AutoBufferPath } from './auto-buffer.ts';
import { CopyPath } from './copy.ts';
import type { DataPath } from './data-path.ts';
import { UserCopyPath } from './user-copy.ts';
import { ZeroCopyPath } from './zero-copy.ts';

export interface PathParts {
  readonly ring: Ring;
  readonly slots: Slots;
  /** The slots that this thread serves. */
  readonly mine: readonly number[];
  readonly device: CharDevice;
  readonly delivery: Delivery;
}

export function createDataPath(config: ThreadConfig, parts: PathParts): DataPath {
  const { ring, slots, mine, device, delivery } = parts;
  switch (config.spec.dataPath) {
    case 'copy':
    case 'get_data':
      return new CopyPath(slots);
    case 'user_copy':
      return new UserCopyPath(ring, slots, device, delivery, config.spec.integrity?.metadataSize ?? 0);
    case 'zero_copy':
      return new ZeroCopyPath(ring, slots, mine, device);
    case 'auto_zc':
      return new AutoBufferPath(slots, mine, null);
    case 'auto_zc_fallback':
      return new AutoBufferPath(slots, mine, new ZeroCopyPath(ring, slots, mine, device));
    default:
      throw new TypeError(`no data path is named ${String(config.spec.dataPath satisfies never)}`);
  }
}
