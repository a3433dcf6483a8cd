/** Runs tasks in their order, `limit` at a time, and returns what they returned. It rejects with the first failure. */
export async function pool<T>(tasks: readonly (() => Promise<T>)[], limit: number): Promise<T[]> {
  const results: T[] = [];
  const entries = tasks.entries();
  const worker = async (): Promise<void> => {
    for (const [index, task] of entries) results[index] = await task();
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
