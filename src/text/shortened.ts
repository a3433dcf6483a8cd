/** The beginning of a text. Who throws or answers may send megabytes, and a log or a message has room for less. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
