/** A process of its own that uses a folder as it is told, by IPC; it can be stopped and killed. See `folder-actors.ts`. */
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { ActorCall, ActorReply } from './folder-actors.ts';

const [root = ''] = process.argv.slice(2);
const store: ObjectStore = openFolder(root);

process.on('message', (call: ActorCall) => {
  // The sender's types hold the arguments to the method; IPC does not know them.
  const method = store[call.method] as (...args: unknown[]) => Promise<unknown>;
  method.apply(store, [...call.args]).then(
    (value) => reply({ id: call.id, value }),
    (error: Error & { errorName?: string }) =>
      reply({ id: call.id, error: error.errorName ?? error.name, message: error.message }),
  );
});
// It never outlives its test.
process.on('disconnect', () => process.exit());
reply({ id: 0, value: 'ready' });

function reply(message: ActorReply): void {
  process.send?.(message);
}
