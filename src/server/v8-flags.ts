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
 * With these, V8 still takes the compiled code of a process that does not have them. A rejection that nobody handles ends
 * the server, whatever NODE_OPTIONS says: words of the command line come before it.
 */
export const START_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--no-turbo-typer-hardening',
  '--unhandled-rejections=throw',
];

const INLINING_FLAGS: readonly string[] = [
  '--max-inlined-bytecode-size=2000',
  '--max-inlined-bytecode-size-cumulative=12000',
  '--max-inlined-bytecode-size-absolute=24000',
  '--max-inlined-bytecode-size-small=40',
];

/** For the whole process. Each queue thread must have kept its compiled code before (queue/main.ts). */
export function inlineMore(): void {
  keepCompiledCode();
  INLINING_FLAGS.forEach((flag) => setFlagsFromString(flag));
}
