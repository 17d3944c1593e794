import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { openDelta } from './delta.js';
import { AgentMessage, ControllerMessage, Delta, SignedDelta, Welcome } from './generated/waymark/agent/v1/agent.js';
import { generateSigningKey, Signer, Verifier } from './signing.js';
import { stateHashOf } from './state-hash.js';
import { NEWEST_VERSION } from './versions.js';

const PROTO = fileURLToPath(new URL('../proto', import.meta.url));
const present = protobuf.loadSync(`${PROTO}/waymark/agent/v1/agent.proto`);
const released = readdirSync(`${PROTO}/released`).sort();

/** Where the present descriptors would read or write what an older program does not mean. */
function breaches(older: protobuf.Root, newer: protobuf.Root): string[] {
  const found: string[] = [];
  const walk = (namespace: protobuf.NamespaceBase): void => {
    for (const thing of namespace.nestedArray) {
      if (thing instanceof protobuf.Type) found.push(...breachesOfMessage(thing, newer));
      else if (thing instanceof protobuf.Enum) found.push(...breachesOfEnum(thing, newer));
      else if (thing instanceof protobuf.Service) found.push(...breachesOfService(thing, newer));
      if (thing instanceof protobuf.Namespace) walk(thing);
    }
  };
  walk(older);
  return found;
}

function breachesOfMessage(old: protobuf.Type, newer: protobuf.Root): string[] {
  const now = newer.lookup(old.fullName);
  if (!(now instanceof protobuf.Type)) return [`${old.fullName} is gone`];
  return old.fieldsArray.flatMap((field) => {
    const same = now.fieldsById[field.id];
    const place = `${old.fullName}, field ${field.id}`;
    if (same === undefined) return [`${place} is gone`];
    return signature(same) === signature(field) ? [] : [`${place}: ${signature(field)} became ${signature(same)}`];
  });
}

function signature({ type, repeated, name, partOf }: protobuf.Field): string {
  return `${partOf === null ? '' : `${partOf.name}/`}${repeated ? 'repeated ' : ''}${type} ${name}`;
}

function breachesOfEnum(old: protobuf.Enum, newer: protobuf.Root): string[] {
  const now = newer.lookup(old.fullName);
  if (!(now instanceof protobuf.Enum)) return [`${old.fullName} is gone`];
  return Object.entries(old.values)
    .filter(([name, value]) => now.values[name] !== value)
    .map(([name]) => `${old.fullName}.${name} is gone or means something else`);
}

function breachesOfService(old: protobuf.Service, newer: protobuf.Root): string[] {
  const now = newer.lookup(old.fullName);
  if (!(now instanceof protobuf.Service)) return [`${old.fullName} is gone`];
  return old.methodsArray
    .filter(({ name, requestType, responseType, requestStream, responseStream }) => {
      const method = now.methods[name];
      return (
        method?.requestType !== requestType ||
        method.responseType !== responseType ||
        Boolean(method.requestStream) !== Boolean(requestStream) ||
        Boolean(method.responseStream) !== Boolean(responseStream)
      );
    })
    .map(({ name }) => `${old.fullName}.${name} is gone or means something else`);
}

function parsed(text: string): protobuf.Root {
  return protobuf.parse(`syntax = "proto3"; package p; ${text}`).root;
}

describe('the protocol', () => {
  it('has the descriptors of every version', () => {
    const versions = Array.from({ length: NEWEST_VERSION }, (_, index) => `version-${index + 1}.proto`);
    expect(released).toEqual(versions);
  });

  it.each(released)('reads and writes what %s does', (file) => {
    expect(breaches(protobuf.loadSync(`${PROTO}/released/${file}`), present)).toEqual([]);
  });

  it.each([
    ['message M { uint32 a = 1; }', 'message M { string a = 1; }', ['.p.M, field 1: uint32 a became string a']],
    ['message M { uint32 a = 1; }', 'message M { uint32 b = 2; }', ['.p.M, field 1 is gone']],
    [
      'message M { bytes a = 1; }',
      'message M { repeated bytes a = 1; }',
      ['.p.M, field 1: bytes a became repeated bytes a'],
    ],
    ['enum E { A = 0; B = 1; }', 'enum E { A = 0; C = 1; }', ['.p.E.B is gone or means something else']],
    ['message M {} message N {}', 'message M {}', ['.p.N is gone']],
    ['message M { uint32 a = 1; }', 'message M { uint32 a = 1; string b = 2; }', []],
  ])('would be found to break it: %s, then %s', (before, after, expected) => {
    expect(breaches(parsed(before), parsed(after))).toEqual(expected);
  });
});

describe('messages with fields that the other side does not know', () => {
  const version1 = protobuf.loadSync(`${PROTO}/released/version-1.proto`);

  it('are read by version 1 without them: the hello, and the welcome that names a version', () => {
    const hello = {
      nodeId: 'h1',
      agentVersion: '9',
      dataplane: 'linux',
      msdHEncaps: 5,
      encapMode: 'full',
      ownedSids: [],
      instance: 'i',
      epoch: 3,
      generation: 4,
      oldestVersion: 1,
      newestVersion: 2,
      features: ['service-classes'],
    };
    const bytes = AgentMessage.encode({ message: { $case: 'hello', value: hello } }).finish();
    const read = version1.lookupType('AgentMessage').decode(bytes).toJSON() as { hello: object };
    expect(read.hello).toMatchObject({ nodeId: 'h1', epoch: '3', generation: '4' });
    const welcome: Welcome = {
      instance: 'i',
      publicKey: Uint8Array.of(1),
      channel: 'c',
      heartbeatIntervalMs: 100,
      digest: undefined,
      version: 2,
    };
    const greeting = ControllerMessage.encode({ message: { $case: 'welcome', value: welcome } }).finish();
    const heard = version1.lookupType('ControllerMessage').decode(greeting).toJSON() as { welcome: object };
    expect(heard.welcome).toEqual({ instance: 'i', publicKey: 'AQ==', channel: 'c', heartbeatIntervalMs: 100 });
  });

  it('are read as zero when version 1 has left them out', () => {
    const type = version1.lookupType('AgentMessage');
    const bytes = type.encode(type.fromObject({ hello: { nodeId: 'h1' } })).finish();
    expect(AgentMessage.decode(bytes).message).toMatchObject({
      value: { nodeId: 'h1', oldestVersion: 0, newestVersion: 0, features: [] },
    });
  });

  it('are deltas like others as long as the signature is good over all of them', () => {
    const { privateKey, publicKey } = generateSigningKey();
    const delta: Delta = {
      instance: 'i',
      nodeId: 'h1',
      epoch: 1,
      generation: 1,
      previousGeneration: 0,
      stateHash: stateHashOf([]),
      hint: true,
      changes: [],
      bsidBlock: undefined,
    };
    // Field 99, a string: of a version to come.
    const payload = Buffer.concat([Delta.encode(delta).finish(), Buffer.from([0x9a, 0x06, 0x03]), Buffer.from('new')]);
    const signature = new Signer(privateKey).sign(payload);
    const sealed = SignedDelta.encode({ payload, signature }).finish();
    expect(openDelta(sealed, new Verifier(publicKey))).toMatchObject({ nodeId: 'h1', generation: 1, hint: true });
    const stripped = SignedDelta.encode({ payload: Delta.encode(delta).finish(), signature }).finish();
    expect(() => openDelta(stripped, new Verifier(publicKey))).toThrow(/not signed/);
  });
});
