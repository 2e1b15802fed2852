import type { IncomingMessage } from 'node:http';

/** By method, and what the query or a header adds to it. */
export type S3Operation =
  | 'PutObject'
  | 'CopyObject'
  | 'UploadPart'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'ListObjectsV2'
  | 'ListMultipartUploads'
  | 'CreateMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'other';

/** What a request asks an S3 server for. */
export function operationOf({ method, url = '', headers }: IncomingMessage): S3Operation {
  const query = new URL(url, 'http://s3').searchParams;
  switch (method) {
    case 'PUT':
      if (query.has('partNumber')) return 'UploadPart';
      return headers['x-amz-copy-source'] === undefined ? 'PutObject' : 'CopyObject';
    case 'POST':
      if (query.has('uploads')) return 'CreateMultipartUpload';
      if (query.has('delete')) return 'DeleteObjects';
      return query.has('uploadId') ? 'CompleteMultipartUpload' : 'other';
    case 'GET':
      if (query.has('list-type')) return 'ListObjectsV2';
      return query.has('uploads') ? 'ListMultipartUploads' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'DELETE':
      return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return 'other';
  }
}
