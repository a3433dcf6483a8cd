/**
 * What every command shares: its global flags, kublk's way with options, one shape for every error, and the choice
 * between kublk's text, a table and JSON. A command parses, calls one library function, and says what to print.
 */
import { Command } from '@oclif/core/command';
import type { Config } from '@oclif/core/config';
import * as Flags from '@oclif/core/flags';
import { type FlagShapes, normaliseArgv, wants, wantsJson } from './argv/normalise.ts';
import { CommandConfig } from './dispatch/command-config.ts';
import { exitCodeOfOutcome, type Outcome } from './failures/outcome.ts';
import { jsonDocument } from './output/json.ts';
import { describeParseError } from './failures/parse-errors.ts';
import { errorLines, errorObject } from './failures/report-failure.ts';
import { onOff } from './flags/values.ts';

export const FORMATS = ['kublk', 'table', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** What can be printed; the functions run only when theirs is the chosen one. */
export interface Views {
  readonly json: object;
  readonly kublk: () => string;
  /** For a terminal; without one, a terminal gets kublk's text too. */
  readonly table?: () => string;
}

/** A command's class, for whoever runs it. */
export interface RunnableCommand {
  start(id: string, argv: readonly string[]): Promise<void>;
}

export abstract class BaseCommand extends Command {
  static override baseFlags = {
    json: onOff({ summary: 'Print one JSON object.', helpGroup: 'GLOBAL' }),
    debug: onOff({ summary: 'Print the stack of an error.', helpGroup: 'GLOBAL' }),
    'no-color': onOff({ summary: 'No colours, as with NO_COLOR set.', helpGroup: 'GLOBAL' }),
  };

  /** In place of oclif's `run`, which reads the manifest first: what a command wants of a configuration is less. */
  static async start(this: CommandClass, id: string, argv: readonly string[]): Promise<void> {
    this.id = id;
    // oxlint-disable-next-line no-underscore-dangle
    await new this([...argv], new CommandConfig())._run();
  }

  protected override async init(): Promise<void> {
    await super.init();
    const flags: FlagShapes = { ...this.ctor.baseFlags, ...this.ctor.flags };
    this.argv = normaliseArgv(this.argv, flags);
  }

  /** oclif would print here and set an exit code of its own; `main` does both, for every kind of error. */
  protected override catch(error: Error): Promise<never> {
    return Promise.reject(describeParseError(error));
  }

  protected get json(): boolean {
    return wantsJson(this.argv);
  }

  /** Does a person read along? Then there may be progress and advice. */
  protected get chatty(): boolean {
    return process.stderr.isTTY && !this.json && !wants('quiet', this.argv);
  }

  protected print(views: Views, format?: Format): void {
    process.stdout.write(this.#render(views, this.json ? 'json' : (format ?? preferredFormat())));
  }

  /** Of several devices: what was done on stdout, what failed on stderr, or all of it in one object. */
  protected printOutcome(outcome: Outcome, views: Views): void {
    this.print({ ...views, json: { ...views.json, failed: outcome.failed.map(errorObject) } });
    if (!this.json) for (const error of outcome.failed) process.stderr.write(errorLines(error, [this.id ?? '']));
    process.exitCode = exitCodeOfOutcome(outcome);
  }

  #render({ json, kublk, table }: Views, format: Format): string {
    if (format === 'json') return jsonDocument(json);
    return format === 'table' && table !== undefined ? table() : kublk();
  }
}

interface CommandClass {
  new (argv: string[], config: Config): BaseCommand;
  id: string;
}

/** For the commands whose text differs by reader. */
export const formatFlag = Flags.option({
  options: FORMATS,
  multiple: false,
  summary: "Print kublk's text, a table, or JSON; by default a table to a terminal and kublk's text to a pipe.",
  helpGroup: 'OUTPUT',
})();

function preferredFormat(): Format {
  return process.stdout.isTTY ? 'table' : 'kublk';
}
