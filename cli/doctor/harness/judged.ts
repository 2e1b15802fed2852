import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Judgement, Level } from '../finding.ts';

/** What was judged, as which level, and what the judgement and its fix say. */
export type JudgementCase = readonly [
  what: string,
  judged: Judgement | readonly Judgement[],
  level: Level,
  says: RegExp,
];

/** A test for each case; each has one finding. */
export function testJudgements(cases: readonly JudgementCase[]): void {
  describe('judged is', () => {
    for (const [what, judged, level, says] of cases) {
      it(`${level}: ${what}`, () => {
        const [one, ...more] = [judged].flat();
        assert.ok(one);
        assert.deepEqual(more, []);
        assert.equal(one.level, level);
        assert.match('fix' in one ? `${one.seen} ${one.fix}` : one.seen, says);
      });
    }
  });
}
