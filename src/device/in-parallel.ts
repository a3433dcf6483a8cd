/** Does the same to many devices, several at a time. */

/**
 * Calls `act` for the items in order, for at most `atOnce` of them at a time. Resolves when all are done. When a call
 * rejects, no more calls are made, and the promise rejects when those under way have settled.
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
