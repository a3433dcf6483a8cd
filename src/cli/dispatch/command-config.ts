/**
 * What a running command wants of oclif's configuration. A loaded one has also read, sorted and linked every command of the
 * manifest: two thirds of a short command's time (docs/decisions/0009).
 */
import { Config } from '@oclif/core/config';
import type { Hook } from '@oclif/core/interfaces';
import { packagePath } from '../../package-root.ts';

export class CommandConfig extends Config {
  override bin = 'ublkts';

  constructor() {
    super({ root: packagePath() });
  }

  /** This program has no plugins, and nobody else's hooks. */
  override runHook(): Promise<Hook.Result<never>> {
    return Promise.resolve({ successes: [], failures: [] });
  }
}
