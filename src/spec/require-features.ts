import { UblkError } from '../errors.ts';
import { UBLK_FEATURES } from '../native/uapi/ublk-features.ts';

/**
 * Refuses what the kernel's driver does not have. `features` are names without UBLK_F_, `available` what GET_FEATURES
 * said. Asked for all the same, the driver would drop the bits without a word.
 */
export function requireFeatures(features: readonly string[], available: bigint): void {
  for (const name of features) {
    const feature = UBLK_FEATURES.find((known) => known.name === `UBLK_F_${name}`);
    if (feature === undefined || (available & feature.flag) !== 0n) continue;
    throw new UblkError(`this kernel's ublk driver has no ${feature.name}`, {
      code: 'EOPNOTSUPP',
      kind: 'unsupported',
      command: 'ADD_DEV',
      hint: `it is in Linux ${feature.since} and newer; \`ublkts features\` shows what is here`,
    });
  }
}
