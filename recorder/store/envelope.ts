import { crc32 } from 'node:zlib';

/**
 * How tails and checkpoints lie in storage and in the spool: `MRT1`, the length of the header, the length
 * of the body, CRC-32 of both (each 4 bytes, big-endian), the header in JSON, the body.
 */
const MAGIC = Buffer.from('MRT1');
const PREFIX_BYTES = MAGIC.length + 12;

/** Written by half, or not by us. */
export class DamagedEnvelope extends Error {
  override readonly name = 'DamagedEnvelope';
}

export function encodeEnvelope(header: object, body: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  MAGIC.copy(prefix);
  prefix.writeUInt32BE(json.length, 4);
  prefix.writeUInt32BE(body.length, 8);
  prefix.writeUInt32BE(crc32(body, crc32(json)), 12);
  return Buffer.concat([prefix, json, body]);
}

/** @throws DamagedEnvelope */
export function decodeEnvelope(bytes: Uint8Array): { readonly header: unknown; readonly body: Uint8Array } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < PREFIX_BYTES || !buffer.subarray(0, 4).equals(MAGIC)) {
    throw new DamagedEnvelope(`${buffer.length} bytes that begin with no ${MAGIC}`);
  }
  const headerBytes = buffer.readUInt32BE(4);
  const bodyBytes = buffer.readUInt32BE(8);
  const bodyAt = PREFIX_BYTES + headerBytes;
  if (buffer.length !== bodyAt + bodyBytes) {
    throw new DamagedEnvelope(`${buffer.length} bytes instead of ${bodyAt + bodyBytes}`);
  }
  if (crc32(buffer.subarray(PREFIX_BYTES)) !== buffer.readUInt32BE(12)) throw new DamagedEnvelope('CRC-32');
  return {
    header: JSON.parse(buffer.subarray(PREFIX_BYTES, bodyAt).toString()),
    body: buffer.subarray(bodyAt),
  };
}
