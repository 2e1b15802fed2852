/**
 * Where recordings are kept: a flat space of objects with conditional writes and multipart uploads, as S3
 * has them. Keys are relative paths with `/` between their parts, checked before they come here.
 *
 * Every method throws MillraceError `storage_unavailable` when the store is out of reach, refuses the
 * credentials, is full or fails (what may be tried again), within the deadline of the call; and
 * `StorageConflict` where a condition does not hold. No method tries again by itself: who calls knows
 * whether a repetition is safe. What was not answered in time may still happen. A key that could lead out of
 * the store is `name_refused`.
 */
export interface ObjectStore {
  /** For people and logs: where it is, without credentials. */
  readonly location: string;

  /** Writes an object whole. @throws StorageConflict when the condition does not hold */
  put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }>;
  /** undefined when there is none. */
  head(key: string, options: CallOptions): Promise<ObjectInfo | undefined>;
  /** The object, or a part of it; undefined when there is none. Not for objects above 64 MiB. */
  get(key: string, options: CallOptions & { readonly range?: ByteRange }): Promise<Uint8Array | undefined>;
  /** The same for objects of any size, as it arrives. The deadline is for the first bytes, and for each silence after them. */
  read(
    key: string,
    options: CallOptions & { readonly range?: ByteRange },
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** What is not there is deleted already. */
  delete(keys: readonly string[], options: CallOptions): Promise<void>;
  /** Objects whose key begins with `prefix`, ordered by key, behind `after`. At most 1000. */
  list(prefix: string, options: CallOptions & { readonly after?: string }): Promise<readonly ListedObject[]>;
  /** Replaces the metadata of a finished object; `false` when the store cannot (S3: above 5 GB). */
  setMetadata(
    key: string,
    metadata: Metadata,
    options: CallOptions & { readonly ifMatch: string },
  ): Promise<boolean>;

  createUpload(
    key: string,
    options: CallOptions & { readonly metadata: Metadata; readonly contentType: string },
  ): Promise<Upload>;
  /** Parts are numbered 1..10000; all but the last have at least 5 MiB. A number sent again replaces the part. */
  uploadPart(
    upload: Upload,
    number: number,
    body: Uint8Array,
    options: CallOptions,
  ): Promise<{ readonly etag: string }>;
  /**
   * The parts named, in the order of their numbers (which may have holes), become the object at once; other parts are dropped.
   * @throws StorageConflict when the condition does not hold, or the upload is gone
   */
  completeUpload(
    upload: Upload,
    parts: readonly UploadedPart[],
    options: CallOptions & Condition,
  ): Promise<{ readonly etag: string }>;
  /** What is gone is aborted already. */
  abortUpload(upload: Upload, options: CallOptions): Promise<void>;
  /** Uploads under way whose key begins with `prefix`. At most 1000. */
  uploads(prefix: string, options: CallOptions): Promise<readonly Upload[]>;

  /** An address where anyone can read the object for `ttlS` seconds; undefined where the store has none (a folder). */
  presign(key: string, ttlS: number): Promise<string | undefined>;
  /** Lets go of sockets. */
  close(): void;
}

export interface CallOptions {
  readonly timeoutMs: number;
}

/**
 * At most one of the two. `*`: only where nothing is. An ETag: only over exactly that object; equal contents may
 * have equal ETags, so what a condition is to tell apart has to differ in its bytes.
 */
export interface Condition {
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
}

export interface PutOptions extends CallOptions, Condition {
  readonly contentType?: string;
  readonly metadata?: Metadata;
}

/** Names in lower case, letters, digits and `-`; values of printable ASCII, 2 KiB in all (S3's limit). */
export type Metadata = Readonly<Record<string, string>>;

/** It ends where the object ends; one that begins there or behind is empty. */
export interface ByteRange {
  readonly from: number;
  /** Exclusive; absent = to the end. */
  readonly to?: number;
}

export interface ObjectInfo {
  readonly bytes: number;
  readonly etag: string;
  readonly metadata: Metadata;
  /** Unix time by the store's clock. */
  readonly modifiedAtMs: number;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
}

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
}

/** A condition did not hold: somebody else was there first. */
export class StorageConflict extends Error {
  override readonly name = 'StorageConflict';
}
