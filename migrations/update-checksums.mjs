// Records the SHA-256 of every migration in checksums.json. Only for files that no release has shipped yet: a released
// migration never changes, because databases that already ran it would not run it again.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const checksums = Object.fromEntries(
  readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(`${import.meta.dirname}/${name}`))
        .digest('hex'),
    ]),
);
writeFileSync(`${import.meta.dirname}/checksums.json`, `${JSON.stringify(checksums, null, 2)}\n`);
