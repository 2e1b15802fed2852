import { defineCheck } from './check.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';
import { ANSWER_TIMEOUT_MS, type RunningServer } from './running-server.ts';

export const serverAnswer = defineCheck('server', ({ server }) => server, judgeServer);

export function judgeServer(server: RunningServer | undefined): Judgement {
  if (server === undefined) return info('no Millrace runs on the ports of these settings');
  const { pid, version, readiness, askedAt } = server;
  const name = `Millrace${version === undefined ? '' : ` ${version}`}${pid === undefined ? '' : ` (process ${pid})`}`;
  switch (readiness) {
    case 'ready':
      return ok(`${name} runs, and is ready`);
    case 'not ready':
      return warning(
        `${name} says at http://${askedAt}/readyz that it is not ready: it is shutting down`,
        'Wait until it has ended, then start it again: npm start',
      );
    case 'silent':
      return wrong(
        `${name} runs, and does not answer http://${askedAt}/readyz within ${ANSWER_TIMEOUT_MS / 1000} s`,
        pid === undefined
          ? 'End it and start it again: npm start'
          : `End it (kill ${pid}; if it stays, kill -9 ${pid}) and start it again: npm start`,
      );
    case 'not asked':
      return info(`${name} runs; whether it is ready cannot be asked with MILLRACE_METRICS_LISTEN=off`);
  }
}
