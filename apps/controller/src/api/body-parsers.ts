import { Problem } from '../model/errors.js';
import type { ApiApp } from './type-provider.js';

const texts = ['application/yaml', 'application/graphml+xml', 'text/plain'];
const jsons = ['application/json', 'application/merge-patch+json'];

/** Bodies are UTF-8: what is not, is refused instead of being taken with other characters in its place. */
export function addBodyParsers(app: ApiApp): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser([...texts, ...jsons]);
  app.addContentTypeParser(texts, { parseAs: 'buffer' }, (_, body: Buffer, done) => {
    const { text, problem } = decoded(body);
    if (problem === undefined) done(null, text);
    else done(problem);
  });
  app.addContentTypeParser(jsons, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const { text, problem } = decoded(body);
    if (problem === undefined) void parseJson(request, text, done);
    else done(problem);
  });
}

function decoded(body: Buffer): { readonly text: string; readonly problem?: Problem } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(body) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { text: '', problem: new Problem('body-malformed', { detail: 'the body is not UTF-8', field: '' }) };
  }
}
