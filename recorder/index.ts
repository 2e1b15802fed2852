/** The recorder role: one attempt at one recording, in the processes that it consists of. */
import type { RunReceiverOptions } from './receiver/run-receiver.ts';

export type { RunReceiverOptions } from './receiver/run-receiver.ts';
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts';

/** In a process of its own. Imported late: no other one needs mediasoup. */
export async function runReceiver(options: RunReceiverOptions): Promise<void> {
  const receiver = await import('./receiver/run-receiver.ts');
  receiver.runReceiver(options);
}
