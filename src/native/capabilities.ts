/** Reads which capabilities this process has (capabilities(7)). */
import { readFileSync } from 'node:fs';

const BITS = { CAP_IPC_LOCK: 14, CAP_SYS_ADMIN: 21 } as const;

/** Whether the capability is in effect. */
export function hasCapability(name: keyof typeof BITS): boolean {
  const mask = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) & (1n << BigInt(BITS[name]))) !== 0n;
}
