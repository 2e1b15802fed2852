/** One incarnation of a media server: pod UID or host name, and a nonce made at its start. */
export type NodeId = string & { readonly brand: unique symbol };
