/** The target's own options of a device that is recovered. */
import type { TargetTraits } from '../../spec/target-traits.ts';

type Options = Readonly<Record<string, string>>;

/**
 * The options that the device had, with those that are named now in their place. An option that is named also takes away
 * those that cannot be there with it.
 */
export function optionsWith(
  had: Options,
  named: Options,
  { displaces = {} }: Pick<TargetTraits, 'displaces'>,
): Options {
  const gone = new Set(Object.keys(named).flatMap((name) => displaces[name] ?? []));
  return { ...Object.fromEntries(Object.entries(had).filter(([name]) => !gone.has(name))), ...named };
}
