import { hostileNames, hostileNumbers, hostileTexts, hostileValue, nested } from '../hostile-values.js';
import type { Random } from '../random.js';
import { RawJson, RawMembers, rawJson } from '../raw-json.js';
import { hostileObject, validObject } from './hostile-objects.js';
import type { AnswerCase, ListAnswer, RefusalCase, WatchCase } from './kubernetes-case.js';
import { kinds, ourKinds, type Kind } from './resources.js';

/** Versions are opaque; these are none that the server gave. */
const versions = ['-1', '0', '', 'abc', '99999999999999999999999', '1e9', '\u0000', '%00', 'a'.repeat(9_000)];

/** What stands for an object and is none, or one with something wrong; of a name that nobody else has. */
function noObject(random: Random, kind: Kind, index: number): unknown {
  const name = `fuzz-${index}`;
  return random.pick<() => unknown>([
    () => random.pick([null, 5, 'x', true, [], {}, [[]]]),
    () => ({ metadata: random.pick([null, [], 'x', 5, {}]) }),
    () => ({ metadata: { name: hostileValue(random, 'x'), resourceVersion: '1' } }),
    () => ({ metadata: { name, resourceVersion: random.pick([...hostileNumbers, null, undefined]) } }),
    () => ({ metadata: { name: random.pick(hostileTexts), resourceVersion: '1' } }),
    () => ({ ...validObject(kind, name, index % 1_000), metadata: { name, resourceVersion: random.pick(versions) } }),
    () => ({ metadata: { name, resourceVersion: '1', labels: hostileValue(random, {}), annotations: null } }),
    () => new RawMembers([['__proto__', { metadata: { name, resourceVersion: '1' } }]]),
    () => withMetadata(hostileObject(random, kind, name, index % 1_000), name),
    () => withMetadata(hostileObject(random, kind, name, index % 1_000), name),
  ])();
}

/** As a server gives it, with a name and a version. */
function withMetadata(object: unknown, name: string): unknown {
  const metadata = { name, resourceVersion: '1' };
  if (object instanceof RawMembers) return new RawMembers([...object.entries, ['metadata', metadata]]);
  if (typeof object !== 'object' || object === null || object instanceof RawJson)
    return { metadata: { ...metadata, finalizers: 7, generation: 'x' }, spec: object, status: [] };
  const given = (object as { readonly metadata?: unknown }).metadata;
  return { ...object, metadata: typeof given === 'object' ? { ...given, ...metadata } : metadata };
}

type Plant = (random: Random, resource: Kind, index: number) => Pick<AnswerCase, 'answer' | 'isEmptied'>;

const said = (text: string) => ({ answer: () => text });

const plants: Readonly<Record<string, Plant>> = {
  'no list': (random) =>
    said(random.pick(['', 'null', '{}', '[]', '"list"', '7', '<html>Sign in</html>', '{"kind":"Status","code":200}'])),
  'half a list': (random) => {
    const share = random.below(1_000) / 1_000;
    return {
      answer: (truth) => {
        const text = JSON.stringify(truth);
        return text.slice(0, Math.floor(text.length * share));
      },
    };
  },
  envelope: (random) => {
    const member = random.pick(['kind', 'metadata', 'items']);
    const value = random.pick<unknown>([5, 'x', true, { length: 2 }, 'Lists', { 0: {} }]);
    return { answer: (truth) => rawJson({ ...truth, [member]: value }) };
  },
  'no items': () => ({
    answer: (truth) => rawJson(Object.fromEntries(Object.entries(truth).filter(([name]) => name !== 'items'))),
  }),
  version: (random) => {
    const resourceVersion = random.pick<unknown>([...versions, ...hostileNumbers, null, {}]);
    return { answer: (truth) => rawJson({ ...truth, metadata: { ...truth.metadata, resourceVersion } }) };
  },
  continue: (random) => {
    const next = random.pick([...hostileTexts.filter((text) => text !== ''), 'again']);
    return { answer: (truth) => rawJson({ ...truth, metadata: { ...truth.metadata, continue: next } }) };
  },
  'foreign members': (random) => {
    const name = random.pick(hostileNames);
    return { answer: (truth) => rawJson(new RawMembers([...Object.entries(truth), [name, hostileValue(random, 1)]])) };
  },
  'another item': (random, resource, index) => {
    const item = noObject(random, resource, index);
    return { answer: (truth) => rawJson({ ...truth, items: [...truth.items, item] }) };
  },
  'an item twice': () => ({ answer: (truth) => rawJson({ ...truth, items: [...truth.items, ...truth.items] }) }),
  deep: (random) => {
    const text = nested(random);
    return { answer: (truth) => rawJson(truth).replace(/\}$/, `,"more":${text}}`) };
  },
  many: (random, resource, index) => {
    const items = Array.from({ length: 3_000 }, (_, i) => withMetadata(noObject(random, resource, index), `fuzz-${i}`));
    return { answer: (truth) => rawJson({ ...truth, items: [...items, 0] }) };
  },
};

