import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  grpcTlsPaths,
  redisTlsPaths,
  requireUrl,
  transportProperties,
  type TlsPaths,
  type TransportEnvironment,
} from '@waymark/agent-protocol';
import { envSchema } from 'env-schema';
import type { RateLimits } from './api/limits.js';
import { oidcSettings, type OidcSettings } from './access/oidc-settings.js';
import { StartFault } from './model/start-fault.js';
import { freeBlocks } from './policies/binding-sids.js';

/** The checkout this file is part of: migrations and examples are read from it. */
export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** All settings of the controller, from the environment. docs/operating.md lists them. */
export interface ControllerConfig {
  /** Shown as the holder of leadership and as the controller of an agent's session. */
  readonly name: string;
  readonly httpHost: string;
  readonly httpPort: number;
  /** TLS of the REST API; undefined: in the clear. */
  readonly httpTls: TlsPaths | undefined;
  readonly grpcHost: string;
  readonly grpcPort: number;
  /** Mutual TLS with agents; undefined: sessions in the clear. */
  readonly grpcTls: TlsPaths | undefined;
  /** Sessions in the clear are wanted, though others may reach the port. */
  readonly grpcInsecure: boolean;
  /** Names certificates of agents that are accepted no longer. */
  readonly grpcRevokedFile: string | undefined;
  /** undefined: the embedded server, in `dataDirectory`. */
  readonly databaseUrl: string | undefined;
  /** A file with a key whose bearer is an admin. */
  readonly adminKeyFile: string | undefined;
  /** undefined: tokens of nobody are believed. */
  readonly oidc: OidcSettings | undefined;
  /** Of the REST API. */
  readonly rates: RateLimits;
  /** undefined: the in-memory bus, which reaches only agents in this process. */
  readonly redisUrl: string | undefined;
  /** For `rediss://`; undefined: what Node trusts. */
  readonly redisTls: TlsPaths | undefined;
  readonly dataDirectory: string;
  /** A topology file that is loaded when the TED is empty. */
  readonly demoTopology: string | undefined;
  /** Run a dry-run agent in this process for each host of the TED. */
  readonly demoAgents: boolean;
  /** Each headend draws its BSIDs from a block of this prefix. */
  readonly bsidPool: string;
  /** How long a returned or improved link must stay so before it is used again. */
  readonly holdMs: number;
  readonly maxHoldMs: number;
  readonly historyDays: number;
  readonly auditDays: number;
  readonly workers: number;
  /** A file that names Kubernetes clusters; undefined: none are followed. */
  readonly kubernetesFile: string | undefined;
  /** Where to record what the controller takes in; undefined: nowhere. */
  readonly recordFile: string | undefined;
  readonly recordMaxBytes: number;
  readonly logLevel: string;
}

interface Environment extends TransportEnvironment {
  readonly WAYMARK_NAME: string;
  readonly WAYMARK_HTTP_HOST: string;
  readonly WAYMARK_HTTP_PORT: number;
  readonly WAYMARK_TLS_CERT_FILE?: string;
  readonly WAYMARK_TLS_KEY_FILE?: string;
  readonly WAYMARK_GRPC_HOST: string;
  readonly WAYMARK_GRPC_PORT: number;
  readonly WAYMARK_GRPC_REVOKED_FILE?: string;
  readonly DATABASE_URL?: string;
  readonly WAYMARK_ADMIN_KEY_FILE?: string;
  readonly WAYMARK_OIDC_ISSUER?: string;
  readonly WAYMARK_OIDC_AUDIENCE?: string;
  readonly WAYMARK_OIDC_ROLE_CLAIM: string;
  readonly WAYMARK_OIDC_ROLES: string;
  readonly WAYMARK_OIDC_NAME_CLAIM: string;
  readonly WAYMARK_RATE_LIMIT?: number;
  readonly WAYMARK_RATE_LIMIT_REFUSED?: number;
  readonly WAYMARK_TRUSTED_PROXIES: string;
  readonly WAYMARK_DATA_DIR: string;
  readonly WAYMARK_DEMO: 'auto' | 'on' | 'topology' | 'off';
  readonly WAYMARK_BSID_POOL: string;
  readonly WAYMARK_HOLD_MS: number;
  readonly WAYMARK_MAX_HOLD_MS: number;
  readonly WAYMARK_HISTORY_DAYS: number;
  readonly WAYMARK_AUDIT_DAYS: number;
  readonly WAYMARK_WORKERS: number;
  readonly WAYMARK_KUBERNETES?: string;
  readonly WAYMARK_RECORD_FILE?: string;
  readonly WAYMARK_RECORD_MAX_MB: number;
  readonly WAYMARK_LOG_LEVEL: string;
}

