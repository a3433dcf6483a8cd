/**
 * Writes this thread's compiled code to the compile cache. Node does that when a thread ends; a server that has set other
 * flags by then would write what its successor cannot use.
 */
import module from 'node:module';

export function keepCompiledCode(): void {
  // Node 22.10 and newer have it; the oldest version that package.json allows may not.
  const { flushCompileCache }: { flushCompileCache?: () => void } = module;
  flushCompileCache?.();
}
