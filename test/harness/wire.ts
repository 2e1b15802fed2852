import { spawn } from 'node:child_process';

/** SSRCs of the RTP packets (RFC 3550 section 5.1) that one UDP port sent to another, read off the wire by tcpdump. */
export async function sentSsrcs(flow: {
  fromPort: number;
  toPort: number;
  durationMs: number;
}): Promise<Set<number>> {
  const filter = `udp and src port ${flow.fromPort} and dst port ${flow.toPort}`;
  const capture = spawn('tcpdump', ['-i', 'any', '-n', '-U', '-s', '96', '-w', '-', filter], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const chunks: Buffer[] = [];
  capture.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => capture.once('close', resolve));
  // The test is about this span of time itself.
  await new Promise((resolve) => setTimeout(resolve, flow.durationMs));
  capture.kill('SIGTERM');
  await ended;

  const pcap = Buffer.concat(chunks);
  const ssrcs = new Set<number>();
  const linkHeaderBytes = linkHeader(pcap.readUInt32LE(20));
  for (let at = 24; at + 16 <= pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8);
    const ip = pcap.subarray(at + 16 + linkHeaderBytes, at + 16 + length);
    const rtp = ip.subarray(((ip[0] ?? 0) & 0x0f) * 4 + 8);
    // RFC 7983: RTP and RTCP begin with 128..191; RTCP's packet types are 192..223 (RFC 5761 section 4).
    const [first = 0, second = 0] = rtp;
    if (rtp.length >= 12 && first >= 128 && first <= 191 && (second < 192 || second > 223)) {
      ssrcs.add(rtp.readUInt32BE(8));
    }
    at += 16 + length;
  }
  return ssrcs;
}

/** Bytes before the IP header, by the capture file's link type (LINUX_SLL, LINUX_SLL2, EN10MB). */
function linkHeader(linkType: number): number {
  const bytes = new Map([
    [113, 16],
    [276, 20],
    [1, 14],
  ]).get(linkType);
  if (bytes === undefined) throw new Error(`unknown link type ${linkType}`);
  return bytes;
}
