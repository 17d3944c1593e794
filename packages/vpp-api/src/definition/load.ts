import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtinFile } from '../builtin/typed.js';
import type { VppConnection } from '../connection/vpp-connection.js';
import { VppDefinitionError } from '../errors.js';
import { ApiDefinitions } from './api-definitions.js';
import { readApiFile, type ApiFile } from './api-file.js';

/** All `*.api.json` in a folder and below it, on top of the built-in ones. Throws VppDefinitionError. */
export async function loadDefinitions(folder: string): Promise<ApiDefinitions> {
  const names = (await listing(folder)).filter((name) => name.endsWith('.api.json')).sort();
  if (names.length === 0) throw new VppDefinitionError(`there is no *.api.json in ${folder}`);
  const files: ApiFile[] = [];
  for (const name of names) {
    const path = join(folder, name);
    files.push(...filesOf(await readFile(path, 'utf8'), path));
  }
  return new ApiDefinitions([builtinFile, ...files]);
}

/** What the running VPP says of itself: the messages of all plugins it has loaded, on top of the built-in ones. */
export async function fetchDefinitions(connection: VppConnection): Promise<ApiDefinitions> {
  const { json } = await connection.call('get_api_json', {});
  return new ApiDefinitions([builtinFile, ...filesOf(json, 'get_api_json')]);
}

function filesOf(text: string, origin: string): ApiFile[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new VppDefinitionError(`${origin} is not JSON: ${(error as Error).message}`);
  }
  // One file, or an array of them as VPP returns.
  return Array.isArray(json)
    ? json.map((file, i) => readApiFile(file, `${origin}[${i}]`))
    : [readApiFile(json, origin)];
}

async function listing(folder: string): Promise<string[]> {
  try {
    return await readdir(folder, { recursive: true });
  } catch (error) {
    throw new VppDefinitionError(`${folder} cannot be read: ${(error as Error).message}`);
  }
}
