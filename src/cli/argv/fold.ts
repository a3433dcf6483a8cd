/** Gives both spellings of a name one form: kublk writes `shmem_zc`, people also write `shmem-zc`. */
export function fold(name: string): string {
  return name.replaceAll('_', '-');
}
