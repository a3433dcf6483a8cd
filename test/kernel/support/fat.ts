/** A FAT file system made by hand: the guest has no mkfs.vfat, and its sectors are to be as large as we say. */
import { writeFileSync } from 'node:fs';

/** Writes an empty FAT file system with sectors of `sector` bytes to the start of `path`. */
export function makeFat(path: string, bytes: number, sector: number): void {
  const sectors = bytes / sector;
  const fatSectors = Math.ceil((sectors * 2) / sector);
  const image = Buffer.alloc((1 + fatSectors + 1) * sector);
  image.set([0xeb, 0x3c, 0x90]);
  image.write('ublkts  ', 3, 'latin1');
  image.writeUInt16LE(sector, 11);
  image.writeUInt8(1, 13); // sectors per cluster
  image.writeUInt16LE(1, 14); // reserved sectors
  image.writeUInt8(1, 16); // FATs
  image.writeUInt16LE(sector / 32, 17); // root directory entries: one sector
  image.writeUInt16LE(sectors, 19);
  image.writeUInt8(0xf8, 21); // media
  image.writeUInt16LE(fatSectors, 22);
  image.writeUInt16LE(0xaa55, 510);
  image.writeUInt32LE(0xffff_fff8, sector); // the first two entries of the FAT
  writeFileSync(path, image, { flag: 'r+' });
}
