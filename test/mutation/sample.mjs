import { createHash } from 'node:crypto';
import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin';

/*
 * With MUTATION_SAMPLE=0.05 about every twentieth fault is put in, chosen by its place and text: the same in every run.
 * The others are reported as not compiling, which leaves them out of the score.
 */
const share = Number(process.env.MUTATION_SAMPLE ?? 1);

const sample = {
  async init() {},
  async check(mutants) {
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, isChosen(mutant) ? chosen : left]));
  },
  group: (mutants) => [mutants.map(({ id }) => id)],
};

const chosen = { status: 'passed' };
const left = { status: 'compileError', reason: 'not in the sample' };

function isChosen({ fileName, location: { start, end }, mutatorName, replacement }) {
  const file = fileName.slice(fileName.indexOf('packages/topology/src/'));
  const text = [file, start.line, start.column, end.line, end.column, mutatorName, replacement].join('\0');
  return createHash('sha256').update(text).digest().readUInt32BE() < share * 2 ** 32;
}

export const strykerPlugins = [declareValuePlugin(PluginKind.Checker, 'sample', sample)];
