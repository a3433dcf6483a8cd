/** The kernel's namespaces that decide what a name leads to. */
import { readlinkSync } from 'node:fs';

/** `mnt`: to which file a path leads; `net`: to which machine an address does. */
export type Namespace = 'mnt' | 'net';

/** Names the namespace that this process is in: `mnt:[4026531841]`. */
export function currentNamespace(kind: Namespace): string {
  return readlinkSync(`/proc/self/ns/${kind}`);
}
