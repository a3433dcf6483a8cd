/**
 * The class that every command extends. It has the flags of every command, reads options as kublk does, gives every
 * error one shape, and prints a result as kublk's text, a table or JSON. A command parses its words, calls one library
 * function, and says what to print.
 */
import { Command } from '@oclif/core/command';
import type { Config } from '@oclif/core/config';
import type { FlagInput, Input, OutputFlags, ParserOutput } from '@oclif/core/interfaces';
import { wants, wantsJson } from './argv/global-flags.ts';
import { normaliseArgv } from './argv/normalise.ts';
import { commandConfig } from './dispatch/command-config.ts';
import { orCutShort } from './failures/cut-short.ts';
import { exitCodeOfOutcome, type Outcome } from './failures/outcome.ts';
import { describeParseError } from './failures/parse-errors.ts';
import { errorLines, errorObject } from './failures/report-failure.ts';
import { onOff } from './flags/values.ts';
import { printConsoleOnStderr } from './output/console.ts';
import { printNotes } from './output/notes.ts';
import { printOut } from './output/print.ts';
import { reportUnwritable } from './output/unwritable.ts';
import { type Format, renderViews, type Views } from './output/views.ts';

export abstract class BaseCommand extends Command {
  static override baseFlags = {
    json: onOff({ summary: 'Print one JSON object.', helpGroup: 'GLOBAL' }),
    debug: onOff({ summary: 'Print the stack of an error.', helpGroup: 'GLOBAL' }),
    'no-color': onOff({ summary: 'Print without colours, as with NO_COLOR set.', helpGroup: 'GLOBAL' }),
  };

  /** Runs the command. oclif's own `run` would load a whole configuration first (docs/decisions/0015). */
  static async start(this: CommandClass, id: string, argv: readonly string[]): Promise<void> {
    this.id = id;
    reportUnwritable();
    printConsoleOnStderr();
    const words = [...id.split(':'), ...argv];
    // oxlint-disable-next-line no-underscore-dangle
    await orCutShort(words, () => new this([...argv], commandConfig())._run());
  }

  /** oclif's own looks for deprecated names, of which there are none. */
  protected override init(): Promise<void> {
    return Promise.resolve();
  }

  /** oclif's parser, given the words in the form that it reads. */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    return super.parse(
      options,
      normaliseArgv(argv, { ...this.ctor.baseFlags, ...this.ctor.flags }, this.unknownFlagHint),
    );
  }

  /** oclif would print here and choose an exit code. `main` does both, for every kind of error. */
  protected override catch(error: Error): Promise<never> {
    const flags = { ...this.ctor.baseFlags, ...this.ctor.flags };
    return Promise.reject(describeParseError(error, { flags, example: this.#example() }));
  }

  /** The first of the examples that the help shows. */
  #example(): string | undefined {
    const [example] = this.ctor.examples ?? [];
    const text = typeof example === 'string' ? example : example?.command;
    return text
      ?.replaceAll('<%= config.bin %>', 'ublkts')
      .replaceAll('<%= command.id %>', (this.id ?? '').replaceAll(':', ' '));
  }

  /** What an unknown flag is answered with, where that is not the usual hint. */
  protected get unknownFlagHint(): string | undefined {
    return undefined;
  }

  protected get json(): boolean {
    return wantsJson(this.argv);
  }

  /** Is there a person who reads along? Then there may be progress and advice. */
  protected get chatty(): boolean {
    return process.stderr.isTTY && !this.json && !wants('quiet', this.argv);
  }

  protected print(views: Views, format?: Format): void {
    printOut(renderViews(views, this.json ? 'json' : format));
  }

  /** Prints a result with what its maker had to remark: on stderr, or as `notes` in JSON. */
  protected printWithNotes(views: Views, notes: readonly string[], format?: Format): void {
    this.print({ ...views, json: { ...views.json, notes } }, format);
    if (!this.json && format !== 'json') printNotes(notes);
  }

  /** Prints a result that is text, with what its maker had to remark on stderr. */
  protected printText(text: string, notes: readonly string[]): void {
    printOut(text);
    printNotes(notes);
  }

  /** Prints what became of several devices: successes on stdout and failures on stderr, or all of it in one object. */
  protected printOutcome(outcome: Outcome, views: Views, format?: Format): void {
    this.print({ ...views, json: { ...views.json, failed: outcome.failed.map(errorObject) } }, format);
    if (!this.json)
      for (const error of outcome.failed) process.stderr.write(errorLines(error, (this.id ?? '').split(':')));
    process.exitCode = exitCodeOfOutcome(outcome);
  }
}

/** Parsed values by name, in oclif's type. */
type Values = OutputFlags<FlagInput>;

interface CommandClass {
  new (argv: string[], config: Config): BaseCommand;
  id: string;
}
