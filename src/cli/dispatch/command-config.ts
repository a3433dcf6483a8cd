/**
 * The configuration that a running command gets. oclif loads one for each run, which sorts and links every command of
 * the manifest and takes 15 ms of CPU time; a command uses only what is here (docs/decisions/0015).
 */
import type { Config } from '@oclif/core/config';
import type { Hook } from '@oclif/core/interfaces';

export function commandConfig(): Config {
  const used: Pick<Config, 'bin' | 'runHook' | 'scopedEnvVarKey'> = { bin: 'ublkts', runHook, scopedEnvVarKey };
  return used as Config;
}

/** This program has no plugins and no hooks. */
function runHook(): Promise<Hook.Result<never>> {
  return Promise.resolve({ successes: [], failures: [] });
}

function scopedEnvVarKey(name: string): string {
  return `UBLKTS_${name}`;
}
