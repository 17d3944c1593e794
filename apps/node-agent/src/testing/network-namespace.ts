import { randomBytes } from 'node:crypto';
import { systemShell, type Shell } from '../dataplane/linux/shell.js';

/** A fresh network namespace that the test made and removes. */
export class NetworkNamespace {
  readonly name: string;
  readonly shell: Shell;

  private constructor(name: string) {
    this.name = name;
    this.shell = systemShell(name);
  }

  static async create(): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace(`wm-${randomBytes(4).toString('hex')}`);
    await must(systemShell(), 'ip', ['netns', 'add', namespace.name]);
    await namespace.ip('link set lo up');
    return namespace;
  }

  /** Runs one `ip` command; throws with what it said when it fails. */
  ip(command: string): Promise<string> {
    return must(this.shell, 'ip', command.split(' '));
  }

  /** @param settings `name=value`, with spaces between */
  sysctl(settings: string): Promise<string> {
    return must(this.shell, 'sysctl', ['-qw', ...settings.split(' ')]);
  }

  /** Runs one `nft` command; throws with what it said when it fails. */
  nft(command: string): Promise<string> {
    return must(this.shell, 'nft', [command]);
  }

  async remove(): Promise<void> {
    await must(systemShell(), 'ip', ['netns', 'delete', this.name]);
  }
}

async function must(shell: Shell, program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await shell.run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Counts the commands that could change something: all but those that only show. */
export function countingShell(shell: Shell): { readonly shell: Shell; readonly writes: () => number } {
  let writes = 0;
  return {
    writes: () => writes,
    shell: {
      follow: (...call) => shell.follow(...call),
      run: (program, args, stdin) => {
        const shows = ['show', 'list', '-V'].some((word) => args.includes(word));
        if (program === 'tee' || ((program === 'ip' || program === 'nft') && !shows)) writes += 1;
        return shell.run(program, args, stdin);
      },
    },
  };
}
