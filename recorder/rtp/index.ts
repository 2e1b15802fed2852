export { parseRtpPacket, type RtpPacket } from './packet.ts';
export { parseSenderReports } from './sender-report.ts';
export { TrackReader } from './track-reader.ts';
export { nearest32 } from './wrap.ts';
