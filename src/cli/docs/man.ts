/** Writes the manual page ublkts.1 in man(7) macros. */
import { EXIT_CODE_MEANINGS } from '../failures/exit-codes.ts';
import { type CommandDoc, flagSynopsis, type FlagDoc, ownFlags, sharedFlags } from './model.ts';

export function manPageOf(commands: readonly CommandDoc[], version: string): string {
  return [
    '.\\" Written by npm run docs from the commands themselves.',
    `.TH UBLKTS 1 "" "ublkts ${version}" "User Commands"`,
    '.SH NAME',
    'ublkts \\- serve, inspect and watch ublk block devices',
    '.SH SYNOPSIS',
    '.B ublkts',
    '.I command',
    '.RI [ flags ]',
    '.RI [ arguments ]',
    '.SH DESCRIPTION',
    escape(
      'ublkts makes block devices whose requests are served by a process (Linux ublk), and shows what happens in them.',
    ),
    escape('It takes every command and flag of kublk, the server of the kernel selftests.'),
    escape('Names with an underscore may be written with a hyphen, and the other way round.'),
    '.PP',
    escape('A device is 0, ublkb0, /dev/ublkb0 or /dev/ublkc0.'),
    escape('A size is 512, 4k, 64KiB, 1G or 1.5T: K and KiB are 1024, KB is 1000.'),
    '.SH FLAGS OF EVERY COMMAND',
    ...sharedFlags(commands).flatMap(flagItem),
    '.SH COMMANDS',
    ...commands.flatMap(section),
    '.SH EXIT STATUS',
    ...EXIT_CODE_MEANINGS.flatMap(([code, meaning]) => item(`.B ${code}`, meaning)),
    '.SH ENVIRONMENT',
    ...item('.B UBLKTS_SERVER', 'The resident server that `add` gives each new device to; empty: none.'),
    ...item('.B UBLKTS_CONFIG', 'The configuration file, in place of /etc/ublkts.conf; empty: none.'),
    ...item('.B UBLKTS_SHARE', 'When it is 1, `add` and `recover` do what --share says.'),
    ...item('.B UBLKTS_LAB_MIRROR', "The Debian mirror that `lab` builds its image from, in place of this machine's."),
    ...item('.B NO_COLOR', 'When set and not empty, nothing is coloured.'),
    '.SH FILES',
    ...item('.I /etc/ublkts.conf', 'A line server = NAME gives each new device to that resident server.'),
    ...item('.I /run/ublkts', 'The record of each device, and the counters of its server.'),
    ...item('.I /run/ublk/ublkbN.sock', 'The socket at which clients of device N register shared memory.'),
    ...item('.I /dev/shm/ublkts', 'The memory of devices of the target ram.'),
    '.SH SEE ALSO',
    '.BR fio (1),',
    '.BR lsblk (8),',
    '.BR modprobe (8)',
    '',
  ].join('\n');
}

function section(command: CommandDoc): string[] {
  const { name, aliases, summary, description, usage, examples } = command;
  return [
    `.SS ${escape(name)}`,
    escape(summary),
    ...(description === '' ? [] : ['.PP', escape(description)]),
    ...(aliases.length === 0 ? [] : ['.PP', escape(`Also ${aliases.join(', ')}.`)]),
    '.PP',
    ...verbatim([usage]),
    ...ownFlags(command).flatMap(([, flags]) => flags.flatMap(flagItem)),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:', '.PP', ...verbatim(examples)]),
  ];
}

function flagItem(flag: FlagDoc): string[] {
  return item(`.B ${escape(flagSynopsis(flag))}`, flag.summary);
}

function item(heading: string, text: string): string[] {
  return ['.TP', heading, escape(text)];
}

function verbatim(lines: readonly string[]): string[] {
  return ['.RS 4', '.nf', ...lines.map(escape), '.fi', '.RE'];
}

/** Escapes a hyphen, which would become a dash that cannot be pasted, and a dot or apostrophe that would start a macro. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
}
