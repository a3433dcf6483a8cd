import { targetNames } from '../../targets/registry.ts';
import type { CommandDoc, Completion } from './model.ts';
import { firstWords, flagWords, spellings, topics } from './words.ts';

export function bashCompletion(commands: readonly CommandDoc[]): string {
  const nested = [...topics(commands)];
  return `# bash completion of ublkts; \`ublkts completion bash\` writes it
_ublkts_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_ublkts_devices() { _ublkts_words "$(command ls /sys/class/ublk-char 2>/dev/null | sed 's/^ublkc//')"; }
_ublkts_files() { mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
_ublkts_targets() { mapfile -t COMPREPLY < <(compgen -W "${targetNames().join(' ')}" -f -- "$current"); }

_ublkts() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _ublkts_words "${[...firstWords(commands), 'help'].join(' ')}"
    return
  fi
  case $command in
    ${nested.map(([topic]) => topic).join('|') || '""'})
      if ((COMP_CWORD == 2)); then
        case $command in
${nested.map(([topic, members]) => `          ${topic}) _ublkts_words "${secondWords(members)}" ;;`).join('\n')}
        esac
        return
      fi
      command="$command \${COMP_WORDS[2]}"
      ;;
  esac
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case $command in
${commands.map(wordCase).join('\n')}
  esac
}

complete -o filenames -F _ublkts ublkts
`;
}

function secondWords(members: readonly CommandDoc[]): string {
  return members.map(({ name }) => name.split(' ')[1]).join(' ');
}

/** After a flag that takes a value, only that value. */
function valueCases(command: CommandDoc): string[] {
  return command.flags
    .filter(({ value }) => value !== undefined)
    .map(({ char, name, completion }) => {
      const words = spellings(command).flatMap((typed) => flagWords(char, name).map((flag) => `"${typed} ${flag}"`));
      return `    ${words.join('|')}) ${action(completion)}; return ;;`;
    });
}

function wordCase(command: CommandDoc): string {
  const flags = command.flags.map(({ name }) => `--${name}`).join(' ');
  const last = command.args.at(-1)?.completion ?? { kind: 'anything' };
  const names = spellings(command).map((typed) => `"${typed}"`);
  return `    ${names.join('|')}) if [[ $current == -* ]]; then _ublkts_words "${flags}"; else ${action(last)}; fi ;;`;
}

function action(completion: Completion): string {
  switch (completion.kind) {
    case 'words':
      return `_ublkts_words "${completion.words.join(' ')}"`;
    case 'device':
      return '_ublkts_devices';
    case 'file':
      return '_ublkts_files';
    case 'target':
      return '_ublkts_targets';
    case 'directory':
      return 'mapfile -t COMPREPLY < <(compgen -d -- "$current")';
    default:
      return ':';
  }
}
