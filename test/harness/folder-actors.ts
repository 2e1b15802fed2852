import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type ErrorName, MillraceError } from '../../core/protocol/error.ts';
import { type ObjectStore, StorageConflict } from '../../core/storage/object-store.ts';

type Method = {
  [Name in keyof ObjectStore]: ObjectStore[Name] extends (...args: never) => Promise<unknown> ? Name : never;
}[keyof ObjectStore];

export interface ActorCall {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

export interface ActorReply {
  readonly id: number;
  readonly value?: unknown;
  /** Name of an error of the table, or `StorageConflict`. */
  readonly error?: string;
  readonly message?: string;
}

const ACTOR = new URL('folder-actor.ts', import.meta.url).pathname;

/** A folder as another process uses it. */
export class FolderActor {
  readonly child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #calls = 0;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', (reply: ActorReply) => this.#take(reply));
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`ended: ${code ?? signal}`));
      this.#waiting.clear();
    });
  }

  /** @param options a shell command to be run before, in a mount namespace of its own; a user other than this one */
  static async start(root: string, options: { readonly first?: string; readonly uid?: number } = {}) {
    const node = [process.execPath, ACTOR, root];
    const within = ['unshare', '--mount', 'sh', '-c', `${options.first} && exec "$@"`, 'sh', ...node];
    const [program = '', ...args] = options.first === undefined ? node : within;
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Arguments and answers hold bytes.
      serialization: 'advanced',
      ...(options.uid === undefined ? {} : { uid: options.uid }),
    });
    const [reply] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (typeof reply !== 'object') throw new Error(`the actor ended with ${reply}`);
    return new FolderActor(child);
  }

  call<Name extends Method>(
    method: Name,
    ...args: Parameters<ObjectStore[Name]>
  ): ReturnType<ObjectStore[Name]> {
    const id = ++this.#calls;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.child.send({ id, method, args } satisfies ActorCall, (error) => {
      if (error) waiting.reject(error);
    });
    // What the method answers, as it came by IPC.
    return waiting.promise as ReturnType<ObjectStore[Name]>;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  #take({ id, value, error, message = '' }: ActorReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else if (error === 'StorageConflict') waiting?.reject(new StorageConflict(message));
    else waiting?.reject(new MillraceError(error as ErrorName, message));
  }
}
