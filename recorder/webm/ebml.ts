/** Elements of EBML (RFC 8794), each as finished bytes. */

/** Element id with its length marker, as RFC 8794 section 5 writes it. */
export type ElementId = number;

const MAX_SAFE_SIZE_BYTES = 8;

export function masterOf(id: ElementId, ...children: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(children);
  return element(id, body);
}

/** Unsigned integer, in as few bytes as it needs (RFC 8794 section 7.2). */
export function uintOf(id: ElementId, value: number): Uint8Array {
  const length = bytesOfUint(value);
  const body = Buffer.alloc(length);
  writeUint(body, 0, value, length);
  return element(id, body);
}

/** 64-bit float (RFC 8794 section 7.3). */
export function floatOf(id: ElementId, value: number): Uint8Array {
  const body = Buffer.alloc(8);
  body.writeDoubleBE(value);
  return element(id, body);
}

export function textOf(id: ElementId, value: string): Uint8Array {
  return element(id, Buffer.from(value, 'utf8'));
}

export function binaryOf(id: ElementId, value: Uint8Array): Uint8Array {
  return element(id, value);
}

/** Nanoseconds since 2001-01-01 UTC (RFC 8794 section 7.6). */
export function dateOf(id: ElementId, unixMs: number): Uint8Array {
  const body = Buffer.alloc(8);
  body.writeBigInt64BE((BigInt(Math.round(unixMs)) - 978_307_200_000n) * 1_000_000n);
  return element(id, body);
}

/** Void of exactly `bytes` bytes in all, from 2 (RFC 8794 section 11.3.2). */
export function voidOf(bytes: number): Uint8Array {
  const sizeBytes = bytes < 9 ? 1 : 8;
  const all = Buffer.alloc(bytes);
  all[0] = 0xec;
  writeSize(all, 1, bytes - 1 - sizeBytes, sizeBytes);
  return all;
}

/** Id and size of an element whose body is written elsewhere; the size has `sizeBytes` bytes. */
export function startOf(id: ElementId, bodyBytes: number, sizeBytes: number): Uint8Array {
  const start = Buffer.alloc(bytesOfUint(id) + sizeBytes);
  const at = writeId(start, 0, id);
  writeSize(start, at, bodyBytes, sizeBytes);
  return start;
}

/** @returns the position behind it */
export function writeId(target: Uint8Array, at: number, id: ElementId): number {
  const length = bytesOfUint(id);
  writeUint(target, at, id, length);
  return at + length;
}

/** Size as a variable-length integer of `length` bytes (RFC 8794 section 6). @returns the position behind it */
export function writeSize(target: Uint8Array, at: number, size: number, length = bytesOfSize(size)): number {
  writeUint(target, at, size, length);
  target[at] = (target[at] ?? 0) | (0x80 >> (length - 1));
  return at + length;
}

/** How few bytes hold a size; a size of all ones means "unknown" and is never written (RFC 8794 section 6.2). */
export function bytesOfSize(size: number): number {
  let length = 1;
  while (length < MAX_SAFE_SIZE_BYTES && size >= 2 ** (7 * length) - 1) length += 1;
  return length;
}

export function bytesOfUint(value: number): number {
  let length = 1;
  while (value >= 2 ** (8 * length)) length += 1;
  return length;
}

/** Numbers above 2^32 too, which bit operators do not reach. */
export function writeUint(target: Uint8Array, at: number, value: number, length: number): void {
  let rest = value;
  for (let i = length - 1; i >= 0; i -= 1) {
    target[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function element(id: ElementId, body: Uint8Array): Uint8Array {
  return Buffer.concat([startOf(id, body.length, bytesOfSize(body.length)), body]);
}
