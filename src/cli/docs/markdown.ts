/** Writes docs/commands.md. */
import { ERROR_CODE_MEANINGS } from '../failures/error-codes.ts';
import { EXIT_CODE_MEANINGS } from '../failures/exit-codes.ts';
import { type CommandDoc, type FlagDoc, flagSynopsis, ownFlags, sharedFlags } from './model.ts';

export function markdownOf(commands: readonly CommandDoc[]): string {
  const index = commands.map(({ name, summary }) => `- [\`${name}\`](#${name.replaceAll(' ', '-')}): ${summary}`);
  return [
    '# Commands',
    '',
    '<!-- Written by `npm run docs` from the commands themselves. -->',
    '',
    'Names with an underscore may be written with a hyphen, and the other way round. A device is `0`, `ublkb0`,',
    '`/dev/ublkb0` or `/dev/ublkc0`. A size is `512`, `4k`, `64KiB`, `1G`, `1.5T`: K and KiB are 1024, KB is 1000.',
    '',
    ...index,
    '',
    '## Every command',
    '',
    ...table('flag', sharedFlags(commands).map(flagRow)),
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXIT_CODE_MEANINGS.map(([exitCode, meaning]) => `| ${exitCode} | ${meaning} |`),
    '',
    '## Errors in JSON',
    '',
    'With `--json`, a command that fails prints `{"version": 1, "error": {...}}` on stdout. The error has `message` and `hint`, which are for people and change; `code`; `command`, the system call or the command of the driver that',
    'has failed; and `device`, the id of the device that it is about. A field without a value is null. `code` is the name of an errno (`EBUSY`), or one of these words. An error of the library has the same `code`.',
    '',
    '`del`, `recover -a` and `list` act on one device after the other. What they print with `--json` has a field `failed` beside their results: an array of such errors, one for each device that failed. `list` has it only when',
    'a device that was named is not there. The exit code is 64 when some devices failed, and others did not.',
    '',
    ...table(
      'code',
      ERROR_CODE_MEANINGS.map(([word, meaning]) => [code(word), meaning]),
    ),
    ...commands.flatMap(section),
  ].join('\n');
}

function section(command: CommandDoc): string[] {
  const { name, aliases, summary, description, usage, args, examples } = command;
  return [
    `## ${name}`,
    '',
    summary,
    '',
    ...(description === '' ? [] : [description, '']),
    ...fence('', [usage]),
    ...(aliases.length === 0 ? [] : [`Also ${aliases.map(code).join(', ')}.`, '']),
    ...table(
      'argument',
      args.map((arg) => [code(arg.name), arg.description]),
    ),
    ...ownFlags(command).flatMap(([group, flags]) => table(group.toLowerCase(), flags.map(flagRow))),
    ...(examples.length === 0 ? [] : fence('sh', examples)),
  ];
}

function flagRow(flag: FlagDoc): [string, string] {
  const notes = [flag.required && 'Required.', flag.multiple && 'May be repeated.'].filter((note) => note !== false);
  return [code(flagSynopsis(flag)), [flag.summary, ...notes.filter((note) => !alreadySaid(flag, note))].join(' ')];
}

function alreadySaid({ summary }: FlagDoc, note: string): boolean {
  return summary.toLowerCase().includes(note.toLowerCase().slice(0, -1));
}

function table(heading: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return [];
  return [`| ${heading} | |`, '|---|---|', ...rows.map(([what, text]) => `| ${cell(what)} | ${cell(text)} |`), ''];
}

function fence(language: string, lines: readonly string[]): string[] {
  return [`\`\`\`${language}`, ...lines, '```', ''];
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
