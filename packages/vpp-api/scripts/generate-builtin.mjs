/**
 * Writes src/builtin: the definitions of the messages that this package knows by itself, and their TypeScript types.
 *
 *   node scripts/generate-builtin.mjs FOLDER     FOLDER has *.api.json of a VPP, in it or below
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

/** Requests and events; replies, details and types follow from them. */
const WANTED = [
  /^(sockclnt_create|sockclnt_delete|control_ping|get_api_json|cli_inband|show_version)$/,
  /^sr_(localsid|policy|set|steering)_.*(add|del|mod|v2|source|limit)$/,
  /^sr_(localsids|localsids_with_packet_stats|policies|policies_v2|policies_with_sl_index|steering_pol)_dump$/,
  /^classify_(add_del_table|add_del_session|table_ids|table_info|session_dump|table_by_interface)$|^input_acl_set_interface$/,
  /^(sw_interface_dump|sw_interface_get_table|want_interface_events)$/,
  /^(ip_table_dump|ip_table_add_del|ip_route_add_del|ip_route_dump|ip_route_v2_dump|ip_route_lookup)$/,
];

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: generate-builtin.mjs FOLDER');
const files = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.api.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));

const all = (part) => new Map(files.flatMap((file) => file[part] ?? []).map((entry) => [entry[0], entry]));
const messages = all('messages');
const kinds = { types: all('types'), unions: all('unions'), enums: all('enums'), enumflags: all('enumflags') };
const aliases = new Map(files.flatMap((file) => Object.entries(file.aliases ?? {})));
const services = new Map(files.flatMap((file) => Object.entries(file.services ?? {})));
// What text stands for; the package has codecs of its own for them.
const TEXT = /^(ip4_address|ip6_address|address|prefix|ip4_prefix|ip6_prefix|mac_address)$/;
const plain = (type) => /^vl_api_(.+)_t$/.exec(type)?.[1];
const fieldsOf = (entry) => entry.slice(1).filter(Array.isArray);
const withoutOptions = (entry) => [entry[0], ...fieldsOf(entry)];

const used = { types: new Map(), unions: new Map(), enums: new Map(), enumflags: new Map(), aliases: new Map() };
const keptMessages = new Map();
const keptServices = new Map();

function keepType(type) {
  const name = plain(type);
  if (name === undefined || TEXT.test(name)) return;
  const alias = aliases.get(name);
  if (alias !== undefined && !used.aliases.has(name)) {
    used.aliases.set(name, alias);
    keepType(alias.type);
  }
  for (const [kind, entries] of Object.entries(kinds)) {
    const entry = entries.get(name);
    if (entry === undefined || used[kind].has(name)) continue;
    used[kind].set(name, kind.startsWith('enum') ? entry : withoutOptions(entry));
    if (!kind.startsWith('enum')) fieldsOf(entry).forEach(([type]) => keepType(type));
  }
}

function keepMessage(name) {
  const entry = messages.get(name);
  if (entry === undefined) throw new Error(`no file defines ${name}`);
  if (keptMessages.has(name)) return;
  keptMessages.set(name, [...withoutOptions(entry), { crc: entry.at(-1).crc }]);
  fieldsOf(entry).forEach(([type]) => keepType(type));
}

for (const name of [...messages.keys()].sort()) {
  if (!WANTED.some((pattern) => pattern.test(name))) continue;
  const service = services.get(name) ?? { reply: `${name}_reply` };
  keepMessage(name);
  keepMessage(service.reply);
  service.events?.forEach(keepMessage);
  keptServices.set(name, service);
}

const file = {
  types: [...used.types.values()],
  unions: [...used.unions.values()],
  enums: [...used.enums.values()],
  enumflags: [...used.enumflags.values()],
  aliases: Object.fromEntries(used.aliases),
  messages: [...keptMessages.values()],
  services: Object.fromEntries(keptServices),
};

const pascal = (name) => name.replace(/(^|_)([a-z0-9])/g, (_, __, letter) => letter.toUpperCase());
const isFlags = (name) => used.enumflags.has(name) || name.endsWith('_flags');
const INTEGER = /^[ui](8|16|32)$/;

