/** Whose a device is: ours, another program's, or unknown. Only root may ask the driver and read the record of a device. */
import type { DeviceSample } from '../sampling/sample.ts';

/** `unknown`: neither the driver nor a record could be read. */
export type Owner = 'ours' | 'another' | 'unknown';

export function ownerOf({ own, kernel }: Pick<DeviceSample, 'own' | 'kernel'>): Owner {
  if (own !== null) return 'ours';
  return kernel === null ? 'unknown' : 'another';
}

/** Says whose the device `name` is; null when it is ours. */
export function whyNotOurs({ owner, name }: { readonly owner: Owner; readonly name: string }): string | null {
  if (owner === 'ours') return null;
  return owner === 'another' ? `${name} is another program's` : `it is not known which program serves ${name}`;
}

/** The target; for a device that is not ours, the words that stand in its place. */
export function targetWords({ owner, target }: { readonly owner: Owner; readonly target: string | null }): string {
  return target ?? (owner === 'unknown' ? 'unknown target' : "another program's");
}
