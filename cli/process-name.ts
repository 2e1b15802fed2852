import { hostname } from 'node:os';

/** This process, as it stands in the registry: what it observes counts once. */
export const PROCESS_NAME = `${hostname()}-${process.pid}`;
