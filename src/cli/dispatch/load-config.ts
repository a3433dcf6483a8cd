/** What oclif knows of all commands, from oclif.manifest.json: for help, the documents and the completions. */
import { Config } from '@oclif/core/config';
import { packagePath } from '../../package-root.ts';

export function loadManifest(): Promise<Config> {
  return Config.load({ root: packagePath() });
}
