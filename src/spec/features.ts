/**
 * The features of a ublk device as a closed, typed set: the driver's UBLK_F_* bits by their names without the prefix.
 * A set keeps bits that this program does not know, because the driver of a newer kernel may report them.
 */
import { usageError } from '../errors.ts';
import { UBLK_FEATURES, type UblkFeature } from '../native/uapi/ublk-features.ts';

type Unprefixed<Name> = Name extends `UBLK_F_${infer Rest}` ? Rest : never;

/** The name of a feature that Linux 7.3 has, without UBLK_F_. */
export type Feature = Unprefixed<(typeof UBLK_FEATURES)[number]['name']>;

const BY_NAME: ReadonlyMap<string, UblkFeature> = new Map(
  UBLK_FEATURES.map((feature) => [feature.name.slice('UBLK_F_'.length), feature]),
);

/** Every known name, in bit order. */
export const FEATURE_NAMES = [...BY_NAME.keys()] as readonly Feature[];

export class FeatureSet {
  static readonly none = new FeatureSet(0n);
  /** Every feature that this program knows. */
  static readonly all = FeatureSet.of(...FEATURE_NAMES);

  /** The bits, as ADD_DEV takes them and GET_FEATURES reports them. */
  readonly flags: bigint;

  private constructor(flags: bigint) {
    this.flags = flags;
  }

  static of(...names: readonly Feature[]): FeatureSet {
    return new FeatureSet(names.reduce((flags, name) => flags | describeFeature(name).flag, 0n));
  }

  static fromFlags(flags: bigint): FeatureSet {
    return new FeatureSet(flags);
  }

  /** Names from outside the type system; an unknown one is refused in a sentence. */
  static parse(names: readonly string[]): FeatureSet {
    for (const name of names) {
      if (isFeature(name)) continue;
      throw usageError(
        [`ublk has no feature named ${JSON.stringify(name)} (in `, { option: 'features' }, ')'],
        `the features are ${FEATURE_NAMES.join(', ')}`,
      );
    }
    return FeatureSet.of(...names.filter(isFeature));
  }

  has(name: Feature): boolean {
    return (this.flags & describeFeature(name).flag) !== 0n;
  }

  hasAll(names: readonly Feature[]): boolean {
    return names.every((name) => this.has(name));
  }

  with(...names: readonly Feature[]): FeatureSet {
    return new FeatureSet(this.flags | FeatureSet.of(...names).flags);
  }

  without(...names: readonly Feature[]): FeatureSet {
    return new FeatureSet(this.flags & ~FeatureSet.of(...names).flags);
  }

  /** The known names in the set, in bit order. */
  names(): Feature[] {
    return FEATURE_NAMES.filter((name) => this.has(name));
  }
}

function isFeature(name: string): name is Feature {
  return BY_NAME.has(name);
}

/** The driver's own facts about a feature: its bit, its full name, the first Linux that has it. */
export function describeFeature(name: Feature): UblkFeature {
  const feature = BY_NAME.get(name);
  if (feature === undefined) throw new RangeError(`ublk has no feature named ${name}`);
  return feature;
}
