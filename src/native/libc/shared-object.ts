/**
 * Makes the bytes of a shared library with one function, with only what dlopen needs (ELF-64, little-endian). The
 * layout is that of elf(5), and glibc's elf/dl-load.c says what it requires.
 *
 * Page 0 is readable and executable and has the headers, the symbol table and the code. Page 1 is writable and has the
 * dynamic section, which glibc before 2.35 relocates in place. A library without PT_GNU_STACK would ask for an
 * executable stack.
 */
import {
  EHDR_BYTES,
  EM_X86_64,
  ET_DYN,
  IDENT,
  PF_R,
  PF_W,
  PF_X,
  PHDR_BYTES,
  PT_DYNAMIC,
  PT_GNU_STACK,
  PT_LOAD,
} from '../elf.ts';

const PAGE = 4096;
/** e_machine by Node's name of the processor. */
const EM: Readonly<Record<string, number>> = { x64: EM_X86_64 };
const DT_HASH = 4;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_STRSZ = 10;
const DT_SYMENT = 11;

const SYM_BYTES = 24;
const DYN_BYTES = 16;

const SYMTAB_AT = EHDR_BYTES + 4 * PHDR_BYTES;
const HASH_AT = SYMTAB_AT + 2 * SYM_BYTES;
const STRTAB_AT = HASH_AT + 20;
const CODE_AT = 512;

/** Whether a library can be made for this processor. */
export function knowsProcessor(arch: string): boolean {
  return EM[arch] !== undefined;
}

/** Makes the library. `code` is the body of the function `name`: position-independent, and at most 3,584 bytes. */
export function sharedObject(arch: string, name: string, code: Uint8Array): Uint8Array {
  const machine = EM[arch];
  if (machine === undefined || code.length > PAGE - CODE_AT || STRTAB_AT + name.length + 2 > CODE_AT) {
    throw new RangeError(`no shared object for ${arch} with ${code.length} bytes of ${name}`);
  }
  const strings = Buffer.from(`\0${name}\0`, 'latin1');
  const dynamic = [DT_HASH, HASH_AT, DT_SYMTAB, SYMTAB_AT, DT_STRTAB, STRTAB_AT, DT_STRSZ, strings.length];
  const entries = [...dynamic, DT_SYMENT, SYM_BYTES, 0, 0].map(BigInt);
  const dynamicBytes = (entries.length / 2) * DYN_BYTES;

  const file = Buffer.alloc(PAGE + dynamicBytes);
  file.set(IDENT, 0);
  file.writeUInt16LE(ET_DYN, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(EHDR_BYTES), 32);
  file.writeUInt16LE(EHDR_BYTES, 52);
  file.writeUInt16LE(PHDR_BYTES, 54);
  file.writeUInt16LE(4, 56);
  file.writeUInt16LE(64, 58);

  const segment = (index: number, type: number, flags: number, at: number, length: number, align: number): void => {
    const header = EHDR_BYTES + index * PHDR_BYTES;
    file.writeUInt32LE(type, header);
    file.writeUInt32LE(flags, header + 4);
    // The offset in the file, the address and the physical address are the same number.
    for (let field = 0; field < 3; field++) file.writeBigUInt64LE(BigInt(at), header + 8 + 8 * field);
    for (let field = 0; field < 2; field++) file.writeBigUInt64LE(BigInt(length), header + 32 + 8 * field);
    file.writeBigUInt64LE(BigInt(align), header + 48);
  };
  segment(0, PT_LOAD, PF_R | PF_X, 0, CODE_AT + code.length, PAGE);
  segment(1, PT_LOAD, PF_R | PF_W, PAGE, dynamicBytes, PAGE);
  segment(2, PT_DYNAMIC, PF_R | PF_W, PAGE, dynamicBytes, 8);
  segment(3, PT_GNU_STACK, PF_R | PF_W, 0, 0, 16);

  // Symbol 0 is the undefined symbol. Symbol 1 is the function: STB_GLOBAL, STT_FUNC, in section 1.
  const symbol = SYMTAB_AT + SYM_BYTES;
  file.writeUInt32LE(1, symbol);
  file.writeUInt8(0x12, symbol + 4);
  file.writeUInt16LE(1, symbol + 6);
  file.writeBigUInt64LE(BigInt(CODE_AT), symbol + 8);
  file.writeBigUInt64LE(BigInt(code.length), symbol + 16);

  // The hash table has one bucket, whose chain is symbol 1 alone, so every name is looked up there.
  new Int32Array([1, 2, 1, 0, 0]).forEach((word, at) => file.writeInt32LE(word, HASH_AT + 4 * at));
  file.set(strings, STRTAB_AT);
  file.set(code, CODE_AT);
  entries.forEach((value, at) => file.writeBigUInt64LE(value, PAGE + 8 * at));
  return file;
}
