/** Bars, stacked bars and column charts made of characters. Pure; each is exactly as wide as asked. */
import type { Glyphs } from './glyphs.ts';

/** The filled part of a bar and the rest of it. */
export interface Bar {
  readonly filled: string;
  readonly rest: string;
}

/** `share` is 0..1. A share above 0 fills at least the smallest part of a cell. */
export function bar(share: number, width: number, glyphs: Glyphs): Bar {
  const parts = glyphs.barParts.length + 1;
  const units = Math.min(width * parts, Math.max(share > 0 ? 1 : 0, Math.round(clamp(share) * width * parts)));
  const part = units % parts;
  const filled = glyphs.bar.repeat(Math.floor(units / parts)) + (part === 0 ? '' : (glyphs.barParts[part - 1] ?? ''));
  return { filled, rest: glyphs.track.repeat(Math.max(0, width - filled.length)) };
}

/** How many of `width` cells each amount gets, in proportion. An amount above 0 gets at least one, while there are cells. */
export function stack(amounts: readonly number[], width: number): number[] {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  if (total <= 0) return amounts.map(() => 0);
  const exact = amounts.map((amount) => (amount / total) * width);
  const cells = exact.map((cell) => (cell > 0 ? Math.max(1, Math.floor(cell)) : 0));
  // Rounding may have given out too many cells or too few: the widest parts make up for it.
  while (sum(cells) > width) cells[indexOfMax(cells)]!--;
  while (sum(cells) < width) cells[indexOfMax(exact.map((cell, at) => cell - cells[at]!))]!++;
  return cells;
}

/**
 * The newest `width` values as columns, the newest on the right. Returns `height` rows of `width` characters, the highest
 * row first. A column of value `top` is full.
 */
export function columns(
  values: readonly number[],
  { width, height, top }: { readonly width: number; readonly height: number; readonly top: number },
  glyphs: Glyphs,
): string[] {
  const full = glyphs.levels.length - 1;
  const shown = width > 0 ? values.slice(-width) : [];
  const levels = shown.map((value) => level(value, top, full * height));
  return Array.from({ length: height }, (_, row) => {
    const base = (height - 1 - row) * full;
    const cells = levels.map((units) => glyphs.levels[Math.min(full, Math.max(0, units - base))] ?? ' ');
    return cells.join('').padStart(width);
  });
}

/** One character per value, which shows how much of `top` the value is. */
export function levels(values: readonly number[], top: number, steps: readonly string[]): string {
  return values.map((value) => steps[level(value, top, steps.length - 1)] ?? ' ').join('');
}

/** 0..steps; a value above 0 is at least 1. */
function level(value: number, top: number, steps: number): number {
  if (value <= 0 || top <= 0) return 0;
  return Math.max(1, Math.round(clamp(value / top) * steps));
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function indexOfMax(values: readonly number[]): number {
  return values.reduce((best, value, at) => (value > values[best]! ? at : best), 0);
}
