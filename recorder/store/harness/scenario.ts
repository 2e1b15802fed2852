import assert from 'node:assert/strict';
import { recordingEpoch } from '../../../core/recording/recording.ts';
import { finishRecording } from '../../sweep/finish-recording.ts';
import { openStore } from '../open-store.ts';
import type { RecordingStore } from '../store.ts';
import { type ChunkMark, readableEnds, readFile } from './numbered-chunks.ts';
import { chanceOf, SimulatedProcess, SimulatedStorage, simulatedDisk } from './simulated-storage.ts';
import { Feeder, silent, specOf } from './trial.ts';

export const PART_BYTES = 6000;

export type Command =
  | { readonly do: 'feed'; readonly bytes: number }
  | { readonly do: 'steps'; readonly count: number }
  /** The writer dies or is stopped; its successor begins, here or on another machine, before storage answers or after. */
  | { readonly do: 'succeed'; readonly stop: boolean; readonly elsewhere: boolean; readonly spool: boolean }
  /** The last one that was stopped goes on. */
  | { readonly do: 'wake'; readonly bytes: number }
  | { readonly do: 'fail'; readonly rate: number }
  /** Somebody tries to complete it, and is killed. */
  | { readonly do: 'die-finishing'; readonly steps: number };

interface Actor {
  readonly process: SimulatedProcess;
  readonly epoch: number;
  store?: RecordingStore;
  feeder?: Feeder;
}

/** What a writer had been told is durable when it was taken from it. */
interface Promised {
  readonly to: number;
  readonly chunks: readonly ChunkMark[];
}

/** A recording with everything that can happen to it, in an order that is the same for the same seed. */
export class Scenario {
  readonly storage: SimulatedStorage;
  readonly #machines = [simulatedDisk(), simulatedDisk()];
  #machine = 0;
  #attempt = 1;
  #muxer = 0;
  #current: Actor | undefined;
  readonly #sleepers: Actor[] = [];
  readonly #promised: Promised[] = [];
  readonly spec = specOf();

  constructor(seed: number) {
    this.storage = new SimulatedStorage(chanceOf(seed), PART_BYTES);
  }

  async perform(command: Command): Promise<void> {
    switch (command.do) {
      case 'feed':
        this.#current?.feeder?.feed(command.bytes);
        break;
      case 'steps':
        for (let step = 0; step < command.count; step++) await this.storage.step();
        break;
      case 'succeed':
        this.#take(command.stop);
        if (command.elsewhere) {
          this.#machine = 1 - this.#machine;
          this.#attempt++;
        }
        this.#begin(command.spool);
        break;
      case 'wake': {
        const sleeper = this.#sleepers.at(-1);
        if (!sleeper || sleeper.process.state === 'dead') break;
        sleeper.process.state = 'runs';
        sleeper.feeder?.feed(command.bytes);
        break;
      }
      case 'fail':
        this.storage.failing = command.rate;
        break;
      case 'die-finishing': {
        this.#take(false);
        const process = new SimulatedProcess(this.storage);
        void this.#finish(process).catch(() => {});
        for (let step = 0; step < command.steps; step++) await this.storage.step();
        process.kill();
        break;
      }
    }
  }

