/**
 * The error class that every layer throws. What failed is data, so that a terminal, a script and `--json` can each
 * present it in their own way; nothing below `bin/` ends the process.
 */

/** The closed set of failure classes; `cli/failures/exit-codes.ts` gives each its exit code. */
export type FailureKind = 'failed' | 'usage' | 'unsupported' | 'permission' | 'no-device' | 'busy' | 'partial';

export const FAILURE_KINDS: readonly FailureKind[] = [
  'failed',
  'usage',
  'unsupported',
  'permission',
  'no-device',
  'busy',
  'partial',
];

/**
 * The name of an option inside a message, as the library spells it (`threads`, `integrity.metadataSize`,
 * `features.SHMEM_ZC`). The command line shows a flag in its place. `spec/option-names.ts` makes these.
 */
export interface OptionMention {
  readonly option: string;
}

/** A message: plain words, or words with options named between them. */
export type Text = string | readonly (string | OptionMention)[];

/** Turns an option's name into what the reader types. */
export type OptionNamer = (option: string) => string;

export interface FailureDetails {
  /** An errno name (`EBUSY`) or, where no system call failed, one of our own words (`BAD_VALUE`, `TIMEOUT`). */
  readonly code: string;
  readonly kind?: FailureKind | undefined;
  /** The kernel command or system call that refused, by the kernel's name (`ADD_DEV`, `mmap`). */
  readonly command?: string | undefined;
  /** The id of the device that the failure is about. */
  readonly device?: number | undefined;
  /** Says what a person can do next, in one sentence. */
  readonly hint?: Text | undefined;
  readonly cause?: unknown;
}

/** A target of somebody's own has its own copy of this class: errors are known by this, and not by their class. */
const BRAND = Symbol.for('ublkts.UblkError');

/**
 * Every failure of this library. `message` says in one sentence what was asked and what refused it, `kind` which class of
 * failure it is, `code` the errno by name, or a word of our own where no system call failed, and `hint` what to do next.
 */
export class UblkError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  readonly [BRAND] = true;
  readonly code: string;
  readonly kind: FailureKind;
  readonly command: string | undefined;
  readonly device: number | undefined;
  /** The message and the hint with their option names as data; `message` and `hint` are their library form. */
  readonly text: Text;
  readonly hintText: Text | undefined;

  constructor(text: Text, details: FailureDetails) {
    super(renderText(text), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'UblkError';
    this.text = text;
    this.code = details.code;
    this.kind = details.kind ?? kindOfErrno(details.code);
    this.command = details.command;
    this.device = details.device;
    this.hintText = details.hint;
  }

  get hint(): string | undefined {
    return this.hintText === undefined ? undefined : renderText(this.hintText);
  }
}

/** An error about a value that a person gave and that cannot be meant. */
export function usageError(text: Text, hint?: Text): UblkError {
  return new UblkError(
    text,
    hint === undefined ? { code: 'BAD_VALUE', kind: 'usage' } : { code: 'BAD_VALUE', kind: 'usage', hint },
  );
}

/** The words of a message; without `nameOf`, options are named as a caller of the library writes them. */
export function renderText(text: Text, nameOf: OptionNamer = libraryName): string {
  if (typeof text === 'string') return text;
  return text.map((piece) => (typeof piece === 'string' ? piece : nameOf(piece.option))).join('');
}

/** The text of anything that was thrown, for a log: with its stack where it has one. */
export function describeFailure(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

/** Messages one after the other, as one message. */
export function joinTexts(...texts: readonly Text[]): (string | OptionMention)[] {
  return texts.flat();
}

/** `features.SHMEM_ZC` is a member of a list; every other name is a property. */
function libraryName(option: string): string {
  const feature = /^features\.(.+)$/.exec(option)?.[1];
  return feature === undefined ? `\`${option}\`` : `\`features: ['${feature}']\``;
}

function kindOfErrno(code: string): FailureKind {
  switch (code) {
    case 'EPERM':
    case 'EACCES':
      return 'permission';
    case 'EBUSY':
    case 'EEXIST':
      return 'busy';
    case 'EOPNOTSUPP':
    case 'ENOSYS':
      return 'unsupported';
    default:
      return 'failed';
  }
}
