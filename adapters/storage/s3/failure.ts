import { MillraceError } from '../../../core/protocol/error.ts';
import { StorageConflict } from '../../../core/storage/object-store.ts';
import { StorageUnavailable } from '../../../core/storage/storage-unavailable.ts';

/** What is known of an error of the SDK: a service's code, or that of Node. */
interface Told {
  readonly code: string;
  readonly status: number | undefined;
  readonly message: string;
}

/** Somebody else was there first, or the thing is gone. */
const CONFLICTS = [
  'PreconditionFailed',
  'ConditionalRequestConflict',
  'NoSuchUpload',
  'InvalidPart',
  // A file stands where a folder is needed, in stores that keep their objects in files.
  'ObjectParentIsFile',
  'ExistingObjectIsDirectory',
];

const UNKNOWN_AUTHORITY = [
  'its certificate is signed by an unknown authority',
  'name that with ca=/path/to/ca.pem',
] as const;
const UNKNOWN_KEY = ['it does not know the access key', 'check AWS_ACCESS_KEY_ID'] as const;
const NO_TLS = ['it does not speak TLS', 'check the endpoint: http, or another port?'] as const;

/** By code: what is wrong and what to do. */
const REASONS: Readonly<Record<string, readonly [why: string, fix: string]>> = {
  ECONNREFUSED: ['nobody listens there', 'check the endpoint, and that the store runs'],
  ENOTFOUND: ['the host name is not known', 'check the endpoint and the name server'],
  EAI_AGAIN: ['the name server does not answer', 'check the network'],
  ECONNRESET: ['the connection was cut', 'check the endpoint and the network'],
  EPIPE: ['the connection was cut', 'check the endpoint and the network'],
  ETIMEDOUT: ['nobody answers there', 'check the endpoint and the network'],
  EHOSTUNREACH: ['the host cannot be reached', 'check the network'],
  ENETUNREACH: ['the network cannot be reached', 'check the network'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate is self-signed', 'name it with ca=/path/to/cert.pem'],
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: ['its certificate is for another host name', 'use the name that it is for'],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'have it renewed, or set the clock of this machine'],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', 'set the clock of this machine'],
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  HPE_INVALID_CONSTANT: ['it does not speak HTTP', 'check the endpoint: https, or another port?'],
  CredentialsProviderError: [
    'there are no credentials',
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or a role',
  ],
  InvalidAccessKeyId: UNKNOWN_KEY,
  XAdminUserNotFound: UNKNOWN_KEY,
  SignatureDoesNotMatch: ['the secret does not fit the access key', 'check AWS_SECRET_ACCESS_KEY'],
  ExpiredToken: ['the credentials have expired', 'renew them'],
  InvalidToken: ['the session token is not valid', 'check AWS_SESSION_TOKEN'],
  AccessDenied: [
    'the credentials do not allow it',
    'grant s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload on the objects, and s3:ListBucket and s3:ListBucketMultipartUploads on the bucket',
  ],
  NoSuchBucket: ['there is no such bucket', 'make it, or correct the name'],
  RequestTimeTooSkewed: [
    'the clocks of this machine and of the store differ by more than 15 minutes',
    'set the one that is wrong',
  ],
  PermanentRedirect: ['the bucket is in another region', 'name that with region='],
  AuthorizationHeaderMalformed: ['the bucket is in another region', 'name that with region='],
  SlowDown: ['it is asked too often, and says to wait', 'have its limits raised'],
  ServiceUnavailable: ['it is not available now', 'see how the store does'],
  InternalError: ['it failed', 'see how the store does'],
  QuotaExceeded: ['the quota is used up', 'make room, or have it raised'],
  XMinioStorageFull: ['it is full', 'make room'],
};

/** An answer to HEAD has no body, and with it no code. */
const BY_STATUS: Readonly<Record<number, string>> = {
  403: 'AccessDenied',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/**
 * The error as callers know it. What the SDK threw is not passed on: it holds the access key and the signature.
 *
 * @param doing such as `write a/b.webm`
 */
export function failure(error: unknown, location: string, doing: string): Error {
  if (error instanceof MillraceError || error instanceof StorageConflict) return error;
  const told = toldBy(error);
  if (told.status === 412 || CONFLICTS.includes(told.code)) {
    return new StorageConflict(`${location}: cannot ${doing}: ${told.code}`);
  }
  return new StorageUnavailable(location, doing, reasonOf(told));
}

/** Whether what was asked for is not there. Other things are said with 404 too: no such bucket, no such user. */
export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(toldBy(error).code);
}

/** Whether the connection ended without an answer. */
export function isCut(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(toldBy(error).code);
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const { status } = toldBy(error);
  return status !== undefined && statuses.includes(status);
}

function reasonOf({ code, status, message }: Told): { readonly why: string; readonly fix?: string } {
  if (/region is missing/i.test(message)) {
    return { why: 'no region is known', fix: 'name it with region= or AWS_REGION' };
  }
  const known = [code, status === undefined ? '' : `HTTP ${status}`].filter((word) => word !== '').join(', ');
  const [why, fix] = REASONS[code] ?? REASONS[BY_STATUS[status ?? 0] ?? ''] ?? [];
  if (why !== undefined && fix !== undefined) return { why: `${why} (${known})`, fix };
  return { why: message === '' || message === code ? known : `${known}: ${message}` };
}

function toldBy(error: unknown): Told {
  if (!(error instanceof Error)) return { code: 'Error', status: undefined, message: String(error) };
  // Beside the fields of every error, those of the SDK and of Node's sockets.
  const { code, $metadata, errors } = error as Error & {
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
    errors?: readonly unknown[];
  };
  const status = $metadata?.httpStatusCode;
  // Several addresses were tried (RFC 8305); the first says as much as all.
  if (errors?.[0] !== undefined && typeof code !== 'string') return toldBy(errors[0]);
  return {
    code: status === undefined && typeof code === 'string' ? code : error.name,
    status,
    message: error.message,
  };
}
