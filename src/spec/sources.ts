/** The names by which a person knows the storage of a target: its files, the URI of its export, or the program that it has started. */
export function sourcesOf(target: {
  readonly files: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}): string[] {
  const { uri, program } = target.options;
  return [...target.files, ...[uri, program].filter((source) => source !== undefined)];
}