/** Requests of a client, and refused credentials of an address, within a minute. */
const RATE_LIMIT = 12_000;
const RATE_LIMIT_REFUSED = 60;

const port = { type: 'integer', minimum: 0, maximum: 65535 } as const;
const perMinute = { type: 'integer', minimum: 0, maximum: 10_000_000 } as const;
const milliseconds = { type: 'integer', minimum: 0, maximum: 86_400_000 } as const;

const schema = {
  type: 'object',
  required: [],
  properties: {
    WAYMARK_NAME: { type: 'string', default: `controller-${process.pid}`, minLength: 1, maxLength: 63 },
    WAYMARK_HTTP_HOST: { type: 'string', default: '127.0.0.1' },
    WAYMARK_HTTP_PORT: { ...port, default: 8080 },
    WAYMARK_TLS_CERT_FILE: { type: 'string', minLength: 1 },
    WAYMARK_TLS_KEY_FILE: { type: 'string', minLength: 1 },
    WAYMARK_GRPC_HOST: { type: 'string', default: '127.0.0.1' },
    WAYMARK_GRPC_PORT: { ...port, default: 50051 },
    WAYMARK_GRPC_REVOKED_FILE: { type: 'string', minLength: 1 },
    DATABASE_URL: { type: 'string', pattern: '^postgres(ql)?://' },
    WAYMARK_ADMIN_KEY_FILE: { type: 'string', minLength: 1 },
    WAYMARK_OIDC_ISSUER: { type: 'string', minLength: 1 },
    WAYMARK_OIDC_AUDIENCE: { type: 'string', minLength: 1 },
    WAYMARK_OIDC_ROLE_CLAIM: { type: 'string', default: 'roles' },
    WAYMARK_OIDC_ROLES: { type: 'string', default: 'viewer=viewer,operator=operator,admin=admin' },
    WAYMARK_OIDC_NAME_CLAIM: { type: 'string', default: 'sub' },
    WAYMARK_RATE_LIMIT: perMinute,
    WAYMARK_RATE_LIMIT_REFUSED: perMinute,
    WAYMARK_TRUSTED_PROXIES: { type: 'string', default: '' },
    ...transportProperties,
    WAYMARK_DATA_DIR: { type: 'string', default: join(repositoryRoot, '.waymark'), minLength: 1 },
    WAYMARK_DEMO: { type: 'string', enum: ['auto', 'on', 'topology', 'off'], default: 'auto' },
    WAYMARK_BSID_POOL: { type: 'string', default: 'fdbb:b51d::/32' },
    WAYMARK_HOLD_MS: { ...milliseconds, default: 10_000 },
    WAYMARK_MAX_HOLD_MS: { ...milliseconds, default: 320_000 },
    WAYMARK_HISTORY_DAYS: { type: 'integer', minimum: 1, maximum: 36_500, default: 30 },
    WAYMARK_AUDIT_DAYS: { type: 'integer', minimum: 1, maximum: 36_500, default: 400 },
    WAYMARK_WORKERS: { type: 'integer', minimum: 1, maximum: 64, default: Math.max(2, availableParallelism() - 1) },
    WAYMARK_KUBERNETES: { type: 'string', minLength: 1 },
    WAYMARK_RECORD_FILE: { type: 'string', minLength: 1 },
    WAYMARK_RECORD_MAX_MB: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 1_024 },
    WAYMARK_LOG_LEVEL: { type: 'string', enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'], default: 'info' },
  },
} as const;

