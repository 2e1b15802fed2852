import { MillraceError } from '../protocol/error.ts';

/** Why a store could not do what it was asked to, and what a person can do about it. */
export class StorageUnavailable extends MillraceError {
  readonly why: string;
  readonly fix: string | undefined;

  /** @param doing such as `write a/b.webm` */
  constructor(
    location: string,
    doing: string,
    { why, fix }: { readonly why: string; readonly fix?: string | undefined },
    options?: { cause?: unknown },
  ) {
    super(
      'storage_unavailable',
      `${location}: cannot ${doing}: ${why}${fix === undefined ? '' : `; ${fix}`}`,
      options,
    );
    this.why = why;
    this.fix = fix;
  }

  static late(location: string, doing: string, timeoutMs: number): StorageUnavailable {
    return new StorageUnavailable(location, doing, {
      why: `no answer within ${timeoutMs} ms`,
      fix: 'see whether it is overloaded, or the way there is broken',
    });
  }
}
