// `npm run generate`: writes every file that is made from code. Tests say when one of them is stale.
import { installDependencies } from './install.js';
import { ROOT, runOnNode24 } from './node24.js';
import { runSetup } from './trouble.js';

/** Each writes its own files when it is run. */
const GENERATORS = ['cli/settings-page.ts', 'docs/generate.ts'];

await runSetup(async () => {
  process.chdir(ROOT);
  await installDependencies();
  for (const generator of GENERATORS) {
    const code = await runOnNode24([generator]);
    if (code !== 0) return code;
  }
  return 0;
});
