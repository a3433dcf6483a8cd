/** Does the same to many devices, several at a time. */

/**
 * Calls `act` for each item, at most `atOnce` at a time and in order. Resolves when all are done; the first that rejects
 * ends it, when those under way have settled.
 */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (failed) return;
      try {
        await act(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  const failure = workers.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
