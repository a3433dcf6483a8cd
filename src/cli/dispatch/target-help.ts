/** Help about one target: `ublkts add -t ./ram.ts --help` ends with what this target is and the options it has. */
import { findTarget, targetReference } from '../../targets/find.ts';
import { escapeControls } from '../../text/escape.ts';

/** The target that the words name with -t or --type; null when they name none. */
export function namedTarget(argv: readonly string[]): string | null {
  const at = argv.findIndex((word) => word === '-t' || word === '--type');
  if (at >= 0) return argv[at + 1] ?? null;
  const joined = argv.find((word) => word.startsWith('--type='));
  return joined?.slice('--type='.length) ?? null;
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
