import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { checkObjectKey } from '../../../core/storage/object-key.ts';
import {
  type ByteRange,
  type CallOptions,
  type Condition,
  type ListedObject,
  type Metadata,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  StorageConflict,
  type Upload,
  type UploadedPart,
} from '../../../core/storage/object-store.ts';
import { StorageUnavailable } from '../../../core/storage/storage-unavailable.ts';
import { withinDeadline } from '../deadline.ts';
import { bytesOf, chunksOf } from './body.ts';
import { createClient } from './client.ts';
import { Deleter } from './deleter.ts';
import { failure, hasStatus, isCut, isMissing } from './failure.ts';
import { describeLocation, type S3Location } from './location.ts';

const DEFAULT_TYPE = 'application/octet-stream';
/** The most that one request copies (S3's limit of CopyObject). */
const MAX_COPY_BYTES = 5 * 1024 ** 3;
const PAGE = 1000;
/** Nothing is asked but where the credentials come from. */
const SIGN_TIMEOUT_MS = 5000;

/** Any S3-compatible store. Speaks to it when it is first asked for something. */
export function openS3(location: S3Location): ObjectStore {
  return new S3Store(location);
}

class S3Store implements ObjectStore {
  readonly location: string;
  readonly #client: S3Client;
  readonly #deleter: Deleter;
  readonly #bucket: string;
  readonly #prefix: string;
  #closed = false;

  constructor(location: S3Location) {
    this.location = describeLocation(location);
    this.#bucket = location.bucket;
    this.#prefix = location.prefix === '' ? '' : `${location.prefix}/`;
    this.#client = createClient(location);
    this.#deleter = new Deleter(this.#client, this.#bucket);
  }

