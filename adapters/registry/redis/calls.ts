import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { MillraceError } from '../../../core/protocol/error.ts';
import type { RedisClient } from './connection.ts';
import { keysOf, type Slot } from './keys.ts';
import { Reach, unavailable } from './reach.ts';
import { SCRIPTS, type ScriptName, scriptText } from './scripts.ts';
import { SILENT, troubleOf } from './trouble.ts';

/** More than any process has under way at once while Redis answers. */
const MAX_IN_FLIGHT = 10_000;

/** What a script answered, behind the birth: its outcome, and what else. */
export type Answer = readonly [outcome: string, ...rest: unknown[]];

/** Runs scripts. Every call is over within a second. */
export class Calls {
  readonly #client: RedisClient;
  readonly #reaches: ReadonlyMap<Slot, Reach>;
  readonly #keys: ReadonlyMap<Slot, readonly string[]>;
  readonly #onBirth: (slot: Slot, birth: string) => void;
  readonly #timeoutMs: number;
  #inFlight = 0;
  #closed = false;

  /** @param onBirth told with each answer, since when the slot has remembered; '' = it is empty */
  constructor(options: {
    client: RedisClient;
    prefix: string;
    slots: readonly Slot[];
    onBirth: (slot: Slot, birth: string) => void;
    /** From a call to its failure, whatever it waited for. */
    timeoutMs: number;
    log: Logger;
  }) {
    const { client, prefix, slots, onBirth, timeoutMs, log } = options;
    this.#timeoutMs = timeoutMs;
    this.#client = client;
    this.#onBirth = onBirth;
    // The nodes of a cluster come and go one by one.
    const common = new Reach(log);
    this.#reaches = new Map(
      slots.map((slot) => [slot, client.isCluster ? new Reach(log.child({ slot })) : common]),
    );
    this.#keys = new Map(slots.map((slot) => [slot, keysOf(slot, prefix)]));
    for (const name of Object.keys(SCRIPTS) as ScriptName[]) {
      const numberOfKeys = this.#keys.get(SCRIPTS[name].slot)?.length ?? 0;
      client.defineCommand(name, { lua: scriptText(name), numberOfKeys });
    }
  }

  reach(slot: Slot): Reach {
    const reach = this.#reaches.get(slot);
    if (reach === undefined) throw new Error(`no slot "${slot}"`);
    return reach;
  }

  /** @throws MillraceError `registry_unavailable` once this is closed */
  demandOpen(): void {
    if (this.#closed) throw new MillraceError('registry_unavailable', 'the registry is closed; try again');
  }

  close(): void {
    this.#closed = true;
  }

  /**
   * @param onLate told of an answer that came after the call had failed for want of it
   * @throws MillraceError `registry_unavailable`
   */
  async run(
    name: ScriptName,
    args: readonly (string | number)[],
    onLate?: (answer: Answer) => void,
  ): Promise<Answer> {
    this.demandOpen();
    const startedMs = performance.now();
    await this.reach(SCRIPTS[name].slot).demand();
    return this.send(name, args, { timeoutMs: this.#timeoutMs - (performance.now() - startedMs), onLate });
  }

  /** The same, though Redis may be away. */
  async send(
    name: ScriptName,
    args: readonly (string | number)[],
    {
      timeoutMs = this.#timeoutMs,
      onLate,
    }: { readonly timeoutMs?: number; readonly onLate?: ((answer: Answer) => void) | undefined } = {},
  ): Promise<Answer> {
    this.demandOpen();
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      throw unavailable({ kind: 'refuses', text: `has ${MAX_IN_FLIGHT} calls of this process to answer` });
    }
    const { slot, writes } = SCRIPTS[name];
    const reach = this.reach(slot);
    this.#inFlight += 1;
    const answering = (reach.isUp ? this.#command(name, args) : this.#knock(name, args)).finally(() => {
      this.#inFlight -= 1;
    });
    const { promise: silence, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, timeoutMs);
    try {
      const reply = await Promise.race([answering, silence]);
      this.demandOpen();
      if (reply === undefined) {
        reach.failed(SILENT);
        if (onLate)
          void answering.then(
            ([, ...answer]) => onLate(answer as unknown as Answer),
            () => {},
          );
        throw unavailable(SILENT);
      }
      const [birth, ...answer] = reply;
      reach.answered(writes);
      this.#onBirth(slot, String(birth));
      return answer as unknown as Answer;
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      const trouble = troubleOf(error);
      if (!this.#closed) reach.failed(trouble);
      throw unavailable(trouble, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** From who is not let in Redis takes nothing as long as a script, and breaks the connection instead of saying why. */
  async #knock(name: ScriptName, args: readonly (string | number)[]): Promise<readonly unknown[]> {
    if (this.#client instanceof Redis) await this.#client.ping();
    return this.#command(name, args);
  }

  #command(name: ScriptName, args: readonly (string | number)[]): Promise<readonly unknown[]> {
    // `defineCommand` adds methods that no type tells of.
    const client = this.#client as unknown as Record<
      string,
      (...args: readonly (string | number)[]) => Promise<readonly unknown[]>
    >;
    const command = client[name];
    if (command === undefined) throw new Error(`no script "${name}"`);
    return command.call(client, ...(this.#keys.get(SCRIPTS[name].slot) ?? []), ...args);
  }
}
