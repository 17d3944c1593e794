import type { DisjointRequest } from '../model/disjoint-paths.js';
import type { Disjointness } from '../model/path-request.js';
import type { Ted, TedLink } from '../model/ted.js';
import { risksOf } from './group-oracle.js';
import { walkMetric } from './path-oracle.js';

/**
 * Disjoint paths between routers as an integer programme, in CPLEX LP format: a unit of flow per member, and for each
 * risk that two members could meet in, that they do not. Constraints of members are not looked at. Feasible exactly when
 * such paths exist; the optimum is that of the objective.
 */
export function integerProgramme(ted: Ted, request: DisjointRequest, kinds: readonly Disjointness[]): string {
  const { members, metric, objective } = request;
  const { links } = ted;
  const flow = (i: number, link: TedLink) => `x_${i}_${links.indexOf(link)}`;
  const cost = (i: number) => links.map((link) => `${walkMetric([link], metric)} ${flow(i, link)}`).join(' + ');
  const rules: string[] = [];
  const binaries: string[] = members.flatMap((_, i) => links.map((link) => flow(i, link)));
  members.forEach(({ source, destination }, i) => {
    for (const { id } of ted.nodes) {
      const out = links.filter((link) => link.from === id).map((link) => `+ ${flow(i, link)}`);
      const back = links.filter((link) => link.to === id).map((link) => `- ${flow(i, link)}`);
      const supply = (id === source ? 1 : 0) - (id === destination ? 1 : 0);
      if (out.length + back.length > 0) rules.push(`${[...out, ...back].join(' ')} = ${supply}`);
      else if (supply !== 0) rules.push(`0 ${binaries[0] ?? 'none'} = 1`);
    }
    if (objective === 'worst') rules.push(`${cost(i)} - worst <= 0`);
  });
  const users = new Map<string, TedLink[]>();
  for (const link of links) {
    for (const risk of risksOf(ted, [link], kinds)) users.set(risk, [...(users.get(risk) ?? []), link]);
  }
  const ends = members.map(({ source, destination }) => {
    const nodes = ted.nodes.filter(({ id }) => id === source || id === destination);
    return new Set(nodes.flatMap(({ id, site }) => [`node ${id}`, `site ${site ?? ''}`]));
  });
  [...users].forEach(([risk, crossing], r) => {
    members.forEach((_, i) => {
      const used = `u_${i}_${r}`;
      binaries.push(used);
      for (const link of crossing) rules.push(`${flow(i, link)} - ${used} <= 0`);
      for (let j = 0; j < i; j++) {
        if (!(ends[i]?.has(risk) === true && ends[j]?.has(risk) === true)) rules.push(`${used} + u_${j}_${r} <= 1`);
      }
    });
  });
  const goal = objective === 'worst' ? 'worst' : members.map((_, i) => cost(i)).join(' + ');
  const rows = rules.map((rule, n) => ` r${n}: ${rule}`);
  return ['Minimize', ` obj: ${goal}`, 'Subject To', ...rows, 'Binary', ` ${binaries.join('\n ')}`, 'End'].join('\n');
}
