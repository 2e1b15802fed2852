/** Where in which S3; without credentials, which come by the usual chain of the SDK. */
export interface S3Location {
  readonly bucket: string;
  /** In front of every key; '' = none. Neither begins nor ends with a slash. */
  readonly prefix: string;
  /** http(s)://host[:port]; absent = AWS. */
  readonly endpoint?: string;
  /** Absent = that of the environment or of the shared configuration. */
  readonly region?: string;
  /** PEM file with the certificates that the endpoint's is trusted by. */
  readonly caFile?: string;
  /** The bucket stands in the path, not in the host name. */
  readonly pathStyle: boolean;
}

/** For people and logs. */
export function describeLocation({ bucket, prefix, endpoint }: S3Location): string {
  const place = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
  return endpoint === undefined ? place : `${place} at ${endpoint}`;
}
