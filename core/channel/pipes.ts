import type { RtpParameters, SrtpParameters } from 'mediasoup/types';
import type { StreamName } from '../protocol/stream-name.ts';
import type { CallHandlers, Channel } from './channel.ts';
import type { Codec, Kind } from './media.ts';

/**
 * How another process pulls streams from a media server over pipes: a viewer's media server, or a recorder.
 * A pipe is one pair of transports between a router here and one of the caller's, shared by all streams
 * between the two. Pipes and pulls belong to the connection that opened them, and end with it.
 */
export type PipeCalls = {
  /** The worker that carries a stream now. @throws MillraceError `stream_not_found` */
  locate: {
    request: { readonly stream: StreamName };
    reply: { readonly worker: WorkerRef; readonly epoch: number };
  };
  /**
   * Joins a worker here to the caller's transport.
   *
   * @throws MillraceError `no_media_server` when the worker is gone; `too_many` when the pipe id is taken, or
   *   no port is left
   */
  open: {
    request: { readonly pipe: PipeId; readonly worker: WorkerRef; readonly end: PipeAddress };
    reply: { readonly end: PipeAddress };
  };
  /**
   * Sends a stream's newest connected publication into a pipe, all encodings of all its tracks.
   *
   * @throws MillraceError `stream_not_found`; `stream_ended` when it moved to another worker meanwhile, or the
   *   pipe is gone: locate it again; `too_many` when the pull id is taken
   */
  pull: {
    request: { readonly pipe: PipeId; readonly pull: PullId; readonly stream: StreamName };
    reply: PulledPublication;
  };
  /** Ends a pull, and nothing when it has ended. */
  release: { request: { readonly pull: PullId }; reply: Record<string, never> };
  /** Ends a pipe and its pulls. */
  close: { request: { readonly pipe: PipeId }; reply: Record<string, never> };
};

/** One incarnation of a worker. */
export type WorkerRef = string;
/** Chosen by the caller, unique on its connection. */
export type PipeId = string;
export type PullId = string;

/** One end of a pipe, as the other end must know it. */
export interface PipeAddress {
  readonly ip: string;
  readonly port: number;
  readonly srtpParameters?: SrtpParameters;
}

/** A track on a pipe, as the receiving end must know it. */
export interface PipedTrack {
  /** Of the publisher's producer, the same on every pipe. */
  readonly producerId: string;
  readonly kind: Kind;
  readonly codec: Codec;
  readonly rtpParameters: RtpParameters;
  readonly paused: boolean;
}

export interface PulledPublication {
  readonly epoch: number;
  /** Changes with the publisher's transport: another generation has other producers. */
  readonly generation: string;
  readonly tracks: readonly PipedTrack[];
}

export type PipeNotice =
  | {
      readonly type: 'track.paused';
      readonly pull: PullId;
      readonly producerId: string;
      readonly paused: boolean;
    }
  /** The publisher added, removed or replaced tracks: all of the publication's now. */
  | { readonly type: 'tracks.changed'; readonly pull: PullId; readonly tracks: readonly PipedTrack[] }
  /** A newer generation carries the stream: pull it; this one goes within 10 s, or when it is released. */
  | { readonly type: 'pull.moved'; readonly pull: PullId }
  /** The publication is gone. */
  | { readonly type: 'pull.ended'; readonly pull: PullId }
  /** The worker at this end died; the pulls of the pipe have ended. */
  | { readonly type: 'pipe.closed'; readonly pipe: PipeId };

export type PipeChannel = Channel<PipeCalls, PipeNotice>;
export type PipeHandlers = CallHandlers<PipeCalls>;
