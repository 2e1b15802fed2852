/** Why the server cannot start, for the person who started it: what is wrong and what to do. No stack is shown. */
export class StartError extends Error {
  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'StartError';
  }
}
