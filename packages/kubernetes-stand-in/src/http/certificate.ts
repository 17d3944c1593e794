import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key and a certificate signed with it, in PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

// The little of ASN.1's DER (X.690) that a certificate needs: tag, length, content.
const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const BOOLEAN = 0x01;

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(OBJECT_ID, Buffer.from(bytes));
}

function time(date: Date): Buffer {
  return der(UTC_TIME, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
}

function extension(id: string, value: Buffer): Buffer {
  return der(SEQUENCE, objectId(id), der(OCTET_STRING, value));
}

const DAY_MS = 86_400_000;
const NAMES = ['localhost', 'kubernetes.default.svc'];
const ADDRESSES = [
  [127, 0, 0, 1],
  [...Array<number>(15).fill(0), 1],
];

/** A certificate for the loopback addresses (RFC 5280), its own authority, made anew: no key lies in the repository. */
export function selfSignedCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  const now = Date.now();
  const ecdsaWithSha256 = der(SEQUENCE, objectId('1.2.840.10045.4.3.2'));
  const commonName = der(SEQUENCE, objectId('2.5.4.3'), der(UTF8_STRING, Buffer.from('kubernetes-stand-in')));
  const name = der(SEQUENCE, der(SET, commonName));
  const alternatives = [
    ...NAMES.map((text) => der(0x82, Buffer.from(text))),
    ...ADDRESSES.map((bytes) => der(0x87, Buffer.from(bytes))),
  ];
  const extensions = [
    extension('2.5.29.19', der(SEQUENCE, der(BOOLEAN, Buffer.from([0xff])))), // basicConstraints: its own authority
    extension('2.5.29.17', der(SEQUENCE, ...alternatives)), // subjectAltName
  ];
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))), // version 3
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    der(SEQUENCE, time(new Date(now - DAY_MS)), time(new Date(now + 365 * DAY_MS))),
    name,
    publicKey,
    der(0xa3, der(SEQUENCE, ...extensions)),
  );
  const signature = sign('sha256', body, createPrivateKey(privateKey));
  const whole = der(SEQUENCE, body, ecdsaWithSha256, der(BIT_STRING, Buffer.from([0]), signature));
  const lines = whole.toString('base64').replaceAll(/(.{64})/g, '$1\n');
  return { key: privateKey, cert: `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n` };
}
