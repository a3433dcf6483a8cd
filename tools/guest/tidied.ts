/**
 * Does `work` and then `tidy`, whatever became of it. When both fail, what `work` said comes first: a thing that cannot be
 * put away is often only what is left of the failure before it.
 */
export async function tidied<T>(work: () => Promise<T>, tidy: () => unknown): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (failure) {
    try {
      await tidy();
    } catch (second) {
      throw new Error(`${text(failure)}\nand then: ${text(second)}`, { cause: second });
    }
    throw failure;
  }
  await tidy();
  return result;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
