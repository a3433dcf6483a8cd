import { OPTIONAL_NAME } from '../argv/normalise.ts';
import { targetNames } from '../../targets/registry.ts';
import type { CommandDoc, Completion, FlagDoc, ProgramDoc } from './model.ts';
import { firstWords, secondWord, spellings } from './words.ts';

export function fishCompletion({ commands, topics }: ProgramDoc): string {
  const single = commands.filter(({ name }) => !name.includes(' '));
  const first = single.flatMap((command) =>
    spellings(command).map((typed) => word('__fish_use_subcommand', typed, command.summary)),
  );
  const topicLines = topics.flatMap(({ name, summary, members }) => [
    word('__fish_use_subcommand', name, summary),
    ...members.map((command) => word(`__ublkts_last_word_is ${name}`, secondWord(command), command.summary)),
  ]);
  return `# fish completion of ublkts; \`ublkts completion fish\` writes it
function __ublkts_devices
    for device in /sys/class/ublk-char/ublkc*
        string replace --regex '.*/ublkc' '' $device
    end
end

# The word before the one that is typed: behind \`ublkts\`, or behind \`ublkts help\`.
function __ublkts_last_word_is
    set -l words (commandline -opc)
    test (count $words) -eq 2; or begin
        test (count $words) -eq 3; and test $words[2] = help
    end
    and test $words[-1] = $argv[1]
end

# Flags are offered with underscores, and with hyphens too once one is typed.
function __ublkts_has_hyphens
    string match --quiet --regex -- '\\s--[a-z]+-' (commandline -cp)
end

# The program behind \`--\` and its words, which are completed as on a command line of their own.
function __ublkts_program
    set -l words (commandline -opc)
    set -l dashes (contains --index -- -- $words)
    or return 1
    test "$argv" = --exists; and return
    set -e words[1..$dashes]
    complete --do-complete (string join -- ' ' (string escape -- $words (commandline -ct)))
end

complete -c ublkts -f
${[...first, ...topicLines, ...helpLines(commands), ...commands.flatMap(commandLines)].join('\n')}
`;
}

function helpLines(commands: readonly CommandDoc[]): string[] {
  const words = quote(firstWords(commands).join(' '));
  return [
    word('__fish_use_subcommand', 'help', 'Show the help of a command.'),
    `complete -c ublkts -n '__ublkts_last_word_is help' -a ${words}`,
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
    ...command.flags.flatMap((flag) => flagLines(condition, flag)),
    ...(words === '' ? [] : [`complete -c ublkts -n ${quote(condition)} ${words}`]),
    ...(command.takesProgram ? [programLine(condition)] : []),
  ];
}

function programLine(condition: string): string {
  return `complete -c ublkts -n ${quote(`__ublkts_program --exists; and ${condition}`)} -a '(__ublkts_program)'`;
}

function flagLines(condition: string, { char, name, summary, value, completion }: FlagDoc): string[] {
  // -x: the value and nothing else; without it fish adds the files of the directory.
  const needs = ['target', 'file', 'directory'].includes(completion.kind) ? '-r' : '-x';
  // fish takes the next word for the value of a flag with -x or -r, and this one has its value behind an equals sign.
  const argument =
    value === undefined || value === OPTIONAL_NAME ? '' : ` ${[needs, values(completion)].join(' ').trim()}`;
  const line = (when: string, names: string) =>
    `complete -c ublkts -n ${quote(when)} ${names}${argument} -d ${quote(summary)}`;
  const lines = [line(condition, char === undefined ? `-l ${name}` : `-s ${char} -l ${name}`)];
  if (name.includes('_')) lines.push(line(`__ublkts_has_hyphens; and ${condition}`, `-l ${name.replaceAll('_', '-')}`));
  return lines;
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
