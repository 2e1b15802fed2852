import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { defineCheck } from './check.ts';
import { info, type Judgement, ok, warning } from './finding.ts';

/** Touched by systemd-timesyncd at each synchronisation (systemd-timesyncd.service(8)). */
const SYNCHRONIZED_FILE = '/run/systemd/timesync/synchronized';
const ASK_TIMEOUT_MS = 3000;

export interface ClockFacts {
  readonly now: Date;
  readonly synchronised: 'yes' | 'no' | 'unknown';
}

export const clock = defineCheck(
  'clock',
  async (): Promise<ClockFacts> => ({ now: new Date(), synchronised: await synchronised() }),
  judgeClock,
);

export function judgeClock({ now, synchronised }: ClockFacts): Judgement {
  const seen = now.toISOString();
  switch (synchronised) {
    case 'yes':
      return ok(`${seen}, kept by a time server`);
    case 'no':
      return warning(
        `${seen}, kept by no time server: certificates and tokens are judged by it`,
        'timedatectl set-ntp true, with systemd-timesyncd or chrony installed',
      );
    case 'unknown':
      return info(
        `${seen}; whether a time server keeps it is not known here. Certificates and tokens are judged by it`,
      );
  }
}

async function synchronised(): Promise<ClockFacts['synchronised']> {
  if (existsSync(SYNCHRONIZED_FILE)) return 'yes';
  // It asks the kernel, whichever program keeps the clock.
  const said = await output('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
  return said === 'yes' || said === 'no' ? said : 'unknown';
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: ASK_TIMEOUT_MS }, (error, stdout) =>
      resolve(error ? '' : stdout.trim()),
    );
  });
}
