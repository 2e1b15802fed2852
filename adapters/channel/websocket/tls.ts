/**
 * Certificates for the channel, as PEM. The authority is the cluster's own: whoever has a certificate of it is
 * one of the cluster's processes, whatever the certificate's names are. (Processes are reached at addresses that
 * come and go, so there are no names to compare.)
 */
export interface ChannelAuthority {
  readonly ca: string;
}

/** One process' own, signed by the authority. */
export interface ChannelCertificate extends ChannelAuthority {
  readonly cert: string;
  readonly key: string;
}
