import {
  canonicalIpv6,
  constraintsOf,
  formatPrefix,
  parsePrefix,
  prefixContains,
  type NodeId,
  type Ted,
} from '@waymark/topology';
import { contradictionsIn, type Demand } from '../compute/contradictions.js';
import { Problem } from '../model/errors.js';
import {
  LOWEST_PRIORITY,
  prioritiesOf,
  type CandidatePathIntent,
  type DynamicPath,
  type MeshIntent,
  type PolicyTemplate,
  type SrPolicyIntent,
} from '../model/sr-policy.js';

const MAX_UINT32 = 2 ** 32 - 1;

interface Fault {
  readonly code: 'request-invalid' | 'node-unknown' | 'link-unknown';
  readonly field: string;
  readonly detail: string;
}

/**
 * The intent in canonical form: addresses and prefixes in RFC 5952 spelling. Throws Problem `request-invalid`, or
 * `node-unknown` and `link-unknown` when nothing else is wrong, naming every field. Whether the endpoint has service SIDs
 * is not asked: it may get them later.
 */
export function checkedPolicy(intent: SrPolicyIntent, ted: Ted): SrPolicyIntent {
  const check = new IntentCheck(ted);
  check.color(intent.color, '/color');
  check.node(intent.headend, '/headend');
  check.node(intent.endpoint, '/endpoint');
  if (intent.headend === intent.endpoint) {
    check.invalid('/endpoint', `headend and endpoint are both ${intent.headend}`);
  }
  const template = check.template(intent, '', [intent.headend, intent.endpoint]);
  const steeredPrefixes = intent.steeredPrefixes && check.prefixes(intent.steeredPrefixes, '/steeredPrefixes');
  check.finish();
  return { ...intent, ...template, ...(steeredPrefixes === undefined ? {} : { steeredPrefixes }) };
}

/** As checkedPolicy. Selected nodes must be hosts; sites may be empty, and overrides may name pairs outside the mesh. */
export function checkedMesh(intent: MeshIntent, ted: Ted): MeshIntent {
  const check = new IntentCheck(ted);
  check.color(intent.color, '/color');
  const { all, nodes, sites } = intent.selector;
  if (all !== true && nodes === undefined && sites === undefined) {
    check.invalid('/selector', 'one of all, nodes and sites is needed');
  }
  nodes?.forEach((node, index) => check.host(node, `/selector/nodes/${index}`));
  const template = check.template(intent.template, '/template');
  const pairs = new Set<string>();
  const overrides = intent.overrides.map(({ headend, endpoint, override }, index) => {
    const field = `/overrides/${index}`;
    if (headend === endpoint) check.invalid(`${field}/endpoint`, `headend and endpoint are both ${headend}`);
    if (pairs.has(`${headend}:${endpoint}`)) check.invalid(field, `${headend} to ${endpoint} is overridden twice`);
    pairs.add(`${headend}:${endpoint}`);
    check.priorities({ ...template, ...override }, `${field}/override`);
    const candidatePaths =
      override.candidatePaths &&
      check.candidatePaths(override.candidatePaths, `${field}/override/candidatePaths`, [headend, endpoint]);
    return {
      headend,
      endpoint,
      override: { ...override, ...(candidatePaths === undefined ? {} : { candidatePaths }) },
    };
  });
  check.finish();
  return { ...intent, template, overrides };
}

class IntentCheck {
  readonly #nodes: ReadonlyMap<string, 'router' | 'host'>;
  readonly #links: ReadonlySet<string>;
  readonly #faults: Fault[] = [];

  constructor(ted: Ted) {
    this.#nodes = new Map(ted.nodes.map(({ id, kind }) => [id, kind]));
    this.#links = new Set(ted.links.map(({ id }) => id));
  }

  invalid(field: string, detail: string): void {
    this.#faults.push({ code: 'request-invalid', field, detail });
  }

  color(color: number, field: string): void {
    if (!isInteger(color, 1, MAX_UINT32)) this.invalid(field, `the color ${color} is not within 1 to ${MAX_UINT32}`);
  }

