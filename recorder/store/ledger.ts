import type { Chunk, CuePoint } from '../chunk.ts';
import { addGaps, NO_GAPS } from './gaps.ts';
import type { GapSummary, StoredPart } from './tail.ts';

/** Numbers that a writer may use beyond its last durable checkpoint. */
const PARTS_AHEAD = 16;
/** That many full parts waiting mean that storage was away: whole parts are sent then, not their tails too. */
const PARTS_BEHIND = 2;

export interface Segment {
  readonly n: number;
  readonly offset: number;
  readonly end: number;
  readonly endMs: number;
}

/** A stretch of the file that is to become a part; the first one becomes the head, without a number. */
export interface PartRange {
  readonly from: number;
  readonly to: number;
  readonly number?: number;
}

/** What a checkpoint can say now. */
export interface Coverage {
  readonly coveredTo: number;
  readonly firstTail: number;
  readonly hasHead: boolean;
  readonly parts: readonly StoredPart[];
  readonly partLimit: number;
  readonly cues: readonly CuePoint[];
  readonly gaps: GapSummary;
}

/** Where a writer begins. */
export interface LedgerStart {
  readonly partBytes: number;
  readonly coveredTo: number;
  readonly hasHead: boolean;
  readonly parts: readonly StoredPart[];
  readonly nextPartNumber: number;
  /** Of what is covered; whatever else is inherited is appended. */
  readonly cues: readonly CuePoint[];
  readonly gaps: GapSummary;
  /** What would survive now; counted before the first checkpoint is durable. */
  readonly durable: Durable;
}

export interface Durable {
  readonly offset: number;
  readonly endMs: number;
}

interface Entry extends Segment {
  state: 'waiting' | 'sending' | 'durable';
  readonly cuesBefore: number;
  readonly gapsBefore: GapSummary;
}

interface Part extends PartRange {
  etag?: string;
}

/**
 * A writer's books: which bytes lie where, and so what is to be sent next, what a checkpoint may say, what is
 * durable, and what is not needed any more. No effects.
 */
export class Ledger {
  readonly #partBytes: number;
  readonly #inherited: Durable;
  #parts: readonly StoredPart[];
  #hasHead: boolean;
  #coveredTo: number;
  #firstTail = 1;
  #nextTail = 1;
  #nextOffset: number;
  #endMs = 0;
  #entries: Entry[] = [];
  #sent: Part[] = [];
  #nextPartNumber: number;
  #partLimit = 0;
  #cutAt: number;
  #cues: CuePoint[];
  #gaps: GapSummary;
  #waitingBytes = 0;
  /** Entries before it are durable or covered. */
  #durableTo = 1;
  #hasCheckpoint = false;
  #partsEnded = false;
  #mustFirst = 0;

  constructor(start: LedgerStart) {
    this.#partBytes = start.partBytes;
    this.#inherited = start.durable;
    this.#parts = start.parts;
    this.#hasHead = start.hasHead;
    this.#coveredTo = start.coveredTo;
    this.#nextOffset = start.coveredTo;
    this.#cutAt = start.coveredTo;
    this.#nextPartNumber = start.nextPartNumber;
    this.#cues = [...start.cues];
    this.#gaps = start.gaps;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  get endMs(): number {
    return this.#endMs;
  }

  get cues(): readonly CuePoint[] {
    return this.#cues;
  }

  get gaps(): GapSummary {
    return this.#gaps;
  }

  get parts(): readonly StoredPart[] {
    return this.#parts;
  }

  get hasHead(): boolean {
    return this.#hasHead;
  }

  get coveredTo(): number {
    return this.#coveredTo;
  }

  get nextPartNumber(): number {
    return this.#nextPartNumber;
  }

  /** The highest number that may be used now. */
  get partLimit(): number {
    return this.#partLimit;
  }

  /** Bytes of tails that are not durable. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get segments(): number {
    return this.#entries.length;
  }

  append(chunk: Pick<Chunk, 'cues' | 'gaps' | 'endMs'>, bytes: number): Segment {
    const entry: Entry = {
      n: this.#nextTail++,
      offset: this.#nextOffset,
      end: this.#nextOffset + bytes,
      endMs: chunk.endMs,
      state: 'waiting',
      cuesBefore: this.#cues.length,
      gapsBefore: this.#gaps,
    };
    this.#entries.push(entry);
    this.#cues.push(...chunk.cues);
    this.#gaps = addGaps(this.#gaps, chunk.gaps);
    this.#nextOffset = entry.end;
    this.#endMs = chunk.endMs;
    this.#waitingBytes += bytes;
    return entry;
  }

  /** What has been appended so far was durable under a predecessor: the first checkpoint waits for it. */
  inheritedUpToHere(): void {
    this.#mustFirst = this.#nextTail - 1;
  }

  /** The next tail to send; it counts as sent from now on. */
  takeTail(): Segment | undefined {
    const behind = !this.#partsEnded && this.#waitingBytes >= PARTS_BEHIND * this.#partBytes;
    const entry = this.#entries.find((one) => one.state === 'waiting' && (!behind || this.#isUrgent(one)));
    if (entry) entry.state = 'sending';
    return entry;
  }

  /** No full part will make it superfluous, or a checkpoint needs it. */
  #isUrgent({ n, offset, end }: Entry): boolean {
    const boundary = end - (end % this.#partBytes);
    return (
      n <= this.#mustFirst ||
      boundary > offset ||
      end > this.#nextOffset - (this.#nextOffset % this.#partBytes)
    );
  }

