import type { PathRequest } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import { walkMetric } from './path-oracle.js';

/**
 * A demand split over at most `maxLists` of these walks as a mixed integer programme, in CPLEX LP format. Shares are parts of
 * the demand, so that the optimum is the mean of the metric over the traffic.
 */
export function splitProgramme(ted: Ted, request: PathRequest, walks: readonly (readonly TedLink[])[]): string {
  const { metric, constraints, maxLists = 1 } = request;
  const demand = constraints.bandwidthBps ?? 0;
  const name = (kind: string, i: number) => `${kind}_${i}`;
  const sum = (terms: readonly string[]) => (terms.length === 0 ? '0 none' : terms.join(' + '));
  const rules = [
    `${sum(walks.map((_, i) => name('x', i)))} = 1`,
    ...walks.map((_, i) => `${name('x', i)} - ${name('y', i)} <= 0`),
    `${sum(walks.map((_, i) => name('y', i)))} <= ${maxLists}`,
    ...ted.links.map((link) => {
      const crossing = walks.flatMap((walk, i) => {
        const times = walk.filter((other) => other === link).length;
        return times === 0 ? [] : [`${times * demand} ${name('x', i)}`];
      });
      return `${sum(crossing)} <= ${unreserved(link)}`;
    }),
  ];
  const goal = sum(walks.map((walk, i) => `${walkMetric(walk, metric)} ${name('x', i)}`));
  const rows = rules.map((rule, n) => ` r${n}: ${rule}`);
  const binaries = walks.map((_, i) => name('y', i)).join('\n ');
  return ['Minimize', ` obj: ${goal}`, 'Subject To', ...rows, 'Binary', ` ${binaries}`, 'End'].join('\n');
}

/**
 * A demand over any number of paths as a flow on links, in CPLEX LP format: a unit from source to destination over `allowed`
 * links. Bounds, include lists and how lists are written are not looked at.
 */
export function flowProgramme(ted: Ted, request: PathRequest, allowed: readonly TedLink[]): string {
  const { metric, constraints, source, destination } = request;
  const demand = constraints.bandwidthBps ?? 0;
  const flow = (link: TedLink) => `f_${allowed.indexOf(link)}`;
  const balances = ted.nodes.flatMap(({ id }) => {
    const out = allowed.filter((link) => link.from === id).map((link) => `+ ${flow(link)}`);
    const back = allowed.filter((link) => link.to === id).map((link) => `- ${flow(link)}`);
    const supply = (id === source ? 1 : 0) - (id === destination ? 1 : 0);
    if (out.length + back.length === 0) return supply === 0 ? [] : [`0 none = ${supply}`];
    return [`${[...out, ...back].join(' ')} = ${supply}`];
  });
  const capacities = allowed.map((link) => `${demand} ${flow(link)} <= ${unreserved(link)}`);
  const goal = allowed.map((link) => `${walkMetric([link], metric)} ${flow(link)}`).join(' + ');
  const rows = [...balances, ...capacities].map((rule, n) => ` r${n}: ${rule}`);
  return ['Minimize', ` obj: ${goal === '' ? '0 none' : goal}`, 'Subject To', ...rows, 'End'].join('\n');
}

function unreserved(link: TedLink): number {
  return link.reservableBandwidthBps ?? link.bandwidthBps ?? 0;
}
