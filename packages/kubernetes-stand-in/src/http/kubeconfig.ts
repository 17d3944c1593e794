import { stringify } from 'yaml';

export interface WayIn {
  readonly url: string;
  /** Certificate of the authority, in PEM. */
  readonly authority: string;
  readonly user: string;
  readonly token: string;
}

/** A kubeconfig (YAML). */
export function kubeconfigOf({ url, authority, user, token }: WayIn): string {
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(authority).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'stand-in', cluster }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'stand-in', context: { cluster: 'stand-in', user } }],
    'current-context': 'stand-in',
  });
}