/** Every variable that the controller reads. */
export const settingNames: readonly string[] = Object.keys(schema.properties);

/**
 * Reads the settings. WAYMARK_DEMO: `on` loads the demo topology and runs dry-run agents for its hosts, `topology` only
 * loads it; `auto` is `on` with the embedded database and `off` with any other. Where agents have to show certificates,
 * which those of the demo have not, `auto` is `topology` instead of `on`.
 *
 * @throws StartFault naming the variable that does not fit.
 */
export function readConfig(environment: NodeJS.ProcessEnv): ControllerConfig {
  // An empty variable means unset, as operators expect of compose files and unit files.
  const data = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const env = checked(data);
  const { DATABASE_URL: databaseUrl } = env;
  fitting(() => requirePool('WAYMARK_BSID_POOL', env.WAYMARK_BSID_POOL));
  if (databaseUrl !== undefined) fitting(() => requireUrl('DATABASE_URL', databaseUrl));
  const grpcTls = fitting(() => grpcTlsPaths(env, 'WAYMARK_GRPC_HOST', [env.WAYMARK_GRPC_HOST]));
  const automatic = databaseUrl !== undefined ? 'off' : grpcTls === undefined ? 'on' : 'topology';
  const demo = env.WAYMARK_DEMO === 'auto' ? automatic : env.WAYMARK_DEMO;
  if (demo === 'on' && grpcTls !== undefined) {
    throw new StartFault(
      'WAYMARK_DEMO must not be "on" where agents need certificates, since those of the demo have none: set it to ' +
        '"topology" or "off", or remove WAYMARK_GRPC_CA_FILE, WAYMARK_GRPC_CERT_FILE and WAYMARK_GRPC_KEY_FILE',
    );
  }
  return {
    name: env.WAYMARK_NAME,
    httpHost: env.WAYMARK_HTTP_HOST,
    httpPort: env.WAYMARK_HTTP_PORT,
    httpTls: fitting(() => httpTlsPaths(env)),
    grpcHost: env.WAYMARK_GRPC_HOST,
    grpcPort: env.WAYMARK_GRPC_PORT,
    grpcTls,
    grpcInsecure: env.WAYMARK_GRPC_INSECURE,
    grpcRevokedFile: fitting(() => revokedFile(env)),
    databaseUrl,
    adminKeyFile: env.WAYMARK_ADMIN_KEY_FILE,
    oidc: oidcSettings({
      issuer: env.WAYMARK_OIDC_ISSUER,
      audience: env.WAYMARK_OIDC_AUDIENCE,
      roleClaim: env.WAYMARK_OIDC_ROLE_CLAIM,
      roles: env.WAYMARK_OIDC_ROLES,
      nameClaim: env.WAYMARK_OIDC_NAME_CLAIM,
    }),
    rates: rateLimits(env),
    redisUrl: env.REDIS_URL,
    redisTls: fitting(() => redisTlsPaths(env)),
    dataDirectory: env.WAYMARK_DATA_DIR,
    demoTopology: demo === 'off' ? undefined : join(repositoryRoot, 'examples', 'geant-datacentres.yaml'),
    demoAgents: demo === 'on',
    bsidPool: env.WAYMARK_BSID_POOL,
    holdMs: env.WAYMARK_HOLD_MS,
    maxHoldMs: env.WAYMARK_MAX_HOLD_MS,
    historyDays: env.WAYMARK_HISTORY_DAYS,
    auditDays: env.WAYMARK_AUDIT_DAYS,
    workers: env.WAYMARK_WORKERS,
    kubernetesFile: env.WAYMARK_KUBERNETES,
    recordFile: env.WAYMARK_RECORD_FILE,
    recordMaxBytes: env.WAYMARK_RECORD_MAX_MB * 1_000_000,
    logLevel: env.WAYMARK_LOG_LEVEL,
  };
}