  tailIsDurable(n: number): void {
    const entry = this.#entry(n);
    if (!entry || entry.state === 'durable') return;
    entry.state = 'durable';
    this.#waitingBytes -= entry.end - entry.offset;
    this.#advance();
  }

  /** The next full part to send; it counts as sent from now on. */
  takePart(): PartRange | undefined {
    const to = this.#cutAt + this.#partBytes;
    if (to > this.#nextOffset || this.#partsEnded) return undefined;
    const isHead = this.#cutAt === 0;
    if (!isHead && this.#nextPartNumber > this.#partLimit) return undefined;
    const part: Part = { from: this.#cutAt, to, ...(isHead ? {} : { number: this.#nextPartNumber++ }) };
    this.#sent.push(part);
    this.#cutAt = to;
    return part;
  }

  /** The file takes no more parts: what follows stays in tails. */
  endParts(): void {
    this.#partsEnded = true;
  }

  get partsEnded(): boolean {
    return this.#partsEnded;
  }

  partIsStored(from: number, etag: string): void {
    const part = this.#sent.find((one) => one.from === from);
    if (part) part.etag = etag;
  }

  /** Tails that hold bytes from `from` to `to`. */
  segmentsOf(from: number, to: number): readonly Segment[] {
    return this.#entries.filter(({ offset, end }) => end > from && offset < to);
  }

  /**
   * What the next checkpoint says; undefined while there is nothing to say. A part counts once the tail that
   * it ends in is durable too, since the file's state there is known from the tail only.
   */
  dueCheckpoint(): Coverage | undefined {
    if (!this.#hasCheckpoint) {
      return this.#durableTo > this.#mustFirst ? this.#coverage(0, this.#firstTail) : undefined;
    }
    let stored = this.#sent.findIndex(({ etag }) => etag === undefined);
    if (stored === -1) stored = this.#sent.length;
    for (; stored > 0; stored--) {
      const to = this.#sent[stored - 1]?.to ?? 0;
      const ending = this.#entries.find(({ end }) => end >= to);
      if (ending?.state === 'durable') return this.#coverage(stored, ending.n);
    }
    return undefined;
  }

  /** All parts that are stored without a hole, whether a checkpoint may name them yet or not. */
  stored(): Pick<Coverage, 'coveredTo' | 'hasHead' | 'parts'> {
    const missing = this.#sent.findIndex(({ etag }) => etag === undefined);
    return this.#coverage(missing === -1 ? this.#sent.length : missing, this.#firstTail);
  }

  /** The same as is covered now, with room for `more` further part numbers. */
  extension(more: number): Coverage {
    return {
      ...this.#coverage(0, this.#firstTail),
      partLimit: this.#nextPartNumber - 1 + PARTS_AHEAD + more,
    };
  }

  #coverage(stored: number, firstTail: number): Coverage {
    const sent = this.#sent.slice(0, stored);
    const parts = sent.flatMap(({ number, etag = '', from, to }) =>
      number === undefined ? [] : [{ number, etag, bytes: to - from }],
    );
    const first = this.#entry(firstTail);
    return {
      coveredTo: sent.at(-1)?.to ?? this.#coveredTo,
      firstTail,
      hasHead: this.#hasHead || sent.length > 0,
      parts: [...this.#parts, ...parts],
      partLimit: this.#nextPartNumber - 1 + PARTS_AHEAD,
      cues: this.#cues.slice(0, first?.cuesBefore ?? this.#cues.length),
      gaps: first?.gapsBefore ?? this.#gaps,
    };
  }

  /** @returns tails that are not needed any more */
  checkpointIsDurable({ coveredTo, firstTail, parts, hasHead }: Coverage): readonly Segment[] {
    this.#hasCheckpoint = true;
    this.#sent = this.#sent.filter(({ to }) => to > coveredTo);
    [this.#coveredTo, this.#firstTail, this.#parts, this.#hasHead] = [coveredTo, firstTail, parts, hasHead];
    const covered = this.#entries.filter(({ n }) => n < firstTail);
    this.#entries = this.#entries.filter(({ n }) => n >= firstTail);
    for (const { state, offset, end } of covered) {
      if (state !== 'durable') this.#waitingBytes -= end - offset;
    }
    this.#advance();
    return covered;
  }

  /** Nobody else writes, as was seen after a checkpoint with this limit became durable. */
  allowParts(limit: number): void {
    this.#partLimit = Math.max(this.#partLimit, limit);
  }

  /** What would survive if everything died now. */
  get durable(): Durable {
    if (!this.#hasCheckpoint) return this.#inherited;
    const last = this.#entry(this.#durableTo - 1);
    return last ? { offset: last.end, endMs: last.endMs } : { offset: this.#coveredTo, endMs: 0 };
  }

  #advance(): void {
    this.#durableTo = Math.max(this.#durableTo, this.#firstTail);
    while (this.#entry(this.#durableTo)?.state === 'durable') this.#durableTo++;
  }

  #entry(n: number): Entry | undefined {
    return this.#entries[n - (this.#entries[0]?.n ?? n)];
  }
}

export function emptyLedger(partBytes: number): LedgerStart {
  return {
    partBytes,
    coveredTo: 0,
    hasHead: false,
    parts: [],
    nextPartNumber: 2,
    cues: [],
    gaps: NO_GAPS,
    durable: { offset: 0, endMs: 0 },
  };
}