  node(id: string, field: string): void {
    if (this.#nodes.has(id)) return;
    this.#faults.push({ code: 'node-unknown', field, detail: `node "${id}" is not in the topology` });
  }

  host(id: string, field: string): void {
    this.node(id, field);
    if (this.#nodes.get(id) === 'router') this.invalid(field, `${id} is a router; a mesh connects hosts`);
  }

  prefixes(prefixes: readonly string[], field: string): readonly string[] {
    const seen = new Set<string>();
    return prefixes.map((text, index) => {
      const prefix = this.#parsed(text, steerablePrefix, `${field}/${index}`);
      if (seen.has(prefix)) this.invalid(`${field}/${index}`, `${prefix} is named twice`);
      seen.add(prefix);
      return prefix;
    });
  }

  /** `ends`: headend and endpoint, where they are known. */
  template(template: PolicyTemplate, field: string, ends: readonly NodeId[] = []): PolicyTemplate {
    this.priorities(template, field);
    const candidatePaths = this.candidatePaths(template.candidatePaths, `${field}/candidatePaths`, ends);
    return { ...template, candidatePaths };
  }

  /** Otherwise two policies could take the same bandwidth from each other in turn (RFC 3209 section 4.7.3). */
  priorities(terms: Pick<PolicyTemplate, 'setupPriority' | 'holdPriority'>, field: string): void {
    const { setupPriority, holdPriority } = prioritiesOf(terms);
    for (const [key, value] of Object.entries({ setupPriority, holdPriority })) {
      if (!isInteger(value, 0, LOWEST_PRIORITY)) {
        this.invalid(`${field}/${key}`, `the priority ${value} is not within 0 to ${LOWEST_PRIORITY}`);
      }
    }
    if (holdPriority <= setupPriority) return;
    const given = terms.setupPriority === undefined ? 'the default' : 'given';
    this.invalid(
      `${field}/holdPriority`,
      `the hold priority ${holdPriority} is lower than the setup priority ${setupPriority} (${given}): what it takes it ` +
        `must be able to hold, so give a hold priority of ${setupPriority} or a smaller number, or leave it out`,
    );
  }

  candidatePaths(
    paths: readonly CandidatePathIntent[],
    field: string,
    ends: readonly NodeId[],
  ): readonly CandidatePathIntent[] {
    if (paths.length === 0) this.invalid(field, 'at least one candidate path is needed');
    for (const key of ['discriminator', 'preference'] as const) {
      const seen = new Set<number>();
      paths.forEach((path, index) => {
        const value = path[key];
        if (!isInteger(value, 0, MAX_UINT32)) this.invalid(`${field}/${index}/${key}`, `${value} is out of range`);
        if (seen.has(value)) this.invalid(`${field}/${index}/${key}`, `two candidate paths have the ${key} ${value}`);
        seen.add(value);
      });
    }
    return paths.map((candidate, index) => this.#candidatePath(candidate, `${field}/${index}/path`, ends));
  }

  #candidatePath(candidate: CandidatePathIntent, field: string, ends: readonly NodeId[]): CandidatePathIntent {
    const { path } = candidate;
    if (path.constraints !== undefined) {
      const optional = path.kind === 'dynamic' ? path.optional : undefined;
      this.#constraints({ constraints: path.constraints, ends, optional }, `${field}/constraints`);
    }
    if (path.kind === 'dynamic') {
      if ((path.maxLists ?? 1) > 1 && path.constraints.bandwidthBps === undefined) {
        this.invalid(`${field}/maxLists`, 'lists are weighted by what they carry: add constraints.bandwidthBps');
      }
      if (path.standby !== undefined && (path.maxLists ?? 1) > 1) {
        this.invalid(
          `${field}/standby`,
          'a standby is one list that carries everything, as the candidate path then must: leave out maxLists, or leave out standby',
        );
      }
      if (path.standby?.constraints !== undefined) {
        this.#constraints({ constraints: path.standby.constraints, ends }, `${field}/standby/constraints`);
      }
      this.#optional(path, `${field}/optional`);
      return candidate;
    }
    if (path.segmentLists.length === 0) this.invalid(`${field}/segmentLists`, 'at least one segment list is needed');
    const segmentLists = path.segmentLists.map(({ weight, sids }, index) => {
      const list = `${field}/segmentLists/${index}`;
      if (!isInteger(weight, 1, MAX_UINT32)) this.invalid(`${list}/weight`, `the weight ${weight} is out of range`);
      return {
        weight,
        sids: sids.map((sid, position) => this.#parsed(sid, canonicalIpv6, `${list}/sids/${position}`)),
      };
    });
    return { ...candidate, path: { ...path, segmentLists } };
  }

  #optional(path: DynamicPath, field: string): void {
    const known = constraintsOf({ source: '', destination: '', ...path });
    path.optional?.forEach((pointer, index) => {
      if (known.includes(pointer)) return;
      const there = known.join(', ') || 'none';
      this.invalid(`${field}/${index}`, `there is no constraint at "${pointer}" of the path; there is ${there}`);
    });
  }

  #constraints(demand: Demand, field: string): void {
    const { exclude, include, bandwidthBps } = demand.constraints;
    for (const fault of contradictionsIn(demand, field)) this.invalid(fault.field, fault.detail);
    exclude?.nodes?.forEach((node, index) => this.node(node, `${field}/exclude/nodes/${index}`));
    exclude?.links?.forEach((link, index) => this.#link(link, `${field}/exclude/links/${index}`));
    include?.forEach((part, index) => {
      if ('node' in part) this.node(part.node, `${field}/include/${index}/node`);
      else this.#link(part.link, `${field}/include/${index}/link`);
    });
    if (bandwidthBps !== undefined && !isInteger(bandwidthBps, 0, Number.MAX_SAFE_INTEGER)) {
      this.invalid(`${field}/bandwidthBps`, `${bandwidthBps} is not a whole number of bits per second`);
    }
  }

  #link(id: string, field: string): void {
    if (this.#links.has(id)) return;
    this.#faults.push({ code: 'link-unknown', field, detail: `link "${id}" is not in the topology` });
  }

  #parsed(text: string, parse: (text: string) => string, field: string): string {
    try {
      return parse(text);
    } catch (error) {
      this.invalid(field, error instanceof Error ? error.message : String(error));
      return text;
    }
  }

  finish(): void {
    const worst = (['request-invalid', 'node-unknown', 'link-unknown'] as const).find((code) =>
      this.#faults.some((fault) => fault.code === code),
    );
    if (worst === undefined) return;
    const errors = this.#faults.map(({ field, detail }) => ({ field, detail }));
    const [first] = errors;
    throw new Problem(worst, {
      detail: errors.map(({ detail }) => detail).join('; '),
      ...(first === undefined ? {} : { field: first.field }),
      errors,
    });
  }
}

const notSteered = (
  [
    ['::1/128', 'the loopback address'],
    ['::/128', 'the unspecified address'],
    ['::ffff:0:0/96', 'IPv4 addresses in IPv6 clothes; name the IPv4 prefix instead'],
    ['fe80::/10', 'link-local addresses'],
    ['ff00::/8', 'multicast groups'],
    ['127.0.0.0/8', 'loopback addresses'],
    ['169.254.0.0/16', 'link-local addresses'],
    ['224.0.0.0/4', 'multicast groups'],
  ] as const
).map(([text, what]) => ({ prefix: parsePrefix(text), what }));

/** RFC 5952 spelling. Throws RangeError for what is no prefix, and for destinations that no router forwards packets to. */
function steerablePrefix(text: string): string {
  const prefix = parsePrefix(text);
  const never = notSteered.find((other) => prefixContains(other.prefix, prefix));
  if (never !== undefined) throw new RangeError(`"${text}" cannot be steered: these are ${never.what}`);
  return formatPrefix(prefix);
}

function isInteger(value: number, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum;
}
