import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environmentSchema, readConfig } from './config.js';
import { LINUX_DEFAULTS } from './dataplane/linux/settings.js';

const NODE = { WAYMARK_NODE_ID: 'dc-london-1' };

describe('the settings of the agent', () => {
  it('need only a node id', () => {
    expect(readConfig(NODE)).toEqual({
      nodeId: 'dc-london-1',
      controllers: ['127.0.0.1:50051'],
      grpcTls: undefined,
      grpcInsecure: false,
      redisUrl: undefined,
      redisTls: undefined,
      stateDirectory: '/var/lib/waymark/dc-london-1',
      localSids: [],
      rereadIntervalMs: 30_000,
      probeTiming: { intervalMs: 300, multiplier: 3, holdDownMs: 5_000 },
      statusPort: 9850,
      logLevel: 'info',
      dataPlane: { kind: 'dry-run', encapMode: 'reduced', msdHEncaps: 0, file: undefined },
    });
  });

  it('take an empty variable as unset', () => {
    expect(readConfig({ ...NODE, REDIS_URL: '', WAYMARK_LOCAL_SIDS: '' })).toEqual(readConfig(NODE));
  });

  it('describe a Linux data plane that owns local SIDs', () => {
    const { dataPlane, localSids, controllers } = readConfig({
      ...NODE,
      WAYMARK_CONTROLLER: '10.0.0.1:50051,[fd00::2]:50051',
      WAYMARK_GRPC_INSECURE: 'true',
      WAYMARK_DATAPLANE: 'linux',
      WAYMARK_LOCAL_SIDS: 'FC00:1:0::d4=End.DT4, fc00:1::d6=End.DT6',
      WAYMARK_LINUX_MANAGE_SYSCTLS: 'true',
      WAYMARK_LINUX_UNDERLAY: 'eth0,eth1.100',
      WAYMARK_LINUX_ENCAP_SOURCE: 'fd00::0001',
      WAYMARK_EDGE_BLOCKS: 'FC00:0::/16, fdb5:8000::/17,fc00::/16',
      WAYMARK_PROBE_PREFIX: 'FC00:1:0::/48',
    });
    expect(controllers).toEqual(['10.0.0.1:50051', '[fd00::2]:50051']);
    expect(localSids).toEqual([
      { sid: 'fc00:1::d4', behavior: 'End.DT4' },
      { sid: 'fc00:1::d6', behavior: 'End.DT6' },
    ]);
    const underlayInterfaces = ['eth0', 'eth1.100'];
    const edgeBlocks = ['fc00::/16', 'fdb5:8000::/17'];
    const probePrefix = 'fc00:1::/48';
    const settings = {
      manageSysctls: true,
      probePrefix,
      encapSource: 'fd00::1',
      underlayInterfaces,
      ownsLocalSids: true,
      edgeBlocks,
    };
    expect(dataPlane).toEqual({ kind: 'linux', settings: { ...LINUX_DEFAULTS, ...settings } });
  });

  it('refuse a controller elsewhere without certificates, unless that is asked for', () => {
    const elsewhere = { ...NODE, WAYMARK_CONTROLLER: '[::1]:50051,[fd00::2]:50051' };
    const certificates = { WAYMARK_GRPC_CA_FILE: 'ca', WAYMARK_GRPC_CERT_FILE: 'cert', WAYMARK_GRPC_KEY_FILE: 'key' };
    expect(() => readConfig(elsewhere)).toThrow(/^WAYMARK_CONTROLLER leads beyond this machine \(\[fd00::2\]\)/);
    expect(readConfig({ ...elsewhere, WAYMARK_GRPC_INSECURE: 'true' }).grpcInsecure).toBe(true);
    expect(readConfig({ ...elsewhere, ...certificates }).grpcTls).toEqual({
      ca: 'ca',
      pair: { cert: 'cert', key: 'key' },
    });
  });

  it('take files of TLS for Redis only where Redis speaks TLS', () => {
    const settings = { ...NODE, REDIS_URL: 'rediss://redis', REDIS_CA_FILE: 'ca' };
    expect(readConfig(settings).redisTls).toEqual({ ca: 'ca', pair: null });
    expect(() => readConfig({ ...settings, REDIS_URL: 'redis://redis' })).toThrow('rediss://');
  });

  const VPP = { ...NODE, WAYMARK_DATAPLANE: 'vpp', WAYMARK_VPP_ENCAP_SOURCE: 'FD00:0::1' };

  it('describe a VPP that owns local SIDs', () => {
    const { dataPlane, localSids } = readConfig({
      ...VPP,
      WAYMARK_VPP_SOCKET: '/run/vpp/other.sock',
      WAYMARK_VPP_TABLE: '10',
      WAYMARK_VPP_MSD: '4',
      WAYMARK_EDGE_BLOCKS: 'fcff::/16',
      WAYMARK_VPP_LOCAL_SID_BLOCK: 'fcff:1::/32',
      WAYMARK_LOCAL_SIDS: 'fcff:1::e1=End.X:FE80:0::2%GigabitEthernet0/8/0,fcff:1::=uN,fcff:1::d4=End.DT4',
    });
    expect(localSids).toEqual([
      { sid: 'fcff:1::e1', behavior: 'End.X', via: 'fe80::2%GigabitEthernet0/8/0' },
      { sid: 'fcff:1::', behavior: 'uN' },
      { sid: 'fcff:1::d4', behavior: 'End.DT4' },
    ]);
    expect(dataPlane).toEqual({
      kind: 'vpp',
      settings: {
        socketPath: '/run/vpp/other.sock',
        encapSource: 'fd00::1',
        bsidBlock: 'fdbb:b51d::/32',
        table: 10,
        classTables: 1_000_000,
        besideCalico: false,
        msd: 4,
        localSids,
        localSidBlock: 'fcff:1::/32',
        decapTable: 0,
        probe: null,
        edgeBlocks: ['fcff::/16'],
        localSidCountersIntervalMs: 600_000,
      },
    });
  });

  it.each([
    ['10.0.0.1,FD00::1', 'fd00::1'],
    ['fd00::1,10.0.0.1', 'fd00::1'],
    ['fd00::1,fd00::2', 'fd00::1'],
  ])('take the IPv6 address of a node from all of its addresses: %s', (addresses, encapSource) => {
    const { dataPlane } = readConfig({ ...VPP, WAYMARK_VPP_ENCAP_SOURCE: addresses });
    expect(dataPlane).toMatchObject({ settings: { encapSource } });
  });

  it('describe how probes get into VPP', () => {
    const probes = {
      WAYMARK_PROBE_PREFIX: 'fc00:1::/64',
      WAYMARK_VPP_PROBE_INTERFACE: 'tap9',
      WAYMARK_VPP_PROBE_GATEWAY: 'FD00:9::1',
      WAYMARK_VPP_PROBE_HOST: 'fd00:9::2',
    };
    expect(readConfig({ ...VPP, ...probes }).dataPlane).toMatchObject({
      settings: {
        probe: {
          prefix: 'fc00:1::/64',
          interfaceName: 'tap9',
          table: 7_300,
          gateway: 'fd00:9::1',
          host: 'fd00:9::2',
          rules: { probePrefix: 'fc00:1::/64', probeTable: 7_301, probeRule: 90 },
        },
      },
    });
    for (const variable of ['WAYMARK_VPP_PROBE_INTERFACE', 'WAYMARK_VPP_PROBE_GATEWAY', 'WAYMARK_VPP_PROBE_HOST']) {
      expect(() => readConfig({ ...VPP, ...probes, [variable]: '' })).toThrow(variable);
    }
    const sameTable = { WAYMARK_VPP_PROBE_TABLE: '10', WAYMARK_VPP_TABLE: '10' };
    expect(() => readConfig({ ...VPP, ...probes, ...sameTable })).toThrow('WAYMARK_VPP_PROBE_TABLE');
  });

  it("take Calico-VPP's socket and the pods' table beside it", () => {
    expect(readConfig({ ...VPP, WAYMARK_VPP_BESIDE_CALICO: 'true' }).dataPlane).toMatchObject({
      settings: { socketPath: '/var/run/vpp/vpp-api.sock', table: 2, besideCalico: true, msd: 'auto', localSids: [] },
    });
  });

  it.each([
    ['WAYMARK_VPP_ENCAP_SOURCE', { WAYMARK_VPP_ENCAP_SOURCE: '' }],
    ['WAYMARK_VPP_ENCAP_SOURCE', { WAYMARK_VPP_ENCAP_SOURCE: '10.0.0.1' }],
    ['WAYMARK_VPP_ENCAP_SOURCE', { WAYMARK_VPP_ENCAP_SOURCE: '10.0.0.1,10.0.0.2' }],
    ['WAYMARK_VPP_BSID_BLOCK', { WAYMARK_VPP_BSID_BLOCK: 'fdbb::' }],
    ['WAYMARK_VPP_MSD', { WAYMARK_VPP_MSD: '17' }],
    ['WAYMARK_VPP_TABLE', { WAYMARK_VPP_TABLE: '4294967295' }],
    ['WAYMARK_VPP_TABLE', { WAYMARK_VPP_BESIDE_CALICO: 'true', WAYMARK_VPP_TABLE: '0' }],
    ['WAYMARK_LOCAL_SIDS', { WAYMARK_VPP_BESIDE_CALICO: 'true', WAYMARK_LOCAL_SIDS: 'fcff:1::d4=End.DT4' }],
    ['WAYMARK_LOCAL_SIDS', { WAYMARK_LOCAL_SIDS: 'fcff:1::e1=End.X' }],
    ['WAYMARK_LOCAL_SIDS', { WAYMARK_LOCAL_SIDS: 'fcff:1::e1=End.X:10.0.0.1%eth0' }],
    ['WAYMARK_LOCAL_SIDS', { WAYMARK_LOCAL_SIDS: 'fcff:1::e1=End:fe80::1%eth0' }],
    ['WAYMARK_EDGE_BLOCKS', { WAYMARK_EDGE_BLOCKS: 'fcff::/16' }],
  ])('of VPP are refused with the name of the variable: %s in %j', (variable, settings) => {
    expect(() => readConfig({ ...VPP, ...settings })).toThrow(variable);
  });

  it.each([
    ['WAYMARK_NODE_ID', 'no spaces'],
    ['WAYMARK_CONTROLLER', 'localhost'],
    ['REDIS_URL', 'http://localhost'],
    ['WAYMARK_DATAPLANE', 'dpdk'],
    ['WAYMARK_REREAD_SECONDS', '0'],
    ['WAYMARK_STATUS_PORT', '65536'],
    ['WAYMARK_ENCAP_MODE', 'inline'],
    ['WAYMARK_PROBE_PREFIX', 'fc00:1::/97'],
    ['WAYMARK_PROBE_PREFIX', 'fc00:1::1/64'],
    ['WAYMARK_PROBE_PREFIX', 'fc00:1::'],
    ['WAYMARK_PROBE_PREFIX', '10.0.0.0/8'],
    ['WAYMARK_PROBE_INTERVAL_MS', '49'],
    ['WAYMARK_PROBE_MULTIPLIER', '1'],
    ['WAYMARK_LINUX_PROBE_TABLE', '254'],
    ['WAYMARK_LINUX_PROBE_RULE', '32766'],
    ['WAYMARK_LINUX_METRIC', '0'],
    ['WAYMARK_LINUX_PROTOCOL', '2'],
    ['WAYMARK_LINUX_DEVICE', 'a b'],
    ['WAYMARK_LINUX_ENCAP_SOURCE', '10.0.0.1'],
    ['WAYMARK_LOCAL_SIDS', 'fc00::1=End.DX2'],
    ['WAYMARK_LOCAL_SIDS', 'fc00::1=End,fc00:0::1=End.DT4'],
    ['WAYMARK_LOCAL_SIDS', 'fc00::1=End.DT46'],
    ['WAYMARK_LINUX_UNDERLAY', 'eth*'],
    ['WAYMARK_EDGE_BLOCKS', 'fc00::'],
    ['WAYMARK_EDGE_BLOCKS', 'fc00::/129'],
    ['WAYMARK_EDGE_BLOCKS', '::/0'],
    ['WAYMARK_EDGE_BLOCKS', '10.0.0.0/8'],
    ['WAYMARK_EDGE_BLOCKS', 'fc00:1::/16'],
    ['WAYMARK_EDGE_BLOCKS', Array.from({ length: 257 }, (_, index) => `fc00:${index}::/32`).join(',')],
  ])('are refused with the name of the variable: %s=%s', (variable, value) => {
    const environment = { ...NODE, WAYMARK_DATAPLANE: 'linux', [variable]: value };
    expect(() => readConfig(environment)).toThrow(variable);
  });

  it('refuse an edge that would cut the node off from the SR domain', () => {
    const environment = { ...NODE, WAYMARK_DATAPLANE: 'linux', WAYMARK_EDGE_BLOCKS: 'fc00::/16' };
    expect(() => readConfig(environment)).toThrow('WAYMARK_EDGE_BLOCKS needs WAYMARK_LINUX_UNDERLAY');
  });

  it('keep the tables of the probes apart', () => {
    const prefix = { WAYMARK_PROBE_PREFIX: 'fc00:1::/64' };
    const environment = { ...NODE, ...prefix, WAYMARK_DATAPLANE: 'linux', WAYMARK_LINUX_TABLE: '7302' };
    expect(() => readConfig(environment)).toThrow('WAYMARK_LINUX_PROBE_TABLE');
    expect(() => readConfig({ ...environment, WAYMARK_LINUX_PROBE_TABLE: '7303' })).not.toThrow();
  });

  it('are all in docs/node-agent.md, with their defaults, and no others', () => {
    const page = readFileSync(new URL('../../../docs/node-agent.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z_]+)`\s*\| ([^|]*?)\s*\|/gm)].map(([, name, value]) => [name, value]);
    const wanted = Object.entries(environmentSchema.properties).map(([name, property]) => [
      name,
      'default' in property ? `\`${property.default}\`` : name === 'WAYMARK_NODE_ID' ? 'required' : '',
    ]);
    expect(rows).toEqual(wanted);
  });
});
