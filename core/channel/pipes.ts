import type { RtpParameters, SrtpParameters } from 'mediasoup/types';
import type { StreamName } from '../protocol/stream-name.ts';
import type { NodeId } from '../registry/node-id.ts';
import type { CallHandlers, Channel } from './channel.ts';
import type { Codec, EndReason, Kind } from './media.ts';

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
   * Asked by a media server that wants the stream for its viewers: a place among those that pull it from here,
   * kept for some seconds until the pull begins, or whom to ask instead. So a stream's media servers are a tree.
   *
   * @throws MillraceError `stream_not_found`; `too_many` when the tree has no place below this node
   */
  adopt: {
    request: {
      readonly stream: StreamName;
      readonly by: NodeRef;
      /** Those that the asker could not reach. */
      readonly without?: readonly NodeId[];
    };
    reply: Adoption;
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
    request: {
      readonly pipe: PipeId;
      readonly pull: PullId;
      readonly stream: StreamName;
      /** The media server that was adopted; absent for a recorder, which takes nobody's place. */
      readonly by?: NodeId;
    };
    reply: PulledPublication;
  };
  /** Ends a pull, and nothing when it has ended. */
  release: { request: { readonly pull: PullId }; reply: Record<string, never> };
  /** Ends a pipe and its pulls. */
  close: { request: { readonly pipe: PipeId }; reply: Record<string, never> };
};

/** A media server, and where its channel listens. */
export interface NodeRef {
  readonly node: NodeId;
  readonly address: string;
}

export type Adoption =
  | {
      readonly worker: WorkerRef;
      readonly epoch: number;
      /** The media servers from the stream's origin to this one, both included. */
      readonly path: readonly NodeId[];
    }
  /** The fan-out limit is reached: this one has the stream too. */
  | { readonly refer: NodeRef };

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
  /** Of the producer at the sending end. */
  readonly producerId: string;
  readonly kind: Kind;
  readonly codec: Codec;
  readonly rtpParameters: RtpParameters;
  readonly paused: boolean;
}

export interface PulledPublication {
  readonly epoch: number;
  /** Changes with the publisher's transport, and where the sender itself pulls the stream anew. */
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
  | {
      readonly type: 'pull.moved';
      readonly pull: PullId;
      /** Another media server carries it: look it up again. Absent = it is to be pulled here. */
      readonly elsewhere?: true;
    }
  /** The publication is gone. @param reason why, where the stream ended with it */
  | { readonly type: 'pull.ended'; readonly pull: PullId; readonly reason?: EndReason }
  /** The worker at this end died; the pulls of the pipe have ended. */
  | { readonly type: 'pipe.closed'; readonly pipe: PipeId };

export type PipeChannel = Channel<PipeCalls, PipeNotice>;
export type PipeHandlers = CallHandlers<PipeCalls>;
