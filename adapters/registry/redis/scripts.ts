import { readFileSync } from 'node:fs';
import {
  NODE_EVIDENCE_MS,
  NODE_LEASE_MS,
  RECORDING_KEPT_MS,
  RECORDING_LEASE_MS,
  REGISTRY_RECOVERY_MS,
  SESSION_FENCED_MS,
  SWEEP_LEASE_MS,
} from '../../../core/registry/registry.ts';
import { keyNames, type Slot } from './keys.ts';

/** Each script with its slot, and whether it changes anything. Its file is `scripts/<name>.lua`. */
export const SCRIPTS = {
  'pulse-streams': { slot: 'streams', file: 'pulse', writes: true },
  'announce-node': { slot: 'streams', writes: true },
  'list-nodes': { slot: 'streams', writes: false },
  'remove-node': { slot: 'streams', writes: true },
  'report-dead-node': { slot: 'streams', writes: true },
  'claim-stream': { slot: 'streams', writes: true },
  'describe-stream': { slot: 'streams', writes: true },
  'release-stream': { slot: 'streams', writes: true },
  'reannounce-stream': { slot: 'streams', writes: true },
  'find-streams': { slot: 'streams', writes: false },
  'list-streams': { slot: 'streams', writes: false },
  'pulse-sessions': { slot: 'sessions', file: 'pulse', writes: true },
  'save-session': { slot: 'sessions', writes: true },
  'take-session': { slot: 'sessions', writes: true },
  'find-session': { slot: 'sessions', writes: false },
  'delete-session': { slot: 'sessions', writes: true },
  'list-sessions': { slot: 'sessions', writes: false },
  'pulse-recordings': { slot: 'recordings', file: 'pulse', writes: true },
  'enter-recording': { slot: 'recordings', writes: true },
  'take-recording': { slot: 'recordings', writes: true },
  'save-recording': { slot: 'recordings', writes: true },
  'reannounce-recording': { slot: 'recordings', writes: true },
  'grant-finish': { slot: 'recordings', writes: false },
  'lease-sweep': { slot: 'recordings', writes: true },
  'forget-recording': { slot: 'recordings', writes: true },
  'find-recording': { slot: 'recordings', writes: false },
  'list-recordings': { slot: 'recordings', writes: false },
} as const satisfies Readonly<
  Record<string, { readonly slot: Slot; readonly writes: boolean; readonly file?: string }>
>;

export type ScriptName = keyof typeof SCRIPTS;

/** The scripts' constants. */
const CONSTANTS = {
  NODE_LEASE_US: NODE_LEASE_MS * 1000,
  EVIDENCE_US: NODE_EVIDENCE_MS * 1000,
  RECOVERY_US: REGISTRY_RECOVERY_MS * 1000,
  /** A node that holds nothing is forgotten when it was silent for so long. */
  FORGET_US: 3_600_000_000,
  /** Incarnations and names that are remembered as gone; what comes late comes within seconds. */
  MAX_GONE: 1000,
  MAX_RELEASED: 10_000,
  /** Takes some 20 ms. */
  MAX_RELEASED_AT_ONCE: 2000,
  /** What ran out is forgotten as other things are done: so many at a time. */
  SWEPT_BY_WRITE: 20,
  SWEPT_BY_PULSE: 500,
  FENCED_MS: SESSION_FENCED_MS,
  RECORDING_LEASE_MS,
  SWEEP_LEASE_MS,
  KEPT_MS: RECORDING_KEPT_MS,
  MAX_ENDED: 10_000,
};

/** The script's whole text: names of keys, constants, what its slot's scripts share, and its own. */
export function scriptText(name: ScriptName): string {
  const script: { readonly slot: Slot; readonly file?: string } = SCRIPTS[name];
  const keys = keyNames(script.slot).join(', ');
  const constants = Object.entries(CONSTANTS).map(([constant, value]) => `local ${constant} = ${value}`);
  return [
    `local ${keys} = unpack(KEYS)`,
    ...constants,
    file('slot'),
    file(script.slot),
    file(script.file ?? name),
  ].join('\n');
}

function file(name: string): string {
  return readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), 'utf8');
}