  #begin(fromSpool: boolean): void {
    const process = new SimulatedProcess(this.storage);
    const epoch = this.#nextEpoch();
    const actor: Actor = { process, epoch };
    this.#current = actor;
    const opening = openStore({
      objects: process.objects,
      spoolDirectory: '',
      disk: this.#disk(),
      spec: this.spec,
      epoch,
      log: silent,
      partBytes: PART_BYTES,
      sleep: process.sleep,
      openTimeoutMs: 2 ** 30,
      spoolAfterMs: fromSpool ? 0 : 2 ** 30,
    });
    opening.then(
      (store) => {
        actor.store = store;
        actor.feeder = new Feeder(store, epoch);
      },
      () => {},
    );
  }

  #nextEpoch(): number {
    return recordingEpoch(this.#attempt, this.#muxer++);
  }

  #disk() {
    const disk = this.#machines[this.#machine];
    assert.ok(disk);
    return disk;
  }

  /** Takes the recording from its writer. */
  #take(stop: boolean): void {
    const actor = this.#current;
    this.#current = undefined;
    if (!actor) return;
    if (actor.store) {
      const { durable } = actor.store.progress();
      this.#promised.push({ to: durable.offset, chunks: actor.feeder?.fed ?? [] });
    }
    if (stop) {
      actor.process.state = 'stopped';
      this.#sleepers.push(actor);
    } else actor.process.kill();
  }

  #finish(process: SimulatedProcess): ReturnType<typeof finishRecording> {
    return finishRecording({
      objects: process.objects,
      id: this.spec.id,
      epoch: this.#nextEpoch(),
      disk: this.#disk(),
      ends: readableEnds,
      log: silent,
      timeoutMs: 2 ** 30,
      partBytes: PART_BYTES,
      sleep: process.sleep,
    });
  }

  /** Completes it, by the writer or by somebody else, and lets all that were stopped go on then. */
  async end(byWriter: boolean): Promise<void> {
    this.storage.failing = 0;
    // What dead processes had sent arrives long before somebody takes their place for the last time.
    await this.storage.quiet();
    let settled: Promise<void> | undefined;
    if (byWriter && this.#current) {
      const actor = this.#current;
      if (actor.store) {
        const { durable, nextOffset } = actor.store.progress();
        this.#promised.push({ to: durable.offset, chunks: actor.feeder?.fed ?? [] });
        const isWriter = durable.offset === nextOffset;
        const finishing = actor.store.finish({ ends: readableEnds, timeoutMs: 2 ** 30 });
        finishing.catch(() => {});
        assert.ok(await this.storage.run(finishing));
        if (isWriter) settled = (await finishing).settled;
      }
    } else this.#take(false);
    if (settled) assert.ok(await this.storage.run(settled));
    const finisher = new SimulatedProcess(this.storage);
    const finishing = this.#finish(finisher);
    finishing.catch(() => {});
    assert.ok(await this.storage.run(finishing), 'the finisher waits for ever');
    await finishing;
    const uploads = [...this.storage.uploads.keys()];
    for (const { process, feeder } of this.#sleepers) {
      if (process.state === 'dead') continue;
      process.state = 'runs';
      for (let index = 0; index < 5; index++) feeder?.feed(2000);
    }
    await this.storage.quiet();
    for (const { process } of this.#sleepers) process.kill();
    await this.storage.quiet();
    // One that slept while it opened may have begun it anew, where nothing was recorded before.
    for (const expected of [[], ['nothing']]) {
      const sweeper = this.#finish(new SimulatedProcess(this.storage));
      sweeper.catch(() => {});
      assert.ok(await this.storage.run(sweeper), 'the sweeper waits for ever');
      if (expected.length > 0) assert.equal(await sweeper, undefined);
    }
    assert.deepEqual(uploads, [], 'uploads are left');
  }

  /** The one file is whole and has all that was promised; nothing else is there. */
  check(): readonly ChunkMark[] {
    const keys = [...this.storage.objects.keys()];
    const promisedTo = Math.max(0, ...this.#promised.map(({ to }) => to));
    if (promisedTo === 0 && keys.length === 0) return [];
    assert.deepEqual(keys, [this.spec.key]);
    const chunks = readFile(this.storage.objects.get(this.spec.key)?.body ?? new Uint8Array());
    const byOffset = new Map(chunks.map((chunk) => [chunk.offset, chunk]));
    for (const { to, chunks: fed } of this.#promised) {
      for (const chunk of fed) {
        if (chunk.offset + chunk.bytes <= to) assert.deepEqual(byOffset.get(chunk.offset), chunk);
      }
    }
    const end = chunks.at(-1);
    assert.ok((end?.offset ?? 0) + (end?.bytes ?? 0) >= promisedTo, 'promised media is lost');
    return chunks;
  }
}
