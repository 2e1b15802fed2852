/** The numbers of counter-source.js, for the reader. */

const COLUMNS = 6;
const ROWS = 4;
const CODE_HEIGHT = 5 / 6;
const COUNTER_BITS = 16;
export const COUNTER_MODULUS = 2 ** COUNTER_BITS;

/** What pictures are scaled to before they are read: cells of 16 x 15 pixels. */
export const GRID = { width: 96, height: 72 };
/** Between them a cell is neither black nor white. */
const DARK = 96;
const LIGHT = 160;
/** Left out at a cell's edges, which compression blurs. */
const MARGIN = 4;

export const HUM_HZ = 250;
export const HUM_LEVEL = 0.05;
export const BEEP_MS = 100;
export const BEEP_LEVEL = 0.5;
const TONES = 16;
const FIRST_TONE_HZ = 500;
const TONE_STEP_HZ = 100;

/** The picture's bits, most significant first; white = 1. */
export function codeOf(counter: number): readonly boolean[] {
  const value = counter % COUNTER_MODULUS;
  const bits = value * 256 + checksum(value);
  return Array.from(
    { length: COLUMNS * ROWS },
    (_, cell) => ((bits >> (COLUMNS * ROWS - 1 - cell)) & 1) === 1,
  );
}

/** The cell of a picture that a point of it lies in; undefined below the code. @param x, y from 0 to 1 */
export function cellAt(x: number, y: number): number | undefined {
  const row = Math.floor((y / CODE_HEIGHT) * ROWS);
  return row < ROWS ? row * COLUMNS + Math.floor(x * COLUMNS) : undefined;
}

export function beepHz(beep: number): number {
  return FIRST_TONE_HZ + TONE_STEP_HZ * (beep % TONES);
}

/** @param gray a picture of `GRID`'s size, a byte for each pixel  @returns undefined where it cannot be read */
export function readCounter(gray: Uint8Array): number | undefined {
  let value = 0;
  for (let cell = 0; cell < COLUMNS * ROWS; cell += 1) {
    const level = cellLevel(gray, cell % COLUMNS, Math.floor(cell / COLUMNS));
    if (level > DARK && level < LIGHT) return undefined;
    value = value * 2 + (level >= LIGHT ? 1 : 0);
  }
  const counter = value >> 8;
  return (value & 0xff) === checksum(counter) ? counter : undefined;
}

/** @returns which of the tones it is, or undefined when it is none */
export function toneNumber(hz: number): number | undefined {
  const tone = Math.round((hz - FIRST_TONE_HZ) / TONE_STEP_HZ);
  const off = Math.abs(hz - FIRST_TONE_HZ - tone * TONE_STEP_HZ);
  return tone >= 0 && tone < TONES && off < TONE_STEP_HZ / 3 ? tone : undefined;
}

/** The counter nearest to `near` at which a beep of this tone begins. */
export function beepCounter(tone: number, near: number, fps: number): number {
  const round = TONES * fps;
  return tone * fps + round * Math.round((near - tone * fps) / round);
}

function cellLevel(gray: Uint8Array, column: number, row: number): number {
  const [cellWidth, cellHeight] = [GRID.width / COLUMNS, (GRID.height * CODE_HEIGHT) / ROWS];
  let sum = 0;
  let count = 0;
  for (let y = row * cellHeight + MARGIN; y < (row + 1) * cellHeight - MARGIN; y += 1) {
    for (let x = column * cellWidth + MARGIN; x < (column + 1) * cellWidth - MARGIN; x += 1) {
      sum += gray[y * GRID.width + x] ?? 0;
      count += 1;
    }
  }
  return sum / count;
}

function checksum(counter: number): number {
  return ((counter >> 8) * 31 + (counter & 0xff) * 7 + 0x5a) & 0xff;
}