  async put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }> {
    const { contentType = DEFAULT_TYPE, metadata = {} } = options;
    const command = new PutObjectCommand({
      ...this.#object(key),
      ...conditionOf(options),
      Body: body,
      ContentType: contentType,
      Metadata: { ...metadata },
    });
    return this.#conditional(`write ${key}`, options, async (abortSignal) =>
      etagOf(await this.#client.send(command, { abortSignal })),
    );
  }

  async head(key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
    const command = new HeadObjectCommand(this.#object(key));
    return this.#call(`look at ${key}`, options, async (abortSignal) => {
      try {
        const found = await this.#client.send(command, { abortSignal });
        return {
          bytes: found.ContentLength ?? 0,
          ...etagOf(found),
          metadata: found.Metadata ?? {},
          modifiedAtMs: found.LastModified?.getTime() ?? 0,
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async get(
    key: string,
    options: CallOptions & { readonly range?: ByteRange },
  ): Promise<Uint8Array | undefined> {
    return this.#call(`read ${key}`, options, async (signal) => {
      const body = await this.#body(key, options, signal);
      return body instanceof Uint8Array || body === undefined ? body : bytesOf(body, signal);
    });
  }

  async read(
    key: string,
    options: CallOptions & { readonly range?: ByteRange },
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const doing = `read ${key}`;
    const body = await this.#call(doing, options, (signal) => this.#body(key, options, signal));
    if (body === undefined) return undefined;
    if (body instanceof Uint8Array) return none();
    return chunksOf(
      body,
      options.timeoutMs,
      () => StorageUnavailable.late(this.location, doing, options.timeoutMs),
      (error) => failure(error, this.location, doing),
    );
  }

  async delete(keys: readonly string[], options: CallOptions): Promise<void> {
    const names = keys.map((key) => this.#object(key).Key);
    const doing = keys.length === 1 ? `delete ${keys[0]}` : `delete ${keys.length} objects`;
    await this.#call(doing, options, (signal) => this.#deleter.delete(names, signal));
  }

  async list(
    prefix: string,
    options: CallOptions & { readonly after?: string },
  ): Promise<readonly ListedObject[]> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: this.#prefix + prefix,
      MaxKeys: PAGE,
      ...(options.after === undefined ? {} : { StartAfter: this.#prefix + options.after }),
    });
    return this.#call(`list ${prefix}`, options, async (abortSignal) => {
      const { Contents = [] } = await this.#client.send(command, { abortSignal });
      return Contents.map(({ Key = '', Size = 0, LastModified }) => ({
        key: Key.slice(this.#prefix.length),
        bytes: Size,
        modifiedAtMs: LastModified?.getTime() ?? 0,
      }));
    });
  }

  async setMetadata(
    key: string,
    metadata: Metadata,
    options: CallOptions & { readonly ifMatch: string },
  ): Promise<boolean> {
    const object = this.#object(key);
    return this.#conditional(`set the metadata of ${key}`, options, async (abortSignal) => {
      const found = await this.#client.send(new HeadObjectCommand(object), { abortSignal });
      if ((found.ContentLength ?? 0) > MAX_COPY_BYTES) return false;
      const command = new CopyObjectCommand({
        ...object,
        CopySource: encodeURIComponent(`${this.#bucket}/${object.Key}`).replaceAll('%2F', '/'),
        CopySourceIfMatch: options.ifMatch,
        MetadataDirective: 'REPLACE',
        Metadata: { ...metadata },
        ContentType: found.ContentType ?? DEFAULT_TYPE,
      });
      await this.#client.send(command, { abortSignal });
      return true;
    });
  }

  async createUpload(
    key: string,
    options: CallOptions & { readonly metadata: Metadata; readonly contentType: string },
  ): Promise<Upload> {
    const command = new CreateMultipartUploadCommand({
      ...this.#object(key),
      ContentType: options.contentType,
      Metadata: { ...options.metadata },
    });
    return this.#call(`begin an upload of ${key}`, options, async (abortSignal) => {
      const { UploadId } = await this.#client.send(command, { abortSignal });
      if (UploadId === undefined) throw new Error('the answer names no upload');
      return { key, id: UploadId };
    });
  }

  async uploadPart(
    upload: Upload,
    number: number,
    body: Uint8Array,
    options: CallOptions,
  ): Promise<{ readonly etag: string }> {
    const command = new UploadPartCommand({ ...this.#upload(upload), PartNumber: number, Body: body });
    const doing = `write part ${number} of ${upload.key}`;
    return this.#call(doing, options, async (abortSignal) => {
      try {
        return etagOf(await this.#client.send(command, { abortSignal }));
      } catch (error) {
        // A store that answers before it has read all may cut the connection, and its answer is lost.
        if (isCut(error) && !(await this.#isThere(upload, abortSignal))) {
          throw new StorageConflict(`${this.location}: cannot ${doing}: the upload is gone`);
        }
        throw error;
      }
    });
  }

  async completeUpload(
    upload: Upload,
    parts: readonly UploadedPart[],
    options: CallOptions & Condition,
  ): Promise<{ readonly etag: string }> {
    const ordered = parts.toSorted((a, b) => a.number - b.number);
    const command = new CompleteMultipartUploadCommand({
      ...this.#upload(upload),
      ...conditionOf(options),
      MultipartUpload: { Parts: ordered.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
    });
    return this.#conditional(`complete the upload of ${upload.key}`, options, async (abortSignal) =>
      etagOf(await this.#client.send(command, { abortSignal })),
    );
  }

  async abortUpload(upload: Upload, options: CallOptions): Promise<void> {
    const command = new AbortMultipartUploadCommand(this.#upload(upload));
    await this.#call(`abort the upload of ${upload.key}`, options, async (abortSignal) => {
      try {
        await this.#client.send(command, { abortSignal });
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  async uploads(prefix: string, options: CallOptions): Promise<readonly Upload[]> {
    return this.#call(`list uploads of ${prefix}`, options, (signal) => this.#uploads(prefix, signal));
  }

  async presign(key: string, ttlS: number): Promise<string | undefined> {
    const command = new GetObjectCommand(this.#object(key));
    return this.#call(`presign ${key}`, { timeoutMs: SIGN_TIMEOUT_MS }, () =>
      getSignedUrl(this.#client, command, { expiresIn: ttlS }),
    );
  }

  close(): void {
    this.#closed = true;
    this.#client.destroy();
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    checkObjectKey(key);
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  async #uploads(prefix: string, abortSignal: AbortSignal): Promise<readonly Upload[]> {
    const command = new ListMultipartUploadsCommand({
      Bucket: this.#bucket,
      Prefix: this.#prefix + prefix,
      MaxUploads: PAGE,
    });
    const { Uploads = [] } = await this.#client.send(command, { abortSignal });
    return Uploads.map(({ Key = '', UploadId = '' }) => ({
      key: Key.slice(this.#prefix.length),
      id: UploadId,
    }));
  }

  async #isThere({ key, id }: Upload, signal: AbortSignal): Promise<boolean> {
    const uploads = await this.#uploads(key, signal);
    return uploads.length >= PAGE || uploads.some((one) => one.key === key && one.id === id);
  }

  #upload({ key, id }: Upload): { readonly Bucket: string; readonly Key: string; readonly UploadId: string } {
    return { ...this.#object(key), UploadId: id };
  }

  /** A range without bytes is no range in HTTP (RFC 9110 section 14.1.1); whether there is an object counts all the same. */
  async #body(
    key: string,
    { range }: { readonly range?: ByteRange },
    abortSignal: AbortSignal,
  ): Promise<Readable | Uint8Array | undefined> {
    const object = this.#object(key);
    try {
      if (range?.to !== undefined && range.to <= range.from) {
        await this.#client.send(new HeadObjectCommand(object), { abortSignal });
        return new Uint8Array();
      }
      const Range = range && `bytes=${range.from}-${range.to === undefined ? '' : range.to - 1}`;
      const { Body } = await this.#client.send(new GetObjectCommand({ ...object, Range }), { abortSignal });
      // On Node it is one; the type names what it is in browsers too.
      return Body as Readable;
    } catch (error) {
      if (isMissing(error)) return undefined;
      if (hasStatus(error, 416)) return new Uint8Array();
      throw error;
    }
  }

  /** A call that is refused when the object it is for is not there. */
  #conditional<T>(
    doing: string,
    options: CallOptions & Condition,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#call(doing, options, async (signal) => {
      try {
        return await work(signal);
      } catch (error) {
        if (options.ifMatch !== undefined && isMissing(error)) {
          throw new StorageConflict(`${this.location}: cannot ${doing}: it is not there`);
        }
        throw error;
      }
    });
  }

  async #call<T>(
    doing: string,
    { timeoutMs }: CallOptions,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      if (this.#closed) throw new StorageUnavailable(this.location, doing, { why: 'it is closed' });
      return await withinDeadline(timeoutMs, work, () =>
        StorageUnavailable.late(this.location, doing, timeoutMs),
      );
    } catch (error) {
      throw failure(error, this.location, doing);
    }
  }
}

function conditionOf({ ifNoneMatch, ifMatch }: Condition): { IfNoneMatch?: string; IfMatch?: string } {
  return {
    ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
    ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
  };
}

function etagOf({ ETag }: { readonly ETag?: string | undefined }): { readonly etag: string } {
  if (ETag === undefined) throw new Error('the answer has no ETag');
  return { etag: ETag };
}

async function* none(): AsyncIterable<Uint8Array> {}
