/** The number nearest to `reference` that equals `value` modulo 2^16. */
export function nearest16(value: number, reference: number): number {
  return nearest(value, reference, 2 ** 16);
}

/**
 * The number nearest to `reference` that equals `value` modulo 2^32: an RTP timestamp unwrapped by another,
 * for a sender report's too.
 */
export function nearest32(value: number, reference: number): number {
  return nearest(value, reference, 2 ** 32);
}

function nearest(value: number, reference: number, modulus: number): number {
  return value + modulus * Math.round((reference - value) / modulus);
}
