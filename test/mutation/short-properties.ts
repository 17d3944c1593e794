import fc from 'fast-check';

/** Thousands of mutants: a counterexample is enough, the smallest is not needed. */
fc.configureGlobal({ endOnFailure: true });
