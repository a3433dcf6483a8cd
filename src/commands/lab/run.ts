import * as Flags from '@oclif/core/flags';
import { packagePath } from '../../package-root.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { guestFlags, parseEnvironment } from '../../cli/flags/guest.ts';
import { wholeNumber } from '../../cli/flags/values.ts';
import { usageError } from '../../errors.ts';
import { interruptible } from '../../cli/running/interruption.ts';
import { progressPrinter } from '../../cli/running/progress.ts';
import { type OnData, runInGuest } from '../../lab/run.ts';

export default class LabRun extends BaseCommand {
  static override summary = 'Run a command in a fresh guest (a virtual machine) whose kernel has ublk.';
  static override description =
    "Ends with the command's exit code, and passes its stdout and stderr on. In the guest, this project's tree is /ublkts, `ublkts` and `node` are in PATH, and the kernel's own ublk tests and server are in /opt/kublk. The guest is thrown away afterwards, except what the command leaves in /results when --collect is given.";
  static override examples = [
    '<%= config.bin %> lab run -- ublkts features',
    "<%= config.bin %> lab run -- bash -c 'ublkts add -t null && fio --name=a --filename=/dev/ublkb0 --rw=read --size=16M'",
    "<%= config.bin %> lab run --instructions --collect out -- bash -c 'ublkts add -t null && ublkts bench -n 0 --json > /results/bench.json'",
  ];
  static override strict = false;
  static override usage =
    'lab run [--memory SIZE] [--cpus N] [--env NAME=VALUE]... [--timeout SECONDS] [--collect DIR] [--instructions] -- COMMAND...';
  static override flags = {
    ...guestFlags,
    instructions: Flags.boolean({
      summary: 'Let the clock count instructions: slow and on one CPU, but with the same figures in every run.',
    }),
    timeout: wholeNumber({
      summary: 'End the guest when the command takes longer than this many seconds.',
      helpValue: 'SECONDS',
      default: 1800,
    }),
    collect: Flags.string({
      summary: 'Copy what the command leaves in /results into this directory.',
      helpValue: 'DIR',
    }),
  };

  /** It may be a flag of the guest's command. */
  protected override get unknownFlagHint(): string | undefined {
    return this.argv.includes('--') ? undefined : 'flags of the command come after --: ublkts lab run -- ls -l';
  }

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LabRun);
    const command = argv.map(String);
    if (command.length === 0)
      throw usageError('no command is given', 'write it after --: ublkts lab run -- ublkts features');
    const progress = progressPrinter(process.stderr);
    const output = this.json ? new Collected() : undefined;
    const { exitCode } = await interruptible((signal) =>
      runInGuest({
        command,
        environment: parseEnvironment(flags.env),
        projectRoot: packagePath(),
        memory: flags.memory,
        cpus: flags.cpus,
        instructions: flags.instructions,
        timeoutSeconds: flags.timeout,
        collectTo: flags.collect,
        onStdout: output?.stdout ?? passTo(process.stdout),
        onStderr: output?.stderr ?? passTo(process.stderr),
        onStart: progress.clear,
        signal,
        ...(this.chatty ? { onProgress: progress.onProgress } : {}),
      }),
    ).finally(progress.clear);
    if (output) this.print({ json: { exit_code: exitCode, ...output.texts() }, kublk: () => '' });
    process.exitCode = exitCode;
  }
}

/** Passes output on, and waits for a slow reader, so that the guest waits too. What a reader that has left would get is dropped. */
function passTo(stream: NodeJS.WriteStream): OnData {
  return async (chunk) => {
    if (stream.write(chunk)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.once('drain', resolve).once('close', resolve);
    await promise;
    stream.off('drain', resolve).off('close', resolve);
  };
}

class Collected {
  readonly #chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  readonly stdout: OnData = (chunk) => void this.#chunks.stdout.push(chunk);
  readonly stderr: OnData = (chunk) => void this.#chunks.stderr.push(chunk);

  texts(): { stdout: string; stderr: string } {
    const { stdout, stderr } = this.#chunks;
    return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
  }
}
