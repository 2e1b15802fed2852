/** Values at and beyond the edges of what SDP fields hold. */
const EXTREMES = [
  '',
  '-1',
  '0',
  '1',
  '14',
  '15',
  '63',
  '64',
  '95',
  '96',
  '127',
  '128',
  '255',
  '256',
  '4096',
  '65535',
  '65536',
  '2147483648',
  '4294967295',
  '4294967296',
  '18446744073709551616',
  '1e9',
  '0x10',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  '*',
  '~',
  ';',
  ',',
  ' ',
  '%s%d%v%%',
  '\u0000',
  '\u2028',
  'é',
  '𝄞',
  'a'.repeat(5000),
  '1 '.repeat(500),
  'sendonly',
  'passive',
  'rtx',
  'RTX',
  'opus',
  'H264',
  'AV1',
];

/** Lines that change much by being there. */
const LINES = [
  'a=sendrecv',
  'a=recvonly',
  'a=sendonly',
  'a=inactive',
  'a=bundle-only',
  'a=setup:active',
  'a=setup:passive',
  'a=ice-lite',
  'a=mid:0',
  'a=mid:1',
  'a=mid:longer-than-eight',
  'a=group:BUNDLE 0',
  'a=group:BUNDLE 1 0',
  'a=simulcast:send a;b',
  'a=simulcast:send ~a,b;c,d recv e',
  'a=rid:a send',
  'a=rid:b send',
  'a=rid:c-d send pt=96',
  'a=fmtp:96 apt=x;profile-level-id=42e01f;__proto__=1',
  'a=fmtp:97 apt=97',
  'a=rtpmap:96 opus/48000/2',
  'a=rtpmap:111 VP8/90000',
  'a=rtpmap:0 opus/48000/2',
  'a=rtcp-fb:* nack',
  'a=rtcp-fb:* transport-cc',
  'a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:toffset',
  'a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'a=ssrc:1 cname:x y',
  'a=ssrc-group:FID 1 1',
  'a=ssrc-group:FID 1 4294967296',
  'a=fingerprint:sha-512 00',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'm=video 0 UDP/TLS/RTP/SAVPF 96',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'm=',
  'b=AS:0',
];

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One of the offers with one to six things changed in it. */
export function mutate(offers: readonly string[], random: () => number): string {
  const below = (bound: number) => Math.floor(random() * bound);
  const pick = <T>(values: readonly T[], otherwise: T): T => values[below(values.length)] ?? otherwise;
  let text = pick(offers, '');
  for (let changes = 1 + below(6); changes > 0; changes--) {
    text = change(text, below(10));
  }
  return text;

  function change(before: string, how: number): string {
    const lines = before.split('\r\n');
    const at = below(lines.length);
    const line = lines[at] ?? '';
    switch (how) {
      case 0: {
        const position = below(before.length);
        const flipped = before.charCodeAt(position) ^ (1 << below(8));
        return before.slice(0, position) + String.fromCharCode(flipped) + before.slice(position + 1);
      }
      case 1:
        return lines.toSpliced(at, 1 + below(3)).join('\r\n');
      case 2:
        return lines.toSpliced(below(lines.length), 0, line).join('\r\n');
      case 3: {
        const other = below(lines.length);
        return lines
          .with(at, lines[other] ?? '')
          .with(other, line)
          .join('\r\n');
      }
      case 4:
      case 5: {
        const tokens = line.split(/([ :/;=,])/);
        const token = below(tokens.length);
        return lines.with(at, tokens.with(token, pick(EXTREMES, '')).join('')).join('\r\n');
      }
      case 6:
        return lines.toSpliced(at, 0, pick(LINES, '')).join('\r\n');
      case 7: {
        const other = pick(offers, '').split('\r\n');
        const cut = below(other.length);
        return [...lines.slice(0, at), ...other.slice(cut)].join('\r\n');
      }
      case 8: {
        const other = pick(offers, '').split('\r\n');
        const from = below(other.length);
        return lines.toSpliced(at, below(4), ...other.slice(from, from + 1 + below(20))).join('\r\n');
      }
      default:
        return line.replace(/\d+/, (digits) => String(Number(digits) + below(3) - 1)) === line
          ? before.slice(0, below(before.length))
          : lines
              .with(
                at,
                line.replace(/\d+/, (digits) => String(Number(digits) + below(3) - 1)),
              )
              .join('\r\n');
    }
  }
}
