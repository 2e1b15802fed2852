/** Instead of a secret. */
export const HIDDEN = '…';

/** `//name:password@`, percent-encoded too. */
const IN_ADDRESS = /(\/\/|%2f%2f)((?!%40)[^/?#@\s])+(@|%40)/gi;
/** `secret_key=…` and the like. */
const IN_QUERY = /([?&][^=&#]*(?:key|secret|token|pass|cred|sig)[^=&#]*=)[^&#]*/gi;

/** The text as it may be shown: credentials in addresses, where they should not be, are left out. */
export function maskCredentials(text: string): string {
  return text.replace(IN_ADDRESS, `$1${HIDDEN}$3`).replace(IN_QUERY, `$1${HIDDEN}`);
}
