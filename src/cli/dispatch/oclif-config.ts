/** oclif's own, fully loaded configuration: help, the documents and the completions need it. */
import { Config } from '@oclif/core/config';
import { packagePath } from '../../package-root.ts';

export function loadOclifConfig(): Promise<Config> {
  return Config.load({ root: packagePath() });
}
