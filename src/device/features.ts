/** The features of the driver, bit by bit; bits that are newer than this program are among them. */
import { withControl } from '../control/channel.ts';
import { getFeatures as query } from '../control/commands.ts';
import { UBLK_FEATURES } from '../native/uapi/ublk-features.ts';

export interface FeatureBit {
  readonly bit: number;
  /** `UBLK_F_...`, or null for a bit that is newer than this program. */
  readonly name: string | null;
}

export interface Features {
  /** UBLK_F_* bits, 64 of them. */
  readonly features: bigint;
  /** The bits that are set, from the lowest on. */
  readonly bits: FeatureBit[];
}

/** Resolves to the features that this kernel's driver has. Throws a UblkError of kind `unsupported` where there is no driver. */
export async function getFeatures(): Promise<Features> {
  const features = await withControl(query);
  return { features, bits: bitsOf(features) };
}

export function bitsOf(flags: bigint): FeatureBit[] {
  const bits: FeatureBit[] = [];
  for (let bit = 0; bit < 64; bit++) {
    if (((flags >> BigInt(bit)) & 1n) === 0n) continue;
    bits.push({ bit, name: UBLK_FEATURES.find((feature) => feature.bit === bit)?.name ?? null });
  }
  return bits;
}
