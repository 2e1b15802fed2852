/** Longest pattern: a name's 128 characters, each of them behind a backslash. */
export const MAX_GLOB_CHARACTERS = 256;

/**
 * A pattern of stream names: `*` stands for any characters or none, `?` for exactly one, `\` takes the next
 * character as it is, and every other character stands for itself. Characters are Unicode code points, upper
 * and lower case differ, and nothing is normalised: the rules of stream names.
 *
 * A name is read once, whatever the pattern: all places of the pattern that the characters so far can have led
 * to are followed together, one bit each (the Shift-And way of string matching, Baeza-Yates and Gonnet 1992).
 */
export class StreamGlob {
  /** Bits of the places that take a given character. */
  readonly #takes = new Map<string, bigint>();
  /** Bits of the places that take any character. */
  #takesAny = 0n;
  /** Bits of the places that a `*` stands before: from there any character leads back to them. */
  #stays = 0n;
  readonly #end: bigint;

  /** @throws SyntaxError saying what is wrong with the pattern */
  constructor(pattern: string) {
    if (pattern === '') throw new SyntaxError('it is empty');
    if (pattern.length > MAX_GLOB_CHARACTERS) {
      throw new SyntaxError(
        `it has ${pattern.length} characters; at most ${MAX_GLOB_CHARACTERS} are allowed`,
      );
    }
    let place = 1n;
    const characters = pattern[Symbol.iterator]();
    for (const character of characters) {
      if (character === '*') {
        this.#stays |= place;
        continue;
      }
      if (character === '?') this.#takesAny |= place;
      else {
        const { value: literal } = character === '\\' ? characters.next() : { value: character };
        if (literal === undefined) throw new SyntaxError('it ends in a backslash; write two for one');
        this.#takes.set(literal, (this.#takes.get(literal) ?? 0n) | place);
      }
      place <<= 1n;
    }
    this.#end = place;
  }

  matches(name: string): boolean {
    let places = 1n;
    for (const character of name) {
      const taking = this.#takesAny | (this.#takes.get(character) ?? 0n);
      places = ((places & taking) << 1n) | (places & this.#stays);
      if (places === 0n) return false;
    }
    return (places & this.#end) !== 0n;
  }
}
