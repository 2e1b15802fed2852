import type { Logger } from 'pino';
import { displaced } from '../../core/recording/file-name.ts';
import type { RecordingEpoch, RecordingSpec } from '../../core/recording/recording.ts';
import type { Upload } from '../../core/storage/object-store.ts';
import { firstMetadata } from '../finish/description.ts';
import { type Claim, Superseded } from './claim.ts';
import { type Reservation, releaseKey, reserveKey, stateOfKey } from './reservation.ts';
import type { Storage } from './storage.ts';

export interface UploadOptions {
  readonly storage: Storage;
  readonly spec: RecordingSpec;
  readonly file: number;
  readonly epoch: RecordingEpoch;
  readonly claim: Claim;
  readonly reservation: Reservation;
  /** A predecessor's. */
  readonly upload?: string;
  readonly log: Logger;
}

/**
 * The upload that parts go to, created with the first of them. An upload is bound to its key, and its parts
 * cannot be read back: so the key is looked at before, and one that others have written at is given up.
 */
export class Uploads {
  readonly #options: UploadOptions;
  #reservation: Reservation;
  #id: string | undefined;
  #opening: Promise<Upload> | undefined;

  constructor(options: UploadOptions) {
    this.#options = options;
    this.#reservation = options.reservation;
    this.#id = options.upload;
  }

  get reservation(): Reservation {
    return this.#reservation;
  }

  get id(): string | undefined {
    return this.#id;
  }

  open(): Promise<Upload> {
    if (this.#id !== undefined) return Promise.resolve({ key: this.#reservation.key, id: this.#id });
    this.#opening ??= this.#create();
    return this.#opening;
  }

  async #create(): Promise<Upload> {
    const { storage, spec, claim } = this.#options;
    const key = await this.#keptKey();
    const upload = await storage.patience.until(`create upload of ${key}`, 0, (timeoutMs) =>
      storage.objects.createUpload(key, {
        timeoutMs,
        contentType: 'video/webm',
        metadata: firstMetadata(this.#options),
      }),
    );
    try {
      // Of one created after the file was complete nobody else would know.
      await claim.check();
    } catch (error) {
      if (error instanceof Superseded) {
        await storage.patience.until('abort upload', 0, (timeoutMs) =>
          storage.objects.abortUpload(upload, { timeoutMs }),
        );
        if (key !== this.#options.reservation.key) await releaseKey(storage, spec.id, key);
      }
      throw error;
    }
    this.#id = upload.id;
    this.#options.log.debug({ recording: spec.id, key, upload: upload.id }, 'upload created');
    return upload;
  }

  /** One that is free again is not reserved again: what is completed there must find nothing. */
  async #keptKey(): Promise<string> {
    const { storage, spec, epoch, log } = this.#options;
    const { key } = this.#reservation;
    const state = await stateOfKey(storage, spec.id, key);
    if (state.kind === 'complete') throw new Superseded(`${key} is complete`);
    if (state.kind === 'reserved') this.#reservation = { key, etag: state.etag };
    if (state.kind === 'foreign') {
      this.#reservation = await reserveKey(storage, spec.id, displaced(key, epoch), log);
      log.warn(
        { key, instead: this.#reservation.key },
        'somebody else wrote at the key: another name is used',
      );
    }
    return this.#reservation.key;
  }
}
