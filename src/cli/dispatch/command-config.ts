/**
 * The configuration that a running command gets. oclif loads one for each run, which sorts and links every command of
 * the manifest and takes 15 ms of CPU time; a command uses only what is here (docs/decisions/0009).
 */
import { Config } from '@oclif/core/config';
import type { Hook } from '@oclif/core/interfaces';
import { packagePath } from '../../package-root.ts';

export class CommandConfig extends Config {
  override bin = 'ublkts';

  constructor() {
    super({ root: packagePath() });
  }

  /** This program has no plugins and no hooks. */
  override runHook(): Promise<Hook.Result<never>> {
    return Promise.resolve({ successes: [], failures: [] });
  }
}
