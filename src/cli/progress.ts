/** Says on stderr what is being waited for, to a person who has begun to wonder. */
const PATIENCE_MS = 500;
const ERASE_LINE = '\r\u001b[2K';

export async function withProgress<T>(shown: boolean, label: string, work: Promise<T>): Promise<T> {
  if (!shown) return work;
  let visible = false;
  const timer = setTimeout(() => {
    visible = true;
    process.stderr.write(`${label} ...`);
  }, PATIENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (visible) process.stderr.write(ERASE_LINE);
  }
}
