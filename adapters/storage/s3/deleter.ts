import { DeleteObjectCommand, DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3';
import { hasStatus, isMissing } from './failure.ts';

/** The most that one request deletes. */
const BATCH = 1000;
const AT_ONCE = 8;

/** Deletes many at once, or one by one in stores that cannot do the former. */
export class Deleter {
  readonly #client: S3Client;
  readonly #bucket: string;
  #oneByOne = false;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < keys.length; from += BATCH) {
      const batch = keys.slice(from, from + BATCH);
      if (batch.length === 1 || this.#oneByOne) await this.#deleteEach(batch, signal);
      else await this.#deleteTogether(batch, signal);
    }
  }

  async #deleteTogether(keys: readonly string[], abortSignal: AbortSignal): Promise<void> {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket,
      Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
    });
    try {
      const { Errors = [] } = await this.#client.send(command, { abortSignal });
      const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
      if (failed) throw Object.assign(new Error(failed.Message ?? ''), { name: failed.Code ?? 'Error' });
    } catch (error) {
      // Not known there (501), or not without a checksum of another kind (400).
      if (!hasStatus(error, 400, 405, 501)) throw error;
      this.#oneByOne = true;
      await this.#deleteEach(keys, abortSignal);
    }
  }

  async #deleteEach(keys: readonly string[], abortSignal: AbortSignal): Promise<void> {
    const waiting = keys.values();
    const worker = async () => {
      for (const Key of waiting) {
        try {
          await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key }), { abortSignal });
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, keys.length) }, worker));
  }
}
