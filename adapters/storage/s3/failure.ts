import { MillraceError } from '../../../core/protocol/error.ts';
import { StorageConflict } from '../../../core/storage/object-store.ts';

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

/** By code: what is wrong and what to do. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there; check the endpoint and that the store runs',
  ENOTFOUND: 'the host name is not known; check the endpoint and the name server',
  EAI_AGAIN: 'the name server does not answer; check the network',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'nobody answers there; check the endpoint and the network',
  EHOSTUNREACH: 'the host cannot be reached; check the network',
  ENETUNREACH: 'the network cannot be reached; check the network',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; name it with ca=/path/to/cert.pem',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is signed by an unknown authority; name that with ca=/path/to/ca.pem',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by an unknown authority; name that with ca=/path/to/ca.pem',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by an unknown authority; name that with ca=/path/to/ca.pem',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name; use the name that it is for',
  CERT_HAS_EXPIRED: 'its certificate has expired; have it renewed, or set the clock of this machine',
  EPROTO: 'it does not speak TLS as expected; check whether the endpoint is http or https',
  CredentialsProviderError:
    'there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or a role',
  InvalidAccessKeyId: 'it does not know the access key; check AWS_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'the secret does not fit the access key; check AWS_SECRET_ACCESS_KEY',
  ExpiredToken: 'the credentials have expired; renew them',
  InvalidToken: 'the session token is not valid; check AWS_SESSION_TOKEN',
  AccessDenied:
    'the credentials do not allow it; s3:PutObject, s3:GetObject, s3:DeleteObject, s3:ListBucket, s3:AbortMultipartUpload and s3:ListBucketMultipartUploads are needed',
  NoSuchBucket: 'there is no such bucket; make it, or correct the name',
  RequestTimeTooSkewed: 'the clock of this machine or of the store is wrong by more than 15 minutes; set it',
  PermanentRedirect: 'the bucket is in another region; name it with region=',
  AuthorizationHeaderMalformed: 'the bucket is in another region; name it with region=',
  SlowDown: 'it is asked too often, and says to wait',
  ServiceUnavailable: 'it is not available now',
  InternalError: 'it failed',
  QuotaExceeded: 'the quota is used up; make room or have it raised',
  XMinioStorageFull: 'it is full; make room',
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
  return new MillraceError('storage_unavailable', `${location}: cannot ${doing}: ${reasonOf(told)}`);
}

/** Whether the thing that was asked for is not there; a bucket that is not there is another matter. */
export function isMissing(error: unknown): boolean {
  const { code, status } = toldBy(error);
  return code === 'NoSuchKey' || code === 'NotFound' || (status === 404 && code !== 'NoSuchBucket');
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const { status } = toldBy(error);
  return status !== undefined && statuses.includes(status);
}

function reasonOf({ code, status, message }: Told): string {
  const reason = REASONS[code];
  const known = [code, status === undefined ? '' : `HTTP ${status}`].filter((word) => word !== '').join(', ');
  if (reason !== undefined) return `${reason} (${known})`;
  if (/region is missing/i.test(message)) return 'no region is known; name it with region= or AWS_REGION';
  return message === '' || message === code ? known : `${known}: ${message}`;
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
