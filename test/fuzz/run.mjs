// `npm run fuzz -- --seed N --cases N [--only http|grpc|redis|redis-server|agent|kubernetes] [--case I]`: hostile input, replayable.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** By name of the campaign: where it is, and its part of the cases. Cases of the last three take far longer. */
const campaigns = {
  http: { file: 'http', share: 0.445 },
  grpc: { file: 'grpc', share: 0.3 },
  redis: { file: 'redis', share: 0.24 },
  'redis-server': { file: 'redis', share: 0.007 },
  agent: { file: 'agent', share: 0.003 },
  kubernetes: { file: 'kubernetes', share: 0.005 },
};

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '10000' },
    only: { type: 'string' },
    case: { type: 'string', default: '' },
  },
});
if (values.only !== undefined && !(values.only in campaigns)) {
  process.stderr.write(`--only is one of ${Object.keys(campaigns).join(', ')}\n`);
  process.exit(2);
}
run('tsc', ['-b']);
const chosen = Object.entries(campaigns).filter(([name]) => values.only === undefined || name === values.only);
const failed = chosen.filter(([name, { file, share }]) => {
  const cases = values.only === undefined ? Math.ceil(Number(values.cases) * share) : Number(values.cases);
  const settings = { FUZZ_SEED: values.seed, FUZZ_CASES: String(cases), FUZZ_CASE: values.case, FUZZ_ONLY: name };
  return run('vitest', ['run', `test/fuzz/${file}.test.ts`], settings) !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;

function run(program, args, settings = {}) {
  const { status } = spawnSync(`${root}node_modules/.bin/${program}`, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...settings },
  });
  return status ?? 1;
}
