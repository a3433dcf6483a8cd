import { OPTIONAL_NAME } from '../argv/normalise.ts';
import { targetNames } from '../../targets/registry.ts';
import type { ArgDoc, CommandDoc, Completion, FlagDoc, ProgramDoc, TopicDoc } from './model.ts';
import { firstWords, flagWords, secondWord, secondWords, spellings } from './words.ts';

export function zshCompletion({ commands, topics }: ProgramDoc): string {
  const single = commands.filter(({ name }) => !name.includes(' '));
  const first = [
    ...single.flatMap((command) => spellings(command).map((typed) => entry(typed, command.summary))),
    ...topics.map(({ name, summary }) => entry(name, summary)),
    entry('help', 'Show the help of a command.'),
  ];
  return `#compdef ublkts
# zsh completion of ublkts; \`ublkts completion zsh\` writes it

_ublkts_devices() {
  local -a devices
  devices=(/sys/class/ublk-char/ublkc*(N:t:s/ublkc//))
  compadd -a devices
}

# The program behind \`--\` and its words are completed as on a command line of their own.
_ublkts_program() {
  local -i dashes=$words[(i)--]
  ((dashes < CURRENT)) || return 1
  shift $dashes words
  ((CURRENT -= dashes))
  if ((CURRENT == 1)); then
    _command_names -e
    _files
  else
    _normal
  fi
  return 0
}

_ublkts_targets() {
  compadd ${targetNames().join(' ')}
  _files
}

_ublkts() {
  local curcontext=$curcontext state line
  # Not \`commands\`, which is the name that zsh has for the programs in PATH.
  local -a members
  # What is typed with hyphens matches the flags, which are listed with underscores.
  local -a spelling=(-M 'm:-=_ r:|[_-]=* r:|=*')
  local -i n
  _arguments -C '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      members=(
${first.map((line) => `        ${line}`).join('\n')}
      )
      _describe command members
      ;;
    argument)
      # So that the value of a flag that was typed with hyphens is known.
      for ((n = 2; n < CURRENT; n++)); do
        [[ $words[n] == -- ]] && break
        [[ $words[n] == --*-* && $words[n] != *=* ]] && words[n]=--\${\${words[n]#--}//-/_}
      done
      if [[ $PREFIX == --*-*=* ]]; then
        PREFIX=--\${\${\${PREFIX%%=*}#--}//-/_}=\${PREFIX#*=}
        words[CURRENT]=$PREFIX
      fi
      case $words[1] in
        help)
          case $CURRENT,$words[2] in
            2,*) compadd ${firstWords(commands).join(' ')} ;;
${topics.map((topic) => `            3,${topic.name}) compadd ${secondWords(topic).join(' ')} ;;`).join('\n')}
          esac
          ;;
${single.map((command) => argumentsCase(command, spellings(command), '        ')).join('\n')}
${topics.map(topicCase).join('\n')}
      esac
      ;;
  esac
}

_ublkts "$@"
`;
}

function topicCase({ name, members }: TopicDoc): string {
  const words = members.map((command) => entry(secondWord(command), command.summary));
  return `        ${name})
          if ((CURRENT == 2)); then
            members=(${words.join(' ')})
            _describe command members
          else
            shift words
            ((CURRENT--))
            case $words[1] in
${members.map((command) => argumentsCase(command, [secondWord(command)], '              ')).join('\n')}
            esac
          fi
          ;;`;
}

function argumentsCase(command: CommandDoc, typed: readonly string[], indent: string): string {
  const specs = [...command.flags.map(flagSpec), ...command.args.map(argSpec)];
  const program = command.takesProgram ? '_ublkts_program || ' : '';
  return `${indent}${typed.join('|')}) ${program}_arguments $spelling ${specs.join(' ')} ;;`;
}

function flagSpec({ char, name, summary, value, multiple, completion }: FlagDoc): string {
  const words = flagWords(char, name);
  const exclusive = multiple ? '*' : `(${words.join(' ')})`;
  const forms = words.map((word) => `${word}${valueForm(word, value)}`);
  const spelled = forms.length === 1 ? `${forms[0]}` : `'{${forms.join(',')}}'`;
  const argument =
    value === undefined ? '' : `${value === OPTIONAL_NAME ? '::' : ':'}${plain(value)}:${action(completion)}`;
  return `'${exclusive}${spelled}[${plain(summary)}]${argument}'`;
}

/** Where zsh looks for the value of a flag: in the next word or in the same one (`-nX`, `--name=X`), or only there. */
function valueForm(word: string, value: string | undefined): string {
  if (value === undefined) return '';
  if (!word.startsWith('--')) return '+';
  return value === OPTIONAL_NAME ? '=-' : '=';
}

function argSpec({ name, description, multiple, completion }: ArgDoc): string {
  return `'${multiple ? '*' : ':'}:${plain(description || name)}:${action(completion)}'`;
}

function action(completion: Completion): string {
  switch (completion.kind) {
    case 'words':
      return `(${completion.words.join(' ')})`;
    case 'device':
      return '_ublkts_devices';
    case 'target':
      return '_ublkts_targets';
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    default:
      return ' ';
  }
}

function entry(word: string, summary: string): string {
  return `'${word}:${plain(summary)}'`;
}

/** Inside a specification in single quotes, a colon and a bracket end the field. */
function plain(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[:[\]]/g, '\\$&');
}
