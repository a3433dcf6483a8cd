/**
 * The V8 flags of a server (docs/decisions/0005).
 *
 * V8 reads the flags about inlining when it optimizes a function. A process that starts with them cannot use the
 * compiled code that Node brings for its own modules, because V8 takes compiled code only from a V8 with the same flags of this
 * kind. So a server sets them itself, when it and its threads have loaded what they need and nothing is optimized yet
 * (docs/decisions/0016).
 */
import { setFlagsFromString } from 'node:v8';
import { keepCompiledCode } from '../native/compiled-code.ts';

/**
 * The flags that a server's process starts with. `youngMb` is the size of each half of a thread's young generation, in MB.
 * V8 refuses compiled code that was made with other flags, but it ignores these when it compares, so the server can use the
 * code in the compile cache. The last flag lets a promise that is rejected without a handler end the server, whatever
 * NODE_OPTIONS says: the command line takes precedence.
 */
function startFlags(youngMb: number): readonly string[] {
  return [
    `--min-semi-space-size=${youngMb}`,
    `--max-semi-space-size=${youngMb}`,
    '--no-turbo-typer-hardening',
    '--unhandled-rejections=throw',
  ];
}

/** A server with one device starts with these. Its young generations are small, because its data path makes no garbage. */
export const START_FLAGS = startFlags(1);

/**
 * A resident server starts with these. Each device that is added or deleted makes some garbage on a shared thread. A
 * garbage collection while V8 compiles the thread's loop stops the thread for up to 200 ms, so collections must be rare
 * in the server's first seconds (docs/performance.md, "Devices that come and go").
 */
export const RESIDENT_START_FLAGS = startFlags(8);

const INLINING_FLAGS: readonly string[] = [
  '--max-inlined-bytecode-size=2000',
  '--max-inlined-bytecode-size-cumulative=30000',
  '--max-inlined-bytecode-size-absolute=60000',
  '--max-inlined-bytecode-size-small=40',
];

/** For the whole process. Each queue thread must have kept its compiled code before (queue/main.ts). */
export function inlineMore(): void {
  keepCompiledCode();
  INLINING_FLAGS.forEach((flag) => setFlagsFromString(flag));
}
