import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import {
  parseTopology,
  TopologyFormatError,
  type FormatProblem,
  type TopologyDocument,
} from '@waymark/topology-formats';
import { Problem } from '../model/errors.js';
import type { TopologyFormat } from '../model/ports.js';

export interface DocumentTask {
  readonly text: string;
  readonly format: TopologyFormat;
}

export type DocumentOutcome = { readonly document: TopologyDocument } | { readonly problems: readonly FormatProblem[] };

/** Shorter texts are read in a few milliseconds, less than it takes to start a thread. */
const OWN_THREAD_LENGTH = 100_000;
/** What a file may make of its reader's memory: several times what the longest sound one needs. */
const MAX_HEAP_MB = 2_048;

// Workers run built code even when this file runs from source: a worker thread has no test runner to compile for it.
const workerFile = createRequire(import.meta.url).resolve('#document-worker');

/**
 * Reads a topology file, a long one in a thread of its own: heartbeats and requests do not wait for it, and one that
 * blows up in memory takes only its thread along. Throws `topology-invalid` with every finding, each with its field,
 * line and column.
 */
export async function readDocument(task: DocumentTask, maxHeapMb = MAX_HEAP_MB): Promise<TopologyDocument> {
  if (task.text.length < OWN_THREAD_LENGTH) return readHere(task);
  const outcome = await readInThread(task, maxHeapMb);
  if ('document' in outcome) return outcome.document;
  throw topologyInvalid(outcome.problems);
}

function readHere({ text, format }: DocumentTask): TopologyDocument {
  try {
    return parseTopology(text, format);
  } catch (error) {
    throw error instanceof TopologyFormatError ? topologyInvalid(error.problems) : error;
  }
}

async function readInThread(task: DocumentTask, maxHeapMb: number): Promise<DocumentOutcome> {
  const worker = new Worker(workerFile, {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') reject(error);
      const message = `reading this file takes more than ${maxHeapMb} MB of memory; split it into several sources`;
      resolve({ problems: [{ line: null, column: null, field: '', message }] });
    });
  });
}

export function topologyInvalid(problems: readonly FormatProblem[]): Problem {
  const errors = problems.map(({ line, column, field, message }) => ({
    field,
    detail: line === null ? message : `line ${line}${column === null ? '' : `, column ${column}`}: ${message}`,
  }));
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new Problem('topology-invalid', {
    detail: `${first?.detail ?? ''}${more}`,
    field: first?.field ?? '',
    errors,
  });
}
