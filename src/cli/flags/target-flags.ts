/** The options of targets that have flags of their own. Any other is given with `-o NAME=VALUE`. */

/** Those with a value. 0 and 1 are two values of `die_during_fetch`. */
const WITH_VALUE = [
  'size',
  'chunk_size',
  'delay_us',
  'die_during_fetch',
  'offset',
  'sizelimit',
  'logical_block_size',
  'uri',
  'program',
  'export',
  'directory',
  'reconnect_delay',
  'request_timeout',
  'tls_certificates',
  'tls_psk_file',
  'tls_hostname',
  'tls_verify_peer',
] as const;
const SWITCHES = ['read_only', 'buffered_io', 'no_discard', 'structured_replies'] as const;

/** Each option has the name of its flag. */
const NAMES: ReadonlySet<string> = new Set([...WITH_VALUE, ...SWITCHES]);

type Flags = Readonly<
  Partial<Record<(typeof WITH_VALUE)[number], number | bigint | boolean | string | undefined>> &
    Record<(typeof SWITCHES)[number], boolean>
>;

/** The options that were named by their flags. */
export function targetOptionsOf(flags: Flags): Record<string, string> {
  const values = WITH_VALUE.flatMap((name) => (flags[name] === undefined ? [] : [[name, textOf(flags[name])]]));
  const switches = SWITCHES.flatMap((name) => (flags[name] ? [[name, '1']] : []));
  return Object.fromEntries([...values, ...switches]) as Record<string, string>;
}

/** `offset` -> `--offset`; an option without a flag of its own is given with -o. */
export function flagOfTargetOption(option: string): string {
  return NAMES.has(option) ? `--${option}` : `-o ${option}`;
}

function textOf(value: number | bigint | boolean | string): string {
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}
