import type { SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { NodeId } from '../registry/node-id.ts';
import type { CallHandlers, Channel } from './channel.ts';

/** What signaling asks of a media server, and what a media server tells signaling. */
export type Role = 'publish' | 'play';
export type Kind = 'audio' | 'video';
export type Codec = 'opus' | 'VP8' | 'VP9' | 'H264' | 'AV1';

export interface Track {
  readonly kind: Kind;
  readonly codec: Codec;
  /** Simulcast encodings; 1 without simulcast. */
  readonly encodings: number;
}

/** Muted state of both kinds; false for a kind that the stream lacks. */
export interface MuteState {
  readonly video: boolean;
  readonly audio: boolean;
}

export interface PublishRequest {
  readonly stream: StreamName;
  /** Granted by the registry; a media server refuses one that is older than what it has seen. */
  readonly epoch: number;
  readonly session: SessionId;
  /** Token subject, as in the claim: for a registry that loses the stream and is told of it again. Absent = ''. */
  readonly subject?: string;
  readonly sdp: string;
  /** Absent or 0 = the server's default. Above the server's limit it is lowered. */
  readonly maxBitrateBps?: number;
  /**
   * Whether the session's client has events: where this media server drains, it is told `publish.moved` and given
   * time, else its transport is closed. Absent = it has none.
   */
  readonly events?: boolean;
}

export interface PublishReply {
  readonly sdp: string;
  readonly tracks: readonly Track[];
}

export interface PlayRequest {
  readonly stream: StreamName;
  readonly session: SessionId;
  readonly sdp: string;
  /** Whether the session's client has events: it is told `play.moved` and given time, else its play is closed. */
  readonly events: boolean;
  /** Where the stream is published; a media server that is not this one pulls it. Absent = here. */
  readonly origin?: StreamOrigin;
}

/** The media server that a stream is published on, as the registry has it. */
export interface StreamOrigin {
  readonly node: NodeId;
  /** Of its internal channel. */
  readonly address: string;
  readonly epoch: number;
}

export interface PlayReply {
  readonly sdp: string;
}

export interface MuteRequest {
  readonly stream: StreamName;
  readonly session: SessionId;
  /** Absent = the publish if the session has one here, else the play. */
  readonly role?: Role;
  /** true = muted; absent = left as it is. */
  readonly video?: boolean;
  readonly audio?: boolean;
}

export interface CloseRequest {
  readonly stream: StreamName;
  readonly session: SessionId;
  /** Absent = both. */
  readonly role?: Role;
  /**
   * Of a play: the session has another one elsewhere by now. This one goes when its client leaves it, after
   * 10 s at the latest.
   */
  readonly leaving?: boolean;
}

/** A published stream as a media server sees it now. */
export interface StreamReport {
  readonly stream: StreamName;
  readonly epoch: number;
  readonly session: SessionId;
  /** Unix time. */
  readonly sinceMs: number;
  readonly tracks: readonly Track[];
  readonly muted: MuteState;
  /** Media arrived within the last 2 s, or the publisher's transport is still connecting. */
  readonly live: boolean;
  readonly viewers: number;
  readonly bitrateBps: number;
  /** Bitrate of each video encoding, lowest first. */
  readonly encodings: readonly { readonly rid: string; readonly bitrateBps: number }[];
  readonly lossRatio: number;
  readonly roundTripMs: number | null;
}

/** One viewer's play, by the worker's own statistics. */
export interface PlayReport {
  readonly stream: StreamName;
  readonly session: SessionId;
  readonly sinceMs: number;
  readonly bitrateBps: number;
  /** Spatial layer sent now; null when none is, or the stream has one encoding. */
  readonly spatialLayer: number | null;
  readonly availableBitrateBps: number | null;
  readonly lossRatio: number;
  readonly roundTripMs: number | null;
  readonly muted: MuteState;
}

export type MediaCalls = {
  publish: { request: PublishRequest; reply: PublishReply };
  play: { request: PlayRequest; reply: PlayReply };
  mute: { request: MuteRequest; reply: MuteState };
  close: { request: CloseRequest; reply: { readonly closed: readonly Role[] } };
  /** Ends everything that a session holds on this media server. */
  release: { request: { readonly session: SessionId }; reply: Record<string, never> };
  /**
   * Another media server carries the stream by this epoch, and its publisher is connected there. Viewers are moved;
   * what is here of an older epoch goes with the last of them, after 10 s at the latest.
   */
  moved: {
    request: { readonly stream: StreamName; readonly epoch: number };
    reply: Record<string, never>;
  };
  /** Begins to drain this media server; its process ends when all has moved, or at its deadline. */
  drain: { request: Record<string, never>; reply: Record<string, never> };
  /** Ends a stream whoever publishes it, and its plays. */
  end: { request: { readonly stream: StreamName }; reply: { readonly ended: boolean } };
  /** At most `limit` streams, ordered by name, beginning behind `after`. */
  streams: {
    request: { readonly after?: string; readonly limit: number };
    reply: { readonly streams: readonly StreamReport[] };
  };
  /** The media servers that pull a stream from this one, and so serve viewers without another pull. */
  edges: {
    request: { readonly stream: StreamName };
    reply: { readonly nodes: readonly NodeId[] };
  };
  /** null when this media server does not have the stream. At most 1000 plays are listed. */
  stream: {
    request: { readonly stream: StreamName };
    reply: { readonly stream: StreamReport | null; readonly plays: readonly PlayReport[] };
  };
};

/** Why a publish or a play ended. */
export type EndReason =
  /** `stream.close` by its own session. */
  | 'closed'
  /** The publisher closed the stream, or left it for longer than the resume time. */
  | 'publisher_closed'
  /** Another publisher took the name. */
  | 'displaced'
  /** Consent expired (RFC 7675) or the client closed its DTLS. */
  | 'transport_lost'
  /** The worker or the media server that carried it died. */
  | 'media_server_lost'
  /** An operator ended it. */
  | 'ended_by_operator'
  /** The session was gone for longer than the resume time. */
  | 'session_ended';

export type MediaNotice =
  /** The publisher's transport connected: the stream carries media. */
  | {
      readonly type: 'publish.connected';
      readonly stream: StreamName;
      readonly session: SessionId;
      readonly epoch: number;
    }
  | {
      readonly type: 'publish.ended';
      readonly stream: StreamName;
      readonly session: SessionId;
      readonly epoch: number;
      readonly reason: EndReason;
    }
  /** This media server drains: the session is to publish the stream again, elsewhere. May come again. */
  | {
      readonly type: 'publish.moved';
      readonly stream: StreamName;
      readonly session: SessionId;
      readonly epoch: number;
    }
  /** Not sent for a play that its own session closed, nor for sessions that were released. */
  | {
      readonly type: 'play.ended';
      readonly stream: StreamName;
      readonly session: SessionId;
      readonly reason: EndReason;
      /** false when the client could not see its transport close (its worker died): its socket must tell it. */
      readonly transportClosed: boolean;
    }
  /** The stream has a new generation; the session may play it again while the old one lasts, at most 10 s. */
  | { readonly type: 'play.moved'; readonly stream: StreamName; readonly session: SessionId };

export type MediaChannel = Channel<MediaCalls, MediaNotice>;
export type MediaHandlers = CallHandlers<MediaCalls>;
