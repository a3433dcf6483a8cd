import { OPTIONAL_NAME } from '../argv/normalise.ts';
import { targetNames } from '../../targets/registry.ts';
import type { CommandDoc, Completion, ProgramDoc } from './model.ts';
import { firstWords, flagWords, secondWords, spellings } from './words.ts';

export function bashCompletion({ commands, topics }: ProgramDoc): string {
  return `# bash completion of ublkts; \`ublkts completion bash\` writes it
_ublkts_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
# Either spelling: with underscores, or with hyphens once one is typed.
_ublkts_flags() { if [[ $current == --*-* ]]; then _ublkts_words "\${1//_/-}"; else _ublkts_words "$1"; fi; }
_ublkts_devices() { _ublkts_words "$(command ls /sys/class/ublk-char 2>/dev/null | sed 's/^ublkc//')"; }
# Only names of files are treated as such: a word that is also a directory here would be given a slash.
_ublkts_names_files() { compopt -o filenames 2>/dev/null; }
_ublkts_files() { _ublkts_names_files; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
_ublkts_directories() { _ublkts_names_files; mapfile -t COMPREPLY < <(compgen -d -- "$current"); }
_ublkts_targets() {
  _ublkts_names_files
  mapfile -t COMPREPLY < <(compgen -W "${targetNames().join(' ')}" -f -- "$current")
}
# A program can follow \`--\`, which is word number $1.
_ublkts_program() {
  if ((COMP_CWORD > $1 + 1)); then
    _ublkts_files
    return
  fi
  _ublkts_names_files
  mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
}
_ublkts_second_words() {
  case $1 in
${topics.map((topic) => `    ${topic.name}) _ublkts_words "${secondWords(topic).join(' ')}" ;;`).join('\n')}
  esac
}

_ublkts() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=\${COMP_WORDS[1]} assigned= word
  COMPREPLY=()
  # bash makes three words of --flag=value.
  if [[ $current == = ]]; then
    current='' assigned=1
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]} assigned=1
  fi
  [[ $previous == --* ]] && previous=--$(tr - _ <<< "\${previous:2}")
  if ((COMP_CWORD == 1)); then
    _ublkts_words "${[...firstWords(commands), 'help'].join(' ')}"
    return
  fi
  if [[ $command == help ]]; then
    if ((COMP_CWORD == 2)); then
      _ublkts_words "${firstWords(commands).join(' ')}"
    elif ((COMP_CWORD == 3)); then
      _ublkts_second_words "\${COMP_WORDS[2]}"
    fi
    return
  fi
  case $command in
    ${topics.map(({ name }) => name).join('|') || '""'})
      if ((COMP_CWORD == 2)); then
        _ublkts_second_words "$command"
        return
      fi
      command="$command \${COMP_WORDS[2]}"
      ;;
  esac
  case $command in
    ${programCommands(commands)})
      for ((word = 2; word < COMP_CWORD; word++)); do
        [[ \${COMP_WORDS[word]} != -- ]] || { _ublkts_program "$word"; return; }
      done
      ;;
  esac
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case $command in
${commands.map(wordCase).join('\n')}
  esac
}

complete -F _ublkts ublkts
`;
}

function programCommands(commands: readonly CommandDoc[]): string {
  const typed = commands.filter(({ takesProgram }) => takesProgram).flatMap(spellings);
  return typed.map((name) => `"${name}"`).join('|');
}

/** After a flag that takes a value, only that value. */
function valueCases(command: CommandDoc): string[] {
  return command.flags
    .filter(({ value }) => value !== undefined)
    .map(({ char, name, value, completion }) => {
      const flags = flagWords(char, name.replaceAll('-', '_'));
      const words = spellings(command).flatMap((typed) => flags.map((flag) => `"${typed} ${flag}"`));
      // A name that may be left out stands behind an equals sign, so the next word is not its value.
      const done = value === OPTIONAL_NAME ? 'if [[ $assigned ]]; then return; fi' : `${action(completion)}; return`;
      return `    ${words.join('|')}) ${done} ;;`;
    });
}

function wordCase(command: CommandDoc): string {
  const flags = command.flags.map(({ name }) => `--${name}`).join(' ');
  const last = command.args.findLast(({ completion }) => completion.kind !== 'anything')?.completion;
  const names = spellings(command).map((typed) => `"${typed}"`);
  return `    ${names.join('|')}) if [[ $current == -* ]]; then _ublkts_flags "${flags}"; else ${action(last)}; fi ;;`;
}

function action(completion: Completion | undefined): string {
  switch (completion?.kind) {
    case 'words':
      return `_ublkts_words "${completion.words.join(' ')}"`;
    case 'device':
      return '_ublkts_devices';
    case 'file':
      return '_ublkts_files';
    case 'target':
      return '_ublkts_targets';
    case 'directory':
      return '_ublkts_directories';
    default:
      return ':';
  }
}
