/** The completion scripts. The shell reads the devices from sysfs, because starting Node for every Tab would be slow. */
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import type { ProgramDoc } from './model.ts';
import type { Shell } from './shells.ts';
import { zshCompletion } from './zsh.ts';

const WRITERS: Readonly<Record<Shell, (program: ProgramDoc) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function completionScript(shell: Shell, program: ProgramDoc): string {
  return WRITERS[shell](program);
}