/** Found out later, it would keep every policy from being published. Throws Error naming the variable. */
function requirePool(variable: string, pool: string): void {
  if (hasBlocks(pool)) return;
  throw new Error(`${variable} must be an IPv6 prefix of at most 63 bits, such as fdbb:b51d::/32, not ${pool}`);
}

function hasBlocks(pool: string): boolean {
  try {
    return freeBlocks(pool, 1, new Set(), []).length > 0;
  } catch {
    return false;
  }
}

function httpTlsPaths({ WAYMARK_TLS_CERT_FILE: cert, WAYMARK_TLS_KEY_FILE: key }: Environment): TlsPaths | undefined {
  if (cert !== undefined && key !== undefined) return { ca: null, pair: { cert, key } };
  if (cert === undefined && key === undefined) return undefined;
  throw new Error('WAYMARK_TLS_CERT_FILE and WAYMARK_TLS_KEY_FILE must be set together');
}

function revokedFile(env: Environment): string | undefined {
  const file = env.WAYMARK_GRPC_REVOKED_FILE;
  if (file === undefined || env.WAYMARK_GRPC_CA_FILE !== undefined) return file;
  throw new Error('WAYMARK_GRPC_REVOKED_FILE needs WAYMARK_GRPC_CA_FILE: without it agents show no certificates');
}

function fitting<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new StartFault(`${(error as Error).message} (docs/operating.md lists all settings)`, { cause: error });
  }
}

/** Where only programs on this machine can ask, nobody is limited unless that is wanted. */
function rateLimits(env: Environment): RateLimits {
  const isOpen = isEmbeddedOnLoopback({ databaseUrl: env.DATABASE_URL, httpHost: env.WAYMARK_HTTP_HOST });
  return {
    perClient: env.WAYMARK_RATE_LIMIT ?? (isOpen ? 0 : RATE_LIMIT),
    refused: env.WAYMARK_RATE_LIMIT_REFUSED ?? (isOpen ? 0 : RATE_LIMIT_REFUSED),
    trustedProxies: addresses('WAYMARK_TRUSTED_PROXIES', env.WAYMARK_TRUSTED_PROXIES),
  };
}

function addresses(setting: string, list: string): readonly string[] {
  const items = list.split(',').map((item) => item.trim());
  return items.filter((item) => {
    const [address = '', length, more] = item.split('/');
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    const isPrefix = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) > 0 && Number(length) <= bits);
    if (item !== '' && (bits < 0 || !isPrefix || more !== undefined)) {
      throw new StartFault(
        `${setting} must be addresses or prefixes, separated by commas, and "${item}" is neither (docs/operating.md lists all settings)`,
      );
    }
    return item !== '';
  });
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Nothing of an operator's is at stake, and only programs on this machine can ask. */
export function isEmbeddedOnLoopback({
  databaseUrl,
  httpHost,
}: Pick<ControllerConfig, 'databaseUrl' | 'httpHost'>): boolean {
  return databaseUrl === undefined && loopback.test(httpHost);
}

/** Requests leave this machine in the clear, with their keys. */
export function isReadableOnTheWay({ httpTls, httpHost }: Pick<ControllerConfig, 'httpTls' | 'httpHost'>): boolean {
  return httpTls === undefined && !loopback.test(httpHost);
}

function checked(data: NodeJS.ProcessEnv): Environment {
  try {
    return envSchema<Environment>({ schema, data, env: false });
  } catch (error) {
    // as Ajv words it: env/WAYMARK_HTTP_PORT must be <= 65535
    const message = (error as Error).message.replaceAll('env/', '');
    throw new StartFault(`${message} (docs/operating.md lists all settings)`, { cause: error });
  }
}
