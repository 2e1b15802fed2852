const SLOTS = 16_384;

/** Slot of a key whose hash tag, the text in its first braces, this is (Redis Cluster specification, "Key distribution model"). */
export function hashSlot(tag: string): number {
  return crc16(Buffer.from(tag)) % SLOTS;
}

/** CRC-16/XMODEM: polynomial 0x1021, begun with 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
