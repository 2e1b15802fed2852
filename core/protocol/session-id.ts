/** A session's id: 128 random bits in base64url, 22 characters. Whoever knows it may take the session over. */
export type SessionId = string & { readonly brand: unique symbol };

/** @param randomBytes a source of cryptographically strong random bytes */
export function newSessionId(randomBytes: (count: number) => Uint8Array): SessionId {
  return Buffer.from(randomBytes(16)).toString('base64url') as SessionId;
}
