const SHORTEST_BEGINNING = 3;

/** The candidate that was probably meant, or undefined when none is close enough. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A short word may have one slip, a long one in a third of its letters.
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(fold(word), fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? beginningOf(word, candidates);
}

/** The only candidate that begins with the word, in whichever spelling it is listed. */
function beginningOf(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length < SHORTEST_BEGINNING) return undefined;
  const [first, ...others] = [...candidates].filter((candidate) => fold(candidate).startsWith(fold(word)));
  return first === undefined || others.some((other) => fold(other) !== fold(first)) ? undefined : first;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/** Counts insertions, deletions, substitutions and swapped neighbours, so that `lsit` is one slip and not two. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, at(previous, column - 1) + changed);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
