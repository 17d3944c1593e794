import { chown, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account PostgreSQL must run under because it refuses to run as root: `nobody`, else the first account of
 * /etc/passwd that is not root. undefined: this process is not root (or not on POSIX) and needs no other account.
 * An account of /etc/passwd it must be, since initdb looks its own name up.
 */
export async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((account) => account.uid > 0);
  const account = accounts.find((candidate) => candidate.name === 'nobody') ?? accounts[0];
  if (account === undefined) throw new Error('/etc/passwd has no account but root; PostgreSQL cannot run as root');
  return { uid: account.uid, gid: account.gid };
}

/** True when the account can walk to `path`: every existing folder above it lets it pass. */
export async function canTraverse(path: string, account: Account): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const facts = await stat(folder).catch(() => undefined);
    if (facts !== undefined) {
      const execute = facts.uid === account.uid ? 0o100 : facts.gid === account.gid ? 0o010 : 0o001;
      if ((facts.mode & execute) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

/** Creates a folder that only `account` (default: this process) can read. */
export async function createPrivateFolder(path: string, account: Account | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (account !== undefined) await chown(path, account.uid, account.gid);
}
