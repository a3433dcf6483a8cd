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
 * The flags that a process starts with, whose threads have young generations of so many MB (of each of its two halves).
 * With them, V8 still takes the compiled code of a process that does not have them. A rejection that nobody handles ends
 * the server, whatever NODE_OPTIONS says: words of the command line come before it.
 */
function startFlags(youngMb: number): readonly string[] {
  return [
    `--min-semi-space-size=${youngMb}`,
    `--max-semi-space-size=${youngMb}`,
    '--no-turbo-typer-hardening',
    '--unhandled-rejections=throw',
  ];
}

/** Of a server with one device: the data path leaves no garbage. */
export const START_FLAGS = startFlags(1);

/**
 * Of a resident server: each device that comes or goes leaves some garbage on a shared thread. A collection that meets
 * the compilation of the thread's loop stops the thread for 200 ms, so there must be few in the server's first seconds.
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
