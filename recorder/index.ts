/** The recorder role: one attempt at one recording, in the processes that it consists of. */
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts';
