import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  emptyStateHash,
  Family,
  Liveness,
  MemoryBus,
  Outcome,
  TlsFiles,
  type AgentMessage,
} from '@waymark/agent-protocol';
import { certifiedControllers } from '@waymark/node-agent';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  CertificateAuthority,
  uriOf,
  writeTls,
  type IssuedCertificate,
} from '../../../../packages/agent-protocol/src/testing/certificate-authority.js';
import { missingNeeds } from '../../../../test/require-program.js';
import { hello, policyBody, startTestController, type TestController } from '../testing/distribution-fixture.js';
import { eventually as eventuallyWithin } from '../testing/eventually.js';
import { startSessionAgent, type SessionAgent } from '../testing/session-agent.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { certificateAccess } from './agent-access.js';
import { RevokedCertificates } from './revoked-certificates.js';

const missing = missingNeeds({ programs: ['openssl'] });
const CONTROLLER = { names: ['IP:127.0.0.1', 'DNS:controller.example.net'], usage: 'serverAuth' } as const;
vi.setConfig({ testTimeout: 180_000 });
const eventually = (check: () => unknown) => eventuallyWithin(check, 60_000);
const past = (ms: number): Date => new Date(Date.now() - ms);

describe.skipIf(missing !== undefined)(
  `mutual TLS between controllers and agents${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let ca: CertificateAuthority;
    let stranger: CertificateAuthority;
    let database: TestDatabase;
    let bus: MemoryBus;
    let folder: string;
    let controllerFiles: TlsFiles;
    let revokedFile: string;
    let revoked: RevokedCertificates;
    let controller: TestController;
    let logged: string[];
    const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
    let ends: (() => Promise<void> | void)[];

    beforeAll(() => {
      ca = new CertificateAuthority();
      stranger = new CertificateAuthority();
    });
    afterAll(() => {
      for (const each of [ca, stranger]) each.remove();
    });

    beforeEach(async () => {
      ends = [];
      logged = [];
      folder = mkdtempSync(join(tmpdir(), 'waymark-access-'));
      database = await createTestDatabase();
      bus = new MemoryBus();
      revokedFile = join(folder, 'revoked');
      writeFileSync(revokedFile, '# nobody yet\n');
      await listen(ca.issue(CONTROLLER));
    });

    afterEach(async () => {
      vi.restoreAllMocks();
      for (const end of ends.splice(0).reverse()) await end();
      await bus.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    });

    async function listen(certificate: IssuedCertificate, address?: string): Promise<void> {
      controllerFiles = new TlsFiles(writeTls(join(folder, 'controller'), [ca.cert], certificate));
      revoked = new RevokedCertificates(revokedFile);
      controller = await startTestController(database, bus, {
        access: certificateAccess(controllerFiles, revoked),
        // who is busy with other tests must not fall silent
        heartbeatIntervalMs: 2_000,
        log,
        ...(address === undefined ? {} : { address }),
      });
      const [started, files] = [controller, controllerFiles];
      ends.push(
        () => files.close(),
        () => started.stop(),
      );
    }

    /** An agent with a certificate, and its files. */
    async function agent(
      node: string,
      issued = ca.issue({ names: [uriOf(node)], usage: 'clientAuth' }),
      { trusted = [ca.cert], address = controller.address } = {},
    ): Promise<{ readonly agent: SessionAgent; readonly files: TlsFiles; readonly said: () => string }> {
      const files = new TlsFiles(writeTls(join(folder, node), trusted, issued));
      const lines: string[] = [];
      const started = await startSessionAgent({
        node,
        controllers: [address],
        bus,
        trust: certifiedControllers(files),
        log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
      });
      ends.push(
        () => files.close(),
        () => started.dispose(),
      );
      return { agent: started, files, said: () => lines.join('') };
    }

    function client(issued: IssuedCertificate | undefined, trusted = ca.cert): AgentServiceClient {
      const context = createSecureContext({ ca: trusted, cert: issued?.cert, key: issued?.key });
      const made = new AgentServiceClient(controller.address, credentials.createFromSecureContext(context));
      ends.push(() => made.close());
      return made;
    }

    /** Says all of that in one session; how it ends. */
    function session(from: AgentServiceClient, ...messages: NonNullable<AgentMessage['message']>[]) {
      const stream = from.session();
      const heard: string[] = [];
      const ended = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
      stream.on('data', ({ message }: { message?: { $case: string } }) => heard.push(message?.$case ?? ''));
      for (const message of messages) stream.write({ message });
      return { ended, heard };
    }

    function snapshotOf(from: AgentServiceClient, nodeId: string): Promise<'sent' | ServiceError> {
      const stream = from.getSnapshot({ nodeId, epoch: 0, generation: 0, stateHash: emptyStateHash() });
      return new Promise((resolve) => {
        stream.on('data', () => undefined);
        stream.on('error', resolve);
        stream.on('end', () => resolve('sent'));
      });
    }

    const isConnected = (one: SessionAgent): boolean => one.session.status().connected;

    /** A bare TLS connection to the controller: what was agreed on, or the error. */
    function handshake(options: ConnectionOptions): Promise<TLSSocket> {
      const [host = '', port] = controller.address.split(':');
      const socket = connect({ host, port: Number(port), ca: ca.cert, ALPNProtocols: ['h2'], ...options });
      ends.push(() => void socket.destroy());
      return new Promise((resolve, reject) => {
        socket.on('secureConnect', () => resolve(socket));
        socket.on('error', reject);
      });
    }

    it('carries the whole of a session, in TLS 1.3', async () => {
      const { agent: h1 } = await agent('h1');
      await controller.write([{ headend: 'h1', policies: [{ policyId: 'h1:1:h2', body: policyBody('h1:1:h2') }] }]);
      await eventually(() => expect(h1.reconciler.desired?.policies.has('h1:1:h2')).toBe(true));
      await eventually(async () => {
        const { items } = await controller.distribution.agents.agents({}, { limit: 10 });
        expect(items).toMatchObject([{ node: 'h1', inSync: true, policies: { simulated: 1 } }]);
      });
      const own = ca.issue({ names: [uriOf('h2')] });
      expect((await handshake(own)).getProtocol()).toBe('TLSv1.3');
      expect((await handshake({ ...own, maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
      await expect(
        handshake({ ...own, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
      ).rejects.toThrow(/version|alert/i);
    });

    it('lets an agent speak for its own node only, and says who tried', async () => {
      const own = client(ca.issue({ names: [uriOf('h1')] }));
      const foreign = session(own, { $case: 'hello', value: { ...hello, nodeId: 'h2' } });
      expect(await foreign.ended).toMatchObject({
        code: status.PERMISSION_DENIED,
        details: 'the certificate is that of h1, and the hello that of h2',
      });
      expect(foreign.heard).toEqual([]);
      expect(await snapshotOf(own, 'h2')).toMatchObject({ code: status.PERMISSION_DENIED });
      expect(await snapshotOf(own, 'h1')).toBe('sent');
      expect((await controller.distribution.agents.agents({}, { limit: 10 })).items).toEqual([]);
      const outcome = { policyId: 'h2:1:h3', generation: 1, outcome: Outcome.INSTALLED, reason: '' };
      const position = { epoch: 1, generation: 1, readBackHash: emptyStateHash(), more: false, sequence: 1 };
      const list = { policyId: 'h2:1:h3', family: Family.IPV6, sids: [new Uint8Array(16)], state: Liveness.UP };
      const numbers = {
        sinceMs: 0,
        probesSent: 0,
        probesLost: 0,
        roundTripMinUs: 0,
        roundTripAvgUs: 0,
        roundTripMaxUs: 0,
      };
      const probed = { ...list, ...numbers, standby: false, inUse: true };
      for (const message of [
        { $case: 'ack', value: { ...position, outcomes: [outcome] } },
        { $case: 'liveness', value: { complete: true, lists: [probed] } },
      ] as const) {
        expect(await session(own, { $case: 'hello', value: hello }, message).ended).toMatchObject({
          code: status.PERMISSION_DENIED,
        });
      }
      const refused = logged.filter((line) => line.includes('does not speak for itself'));
      expect(refused).toHaveLength(4);
      expect(refused.every((line) => line.includes('"caller":"h1"'))).toBe(true);
    });

    it.each([
      ['no certificate', () => undefined, /PEER_DID_NOT_RETURN/],
      ['one of another CA', () => stranger.issue({ names: [uriOf('h1')] }), /CERT|VERIFY/],
      [
        'one that has ended',
        () => ca.issue({ names: [uriOf('h1')], from: past(7_200_000), until: past(3_600_000) }),
        /EXPIRED/,
      ],
      ['one that has yet to begin', () => ca.issue({ names: [uriOf('h1')], from: past(-1_800_000) }), /NOT_YET_VALID/],
      ['one that is for servers', () => ca.issue({ names: [uriOf('h1')], usage: 'serverAuth' }), /PURPOSE/],
    ])('turns a caller away that shows %s', async (_, issue, why) => {
      const outside = client(issue());
      expect(await session(outside, { $case: 'hello', value: hello }).ended).toMatchObject({
        code: status.UNAVAILABLE,
      });
      expect(await snapshotOf(outside, 'h1')).toMatchObject({ code: status.UNAVAILABLE });
      const told = () => logged.find((line) => line.includes('a connection to the agent service was refused'));
      await eventually(() => expect(told()).toMatch(why));
      expect(controller.distribution.server.counts().refused.handshake).toBeGreaterThan(0);
    });

    it.each([
      ['of a controller', ['DNS:controller.example.net']],
      ['of two nodes', [uriOf('h1'), uriOf('h2')]],
    ])('serves nothing to a certificate %s', async (_, names) => {
      const outside = client(ca.issue({ names }));
      expect(await session(outside, { $case: 'hello', value: hello }).ended).toMatchObject({
        code: status.UNAUTHENTICATED,
      });
      expect(await snapshotOf(outside, 'h1')).toMatchObject({ code: status.UNAUTHENTICATED });
      expect(logged.filter((line) => line.includes('names no node'))).toHaveLength(2);
    });

    it('speaks to nobody in the clear', async () => {
      const plain = new AgentServiceClient(controller.address, credentials.createInsecure());
      ends.push(() => plain.close());
      expect(await session(plain, { $case: 'hello', value: hello }).ended).toMatchObject({ code: status.UNAVAILABLE });
    });

    it.each([
      ['of another CA', () => stranger.issue(CONTROLLER), /self-signed|unable to (get|verify)/],
      ['for another name', () => ca.issue({ ...CONTROLLER, names: ['DNS:other.example.net'] }), /127\.0\.0\.1/],
      ['that has ended', () => ca.issue({ ...CONTROLLER, until: past(1_000) }), /expired/],
      ['for clients', () => ca.issue({ ...CONTROLLER, usage: 'clientAuth' }), /purpose/],
      ['of an agent', () => ca.issue({ names: ['IP:127.0.0.1', uriOf('h9')] }), /the certificate of the agent of h9/],
    ])('takes nobody for a controller whose certificate is one %s', async (_, issue, why) => {
      await listen(issue());
      const { agent: h1, said } = await agent('h1');
      await eventually(() => expect(said()).toMatch(why));
      expect(isConnected(h1)).toBe(false);
      expect(controller.distribution.server.connectedNodes.size).toBe(0);
    });

    it('goes on under a session while certificates are renewed, and uses the new ones for the next', async () => {
      const { agent: h1, files, said } = await agent('h1');
      await eventually(() => isConnected(h1));
      const renewed = ca.issue(CONTROLLER);
      writeTls(join(folder, 'controller'), [ca.cert, stranger.cert], renewed);
      writeTls(join(folder, 'h1'), [ca.cert, stranger.cert], ca.issue({ names: [uriOf('h1')] }));
      await controllerFiles.reread();
      await files.reread();
      const socket = await handshake(ca.issue({ names: [uriOf('h2')] }));
      const shown = socket.getPeerX509Certificate()?.fingerprint256;
      expect(shown).toBe(new X509Certificate(renewed.cert).fingerprint256);
      await controller.write([{ headend: 'h1', policies: [{ policyId: 'h1:1:h2', body: policyBody('h1:1:h2') }] }]);
      await eventually(() => expect(h1.reconciler.desired?.policies.has('h1:1:h2')).toBe(true));
      expect(said().match(/a session with a controller begins/g)).toHaveLength(1);
      expect(said()).not.toContain('there is no session');
    });

    it('throws out whom a CA vouched for that is trusted no longer, and takes back whom another one does', async () => {
      const { agent: h1, said } = await agent('h1');
      const { agent: h2, files } = await agent('h2', undefined, { trusted: [ca.cert, stranger.cert] });
      await eventually(() => isConnected(h1) && isConnected(h2));
      const own = client(ca.issue({ names: [uriOf('h3')] }));
      expect(await snapshotOf(own, 'h3')).toBe('sent');
      // The second agent has its new certificate already, but not yet a connection with it.
      const trusted = [ca.cert, stranger.cert];
      writeTls(join(folder, 'h2'), trusted, stranger.issue({ names: [uriOf('h2')], usage: 'clientAuth' }));
      await files.reread();
      writeTls(join(folder, 'controller'), [stranger.cert], ca.issue(CONTROLLER));
      await controllerFiles.reread();
      await eventually(() => expect(said()).toContain('there is no session with a controller'));
      await eventually(() => expect([...controller.distribution.server.connectedNodes]).toEqual(['h2']));
      // What was open before is of no use either.
      expect(await snapshotOf(own, 'h3')).toMatchObject({ code: status.UNAVAILABLE });
      expect(isConnected(h1)).toBe(false);
    });

    it('ends the session of a certificate that is revoked, lets it begin no other, and takes the new one of its node', async () => {
      const stolen = ca.issue({ names: [uriOf('h1')], usage: 'clientAuth' });
      const { agent: h1, files, said } = await agent('h1', stolen);
      const { agent: h2, said: saidOfH2 } = await agent('h2');
      const own = client(stolen);
      expect(await snapshotOf(own, 'h1')).toBe('sent');
      await eventually(() => expect(isConnected(h1) && isConnected(h2)).toBe(true));
      const { fingerprint256 } = new X509Certificate(stolen.cert);
      writeFileSync(revokedFile, `# h1, stolen\nsha256 Fingerprint=${fingerprint256}\n`);
      await revoked.reread();
      await eventually(() => expect(said()).toContain('the certificate was revoked'));
      await eventually(() => expect([...controller.distribution.server.connectedNodes]).toEqual(['h2']));
      // over the connection that was there before, and over a new one
      for (const caller of [own, client(stolen)]) {
        expect(await snapshotOf(caller, 'h1')).toMatchObject({ code: status.UNAUTHENTICATED });
        expect(await session(caller, { $case: 'hello', value: hello }).ended).toMatchObject({
          ...{ code: status.UNAUTHENTICATED, details: 'the certificate was revoked' },
        });
      }
      const refusals = logged.filter((line) => line.includes('a caller of the agent service was refused'));
      expect(refusals.length).toBeGreaterThanOrEqual(5);
      for (const line of refusals) expect(JSON.parse(line)).toMatchObject({ node: 'h1', fingerprint256 });
      expect(controller.distribution.server.counts().refused.revoked).toBeGreaterThanOrEqual(5);
      writeTls(join(folder, 'h1'), [ca.cert], ca.issue({ names: [uriOf('h1')], usage: 'clientAuth' }));
      await files.reread();
      await eventually(() => expect(isConnected(h1)).toBe(true));
      expect(saidOfH2().match(/a session with a controller begins/g)).toHaveLength(1);
    });

    it('fills no log with those that it refuses again and again, and counts all', async () => {
      const nameless = client(ca.issue({ names: ['DNS:controller.example.net'] }));
      for (let i = 0; i < 25; i++) await snapshotOf(nameless, 'h1');
      expect(logged.filter((line) => line.includes('names no node'))).toHaveLength(10);
      expect(controller.distribution.server.counts().refused.nameless).toBe(25);
    });

    it('leaves a controller whose CA is trusted no longer', async () => {
      const { agent: h1, files, said } = await agent('h1');
      await eventually(() => isConnected(h1));
      writeTls(join(folder, 'h1'), [stranger.cert], ca.issue({ names: [uriOf('h1')] }));
      await files.reread();
      await eventually(() => expect(said()).toMatch(/self-signed|unable to (get|verify)/));
      expect(isConnected(h1)).toBe(false);
    });

    it('ends a session with its certificate, and begins the next with a new one', async () => {
      const { agent: h1, files, said } = await agent('h1');
      await eventually(() => isConnected(h1));
      const renewed = ca.issue({ names: [uriOf('h1')], until: past(-36_000_000) });
      writeTls(join(folder, 'h1'), [ca.cert], renewed);
      await files.reread();
      // Two hours later by the clock of this process, by which the controller goes; OpenSSL goes by another.
      const now = Date.now.bind(Date);
      vi.spyOn(Date, 'now').mockImplementation(() => now() + 7_200_000);
      await eventually(() => expect(said()).toContain('the certificate has ended'));
      await eventually(() => isConnected(h1));
      expect(said().match(/a session with a controller begins/g)).toHaveLength(2);
    });
  },
);
