/** Help about one target: `ublkts add -t ./ram.ts --help` ends with what this target is and the options it has. */
import { UblkError } from '../../errors.ts';
import { findTarget, targetReference } from '../../targets/find.ts';
import { escapeControls } from '../../text/escape.ts';
import { type FlagShapes, normaliseArgv } from '../argv/normalise.ts';

/** The target that the words behind a command name with -t or --type, however they are joined; null when they name none. */
export function namedTarget(argv: readonly string[], flags: FlagShapes): string | null {
  try {
    const words = normaliseArgv(
      argv.filter((word) => word !== '--help' && word !== '-h'),
      flags,
    );
    const at = words.findIndex((word) => word === '-t' || word === '--type');
    return at < 0 ? null : (words[at + 1] ?? null);
  } catch (error) {
    // A flag that there is not: the help of the command says which there are.
    if (error instanceof UblkError) return null;
    throw error;
  }
}

/** Throws a UblkError when there is no such target, or its file cannot be loaded. */
export async function targetHelp(name: string): Promise<string> {
  const { summary, options, files } = await findTarget(await targetReference(name));
  const rows = Object.entries(options).map(([option, meaning]) => [`-o ${option}=VALUE`, meaning] as const);
  const width = Math.max(0, ...rows.map(([flag]) => flag.length));
  const lines = rows.map(([flag, meaning]) => `  ${flag.padEnd(width)}  ${escapeControls(meaning)}`);
  const takes =
    files.max === 0 ? [] : [`  FILES: ${files.min === files.max ? files.min : `${files.min} to ${files.max}`}`];
  const body = [...lines, ...takes];
  const text = [
    `TARGET ${escapeControls(name)}: ${escapeControls(summary)}`,
    ...(body.length > 0 ? body : ['  It has no options.']),
  ];
  return `\n${text.join('\n')}\n`;
}
