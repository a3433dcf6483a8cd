import { OPTIONAL_NAME } from '../argv/normalise.ts';
import { targetNames } from '../../targets/registry.ts';
import type { CommandDoc, Completion, FlagDoc } from './model.ts';
import { firstWords, spellings, topics } from './words.ts';

export function fishCompletion(commands: readonly CommandDoc[]): string {
  const nested = topics(commands);
  const single = commands.filter(({ name }) => !name.includes(' '));
  const first = single.flatMap((command) =>
    spellings(command).map((typed) => word('__fish_use_subcommand', typed, command.summary)),
  );
  const topicLines = [...nested].flatMap(([topic, members]) => [
    word('__fish_use_subcommand', topic, `${topic} commands`),
    ...members.map(({ name, summary }) =>
      word(
        `__fish_seen_subcommand_from ${topic}; and test (count (commandline -opc)) -eq 2`,
        name.split(' ')[1] ?? '',
        summary,
      ),
    ),
  ]);
  return `# fish completion of ublkts; \`ublkts completion fish\` writes it
function __ublkts_devices
    for device in /sys/class/ublk-char/ublkc*
        string replace --regex '.*/ublkc' '' $device
    end
end

complete -c ublkts -f
${[...first, ...topicLines, ...helpLines(commands), ...commands.flatMap(commandLines)].join('\n')}
`;
}

function helpLines(commands: readonly CommandDoc[]): string[] {
  const words = quote(firstWords(commands).join(' '));
  return [
    word('__fish_use_subcommand', 'help', 'Show the help of a command.'),
    `complete -c ublkts -n 'test (count (commandline -opc)) -eq 2; and __fish_seen_subcommand_from help' -a ${words}`,
  ];
}

function commandLines(command: CommandDoc): string[] {
  const [topic = '', second] = command.name.split(' ');
  const condition =
    second === undefined
      ? `__fish_seen_subcommand_from ${spellings(command).join(' ')}`
      : `__fish_seen_subcommand_from ${topic}; and __fish_seen_subcommand_from ${second}`;
  const last = command.args.findLast(({ completion }) => completion.kind !== 'anything');
  const words = last === undefined ? '' : values(last.completion);
  return [
    ...command.flags.map((flag) => flagLine(condition, flag)),
    ...(words === '' ? [] : [`complete -c ublkts -n ${quote(condition)} ${words}`]),
  ];
}

function flagLine(condition: string, { char, name, summary, value, completion }: FlagDoc): string {
  const names = char === undefined ? `-l ${name}` : `-s ${char} -l ${name}`;
  // -x: the value and nothing else; without it fish adds the files of the directory.
  const needs = ['target', 'file', 'directory'].includes(completion.kind) ? '-r' : '-x';
  // fish takes the next word for the value of a flag with -x or -r, and this one has its value behind an equals sign.
  const argument =
    value === undefined || value === OPTIONAL_NAME ? '' : ` ${[needs, values(completion)].join(' ').trim()}`;
  return `complete -c ublkts -n ${quote(condition)} ${names}${argument} -d ${quote(summary)}`;
}

function word(condition: string, typed: string, summary: string): string {
  return `complete -c ublkts -n ${quote(condition)} -a ${typed} -d ${quote(summary)}`;
}

function values(completion: Completion): string {
  switch (completion.kind) {
    case 'words':
      return `-a ${quote(completion.words.join(' '))}`;
    case 'device':
      return "-a '(__ublkts_devices)'";
    case 'target':
      return `-F -a ${quote(targetNames().join(' '))}`;
    case 'file':
      return '-F';
    case 'directory':
      return "-a '(__fish_complete_directories)'";
    default:
      return '';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
