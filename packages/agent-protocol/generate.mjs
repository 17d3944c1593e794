// Generates TypeScript from the proto file: `node generate.mjs [folder]`, default src/generated. Needs protoc (Debian's
// protobuf-compiler); the plugin is the ts-proto of the lockfile.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const folder = process.argv[2] ?? 'src/generated';
const options = [
  'annotateFilesWithVersion=false', // or it would differ from one protoc to the next
  'env=both', // bytes are Uint8Array, not Buffer
  'esModuleInterop=true',
  'importSuffix=.js',
  'forceLong=number', // a uint64 beyond 2^53 - 1 throws when decoded
  'oneof=unions-value',
  'outputServices=grpc-js',
  'outputJsonMethods=false',
  'removeEnumPrefix=true',
  'unrecognizedEnum=false',
  'useReadonlyTypes=true',
  'useExactTypes=false',
];

mkdirSync(folder, { recursive: true });
const { status, error } = spawnSync(
  'protoc',
  [
    `--plugin=protoc-gen-ts_proto=${createRequire(import.meta.url).resolve('ts-proto/protoc-gen-ts_proto')}`,
    `--ts_proto_out=${folder}`,
    `--ts_proto_opt=${options.join(',')}`,
    '--proto_path=proto',
    'waymark/agent/v1/agent.proto',
  ],
  { cwd: import.meta.dirname, stdio: 'inherit' },
);
if (error !== undefined) process.stderr.write(`protoc cannot be run: ${error.message}\n`);
process.exitCode = status ?? 1;
