/** The numbers of the ELF-64 format that the files made here need, by the names of elf(5). */

export const EM_X86_64 = 62;
export const ET_EXEC = 2;
export const ET_DYN = 3;

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_GNU_STACK = 0x6474e551;

export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/** sizeof(Elf64_Ehdr): the header of the file. */
export const EHDR_BYTES = 64;
/** sizeof(Elf64_Phdr): the header of a segment. */
export const PHDR_BYTES = 56;
/** The first bytes of e_ident: magic, ELFCLASS64, ELFDATA2LSB, EV_CURRENT. */
export const IDENT = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] as const;
