import { parentPort, workerData } from 'node:worker_threads';
import { parseTopology, TopologyFormatError } from '@waymark/topology-formats';
import type { DocumentTask, DocumentOutcome } from './read-document.js';

/** Entry of the worker thread of read-document.ts: reads one file, posts what became of it, and ends. */

const { text, format } = workerData as DocumentTask;

function outcome(): DocumentOutcome {
  try {
    return { document: parseTopology(text, format) };
  } catch (error) {
    if (error instanceof TopologyFormatError) return { problems: error.problems };
    throw error;
  }
}

parentPort?.postMessage(outcome());