/** TypeScript type of a field's value. */
function typeOf([type, , length, count]) {
  const isArray = typeof length === 'number';
  if (type === 'string') return 'string';
  if (isArray && type === 'u8') return 'Uint8Array';
  const single = singleType(type);
  return isArray || typeof count === 'string' ? `readonly ${single.includes('|') ? `(${single})` : single}[]` : single;
}

function singleType(type) {
  if (INTEGER.test(type) || type === 'f64') return 'number';
  if (type === 'u64' || type === 'i64') return 'bigint';
  if (type === 'bool') return 'boolean';
  const name = plain(type);
  if (TEXT.test(name)) return 'string';
  const alias = aliases.get(name);
  if (alias !== undefined) return typeOf([alias.type, name, ...(alias.length === undefined ? [] : [alias.length])]);
  if (isFlags(name)) return 'number';
  return pascal(name);
}

const HEADER = ['_vl_msg_id', 'client_index', 'context'];
function ownFields(entry) {
  const fields = fieldsOf(entry);
  const end = fields.findIndex(([, name]) => !HEADER.includes(name));
  return end < 0 ? [] : fields.slice(end);
}

/** `isRequest`: fields that have a default, and counts, may be left out. */
function interfaceOf(name, fields, isRequest) {
  const counts = new Set(fields.map((field) => field[3]).filter((count) => typeof count === 'string'));
  const lines = fields.map((field) => {
    const options = field.find((part) => typeof part === 'object' && part !== null);
    const optional = isRequest && (counts.has(field[1]) || options?.default !== undefined);
    return `  readonly ${field[1]}${optional ? '?' : ''}: ${typeOf(field)};`;
  });
  if (lines.length === 0) return `export type ${pascal(name)} = Readonly<Record<string, never>>;`;
  return `export interface ${pascal(name)} {\n${lines.join('\n')}\n}`;
}

const parts = [];
for (const [name, entry] of used.enums) {
  if (isFlags(name)) continue;
  const names = fieldsOf(entry).map(([value]) => `'${value}'`);
  parts.push(
    `/** A number where VPP has a value without a name. */\nexport type ${pascal(name)} = ${names.join(' | ')} | number;`,
  );
}
for (const [name, entry] of used.unions) {
  const members = fieldsOf(entry).map((field) => `  readonly ${field[1]}?: ${typeOf(field)};`);
  parts.push(
    `/** One member is written, all are read. */\nexport interface ${pascal(name)} {\n${members.join('\n')}\n}`,
  );
}
for (const [name, entry] of used.types) parts.push(interfaceOf(name, fieldsOf(entry), true));
for (const [name, entry] of keptMessages) parts.push(interfaceOf(name, ownFields(entry), keptServices.has(name)));

const isDump = ({ stream }) => stream === true;
const row = (request, kind, answer) =>
  `  readonly ${request}: { readonly request: ${pascal(request)}; readonly ${kind}: ${pascal(answer)} };`;
const calls = [...keptServices].filter(([, service]) => !isDump(service));
const dumps = [...keptServices].filter(([, service]) => isDump(service));
const events = [...keptServices.values()].flatMap((service) => service.events ?? []);
parts.push(
  `/** Requests with one reply. */\nexport interface BuiltinCalls {\n${calls.map(([name, { reply }]) => row(name, 'reply', reply)).join('\n')}\n}`,
);
parts.push(
  `/** Requests that are answered by any number of details. */\nexport interface BuiltinDumps {\n${dumps.map(([name, { reply }]) => row(name, 'details', reply)).join('\n')}\n}`,
);
parts.push(
  `/** Messages that VPP sends of its own accord once asked. */\nexport interface BuiltinEvents {\n${events.map((name) => `  readonly ${name}: ${pascal(name)};`).join('\n')}\n}`,
);

const out = join(import.meta.dirname, '..', 'src', 'builtin');
const head = '// Made by scripts/generate-builtin.mjs from the API definitions of VPP 26.06. Do not edit.\n';
const config = await resolveConfig(join(out, 'x.ts'));
const write = async (name, text) => {
  writeFileSync(join(out, name), await format(head + text, { ...config, parser: 'typescript' }));
};
await write('messages.ts', `${parts.join('\n\n')}\n`);
await write('definitions.ts', `export const builtinApi: unknown = ${JSON.stringify(file)};\n`);
