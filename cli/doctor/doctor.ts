import type { Arguments } from '../arguments.ts';
import { SettingsError } from '../mistake.ts';
import { type ReadSettings, readSettings } from '../read-settings.ts';
import { announcedAddress } from './announced-address.ts';
import { authorisation } from './authorisation.ts';
import { certificate } from './certificate.ts';
import type { Check } from './check.ts';
import { clock } from './clock.ts';
import { defaultRoute } from './default-route.ts';
import { disk } from './disk.ts';
import { ephemeralPorts } from './ephemeral-ports.ts';
import type { Finding } from './finding.ts';
import { listenPorts } from './listen-ports.ts';
import { mediaPorts } from './media-ports.ts';
import { memory } from './memory.ts';
import { nodeVersion } from './node-version.ts';
import { openFiles } from './open-files.ts';
import { redis } from './redis.ts';
import { jsonReport, textReport, verdictOf } from './report.ts';
import { findRunningServer } from './running-server.ts';
import { serverAnswer } from './server-answer.ts';
import { judgeMistakes, judgeSettings } from './settings-given.ts';
import { storage } from './storage.ts';
import { udpBuffers } from './udp-buffers.ts';
import { udpReach } from './udp-reach.ts';
import { workerBinary } from './worker-binary.ts';

/** One after the other: some take for a moment the port that another looks at. */
const CHECKS: readonly Check[] = [
  nodeVersion,
  workerBinary,
  serverAnswer,
  listenPorts,
  authorisation,
  certificate,
  mediaPorts,
  ephemeralPorts,
  announcedAddress,
  udpReach,
  defaultRoute,
  udpBuffers,
  openFiles,
  memory,
  disk,
  storage,
  redis,
  clock,
];

const WRONG_EXIT = 1;

/**
 * `millrace doctor`: says of everything that the server needs whether it is there, and what to do where it is not.
 * @returns the report, and the exit code: 1 when something is wrong, else 0, also with warnings
 */
export async function examine(
  args: Arguments,
  environment: Readonly<Record<string, string | undefined>>,
  version: string,
): Promise<{ readonly report: string; readonly exitCode: number }> {
  const findings = await findingsOf(args, environment);
  const report = { version, findings };
  return {
    report: args.json === true ? jsonReport(report) : textReport(report),
    exitCode: verdictOf(findings) === 'wrong' ? WRONG_EXIT : 0,
  };
}

async function findingsOf(
  args: Arguments,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  let read: ReadSettings;
  try {
    read = readSettings(args, environment);
  } catch (error) {
    if (error instanceof SettingsError) return judgeMistakes(error.mistakes);
    throw error;
  }
  const { settings } = read;
  const context = { settings, environment, server: await findRunningServer(settings) };
  const findings: Finding[] = [judgeSettings(read)];
  for (const check of CHECKS) findings.push(...(await check.run(context)));
  return findings;
}
