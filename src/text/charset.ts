/** Whether characters outside of ASCII can be shown. Reads the environment as the C library does to find the locale's character set. */
export function hasUtf8({ LC_ALL, LC_CTYPE, LANG }: Readonly<Record<string, string | undefined>>): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}