export function answerCase(random: Random, index: number): AnswerCase {
  const resource = random.pick(kinds);
  const plant = random.pick(Object.keys(plants));
  // A list of nothing is believed of everything but nodes: most of those gone at once are not.
  if (random.chance(0.05)) {
    const answer = (truth: ListAnswer) => rawJson({ ...truth, items: null });
    const text = 'list of Node: items null';
    return { kind: 'answer: items null', act: 'answer', resource: 'Node', answer, isEmptied: true, text };
  }
  const made = (plants[plant] as Plant)(random, resource, index);
  const example = made.answer({ kind: `${resource}List`, metadata: { resourceVersion: '7' }, items: [] });
  return { kind: `answer: ${plant}`, act: 'answer', resource, ...made, text: `list of ${resource}: ${example}` };
}

const eventTypes = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'added', '', 'null', '__proto__', 'SYNC'];

type WatchPlant = (random: Random, resource: Kind, index: number) => Pick<WatchCase, 'lines' | 'isCut'>;

const line = (value: unknown) => ({ lines: `${rawJson(value)}\n`, isCut: false });

const watchPlants: Readonly<Record<string, WatchPlant>> = {
  'no event': (random) => ({
    lines: `${random.pick(['', ' ', 'null', '5', '"x"', '{}', '[]', 'HTTP/1.1 200 OK', '\u0000', '{"type":5}', '<html>'])}\n`,
    isCut: false,
  }),
  'half an event': (random, resource, index) => {
    const text = JSON.stringify({ type: 'ADDED', object: validObject(resource, `fuzz-${index}`, index % 1_000) });
    return {
      lines: text.slice(0, 1 + random.below(text.length - 1)) + random.pick(['', '\n', '\r']),
      isCut: random.chance(0.6),
    };
  },
  'no object': (random) =>
    line({ type: random.pick(eventTypes), object: random.pick([null, undefined, 5, 'x', [], {}, { metadata: null }]) }),
  type: (random, resource, index) =>
    line({
      type: random.pick([...eventTypes, hostileValue(random, 'ADDED')]),
      object: withMetadata(validObject(resource, `fuzz-${index}`, index % 1_000), `fuzz-${index}`),
    }),
  object: (random, resource, index) =>
    line({ type: random.pick(['ADDED', 'MODIFIED', 'DELETED']), object: noObject(random, resource, index) }),
  bookmark: (random) =>
    line({ type: 'BOOKMARK', object: { metadata: { resourceVersion: random.pick([...versions, 5, null]) } } }),
  error: (random) =>
    line({
      type: 'ERROR',
      object: {
        code: random.pick([410, 500, 0, '410', null, 1e308, -1]),
        message: random.pick([...hostileTexts, 5, null, {}]),
        reason: random.pick(['Expired', 5, null, {}]),
      },
    }),
  deep: (random) => ({
    lines: `{"type":"MODIFIED","object":{"metadata":{"name":"fuzz-deep","resourceVersion":"1","finalizers":${nested(random)}},"spec":${nested(random)}}}\n`,
    isCut: false,
  }),
  many: (random, resource, index) => {
    const event = (i: number) => ({
      type: 'ADDED',
      object: withMetadata(noObject(random, resource, index), `fuzz-${i}`),
    });
    return { lines: Array.from({ length: 300 }, (_, i) => `${rawJson(event(i % 3))}\n`).join(''), isCut: false };
  },
  long: (random) => ({ lines: ' '.repeat(random.pick([100_000, 2_000_000, 40_000_000])), isCut: true }),
};

export function watchCase(random: Random, index: number): WatchCase {
  const resource = random.pick(kinds);
  const plant = random.pick(Object.keys(watchPlants));
  const made = (watchPlants[plant] as WatchPlant)(random, resource, index);
  const text = `watch of ${resource}: ${made.lines}${made.isCut ? ' (cut)' : ''}`;
  return { kind: `watch: ${plant}`, act: 'watch', resource, ...made, text };
}

export function refusalCase(random: Random): RefusalCase {
  const verb = random.pick(['list', 'watch', 'patch', 'events'] as const);
  const resource = random.pick(verb === 'list' || verb === 'watch' ? kinds : ourKinds);
  const fault = random.pick<() => RefusalCase['fault']>([
    () => ({ kind: 'status', code: random.pick([400, 401, 403, 404, 409, 410, 422, 429, 500, 503, 504]) }),
    () => ({ kind: 'status', code: random.pick([429, 503]), retryAfterSeconds: 1 }),
    () => ({ kind: 'nonsense', body: random.pick(['', 'null', '{}', '[', '<html>', '{"metadata":{"uid":5}}']) }),
    () => ({ kind: random.pick(['reset', 'lost-answer']) }),
  ])();
  const times = 1 + random.below(2);
  const text = `${times} times at ${verb} of ${resource}: ${JSON.stringify(fault)}`;
  return { kind: `refusal: ${verb}`, act: 'refusal', resource, verb, fault, times, text };
}
