/** X.509 certificates made on the spot, so that none lies about in the repository and none expires. DER by hand: Node can only read them. */
import { Buffer } from 'node:buffer';
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const bytes: number[] = [];
  for (let rest = body.length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return Buffer.concat([Buffer.from(body.length < 128 ? [tag, body.length] : [tag, 0x80 | bytes.length, ...bytes]), body]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utc = (date: Date): Buffer => der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));
const name = (cn: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(cn)))));
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const extension = (id: string, critical: boolean, value: Buffer): Buffer => sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
const pem = (bytes: Buffer): string => `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replaceAll(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

interface Request {
  readonly cn: string;
  /** Host names and IPv4 addresses it is for. */
  readonly names?: readonly string[];
  /** Null: it signs itself. */
  readonly issuer?: Authority | null;
  readonly ca?: boolean;
  readonly from?: Date;
  readonly to?: Date;
}

interface Authority extends Certificate {
  readonly cn: string;
  readonly privateKey: KeyObject;
}

const DAY = 86_400_000;

export function certificate({ cn, names = [], issuer = null, ca = false, from = new Date(Date.now() - DAY), to = new Date(Date.now() + DAY) }: Request): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const alternative = names.map((one) => (isIP(one) === 4 ? der(0x87, Buffer.from(one.split('.').map(Number))) : der(0x82, Buffer.from(one))));
  const extensions = [extension('551d13', true, sequence(...(ca ? [der(0x01, Buffer.from([0xff]))] : []))), ...(names.length > 0 ? [extension('551d11', false, sequence(...alternative))] : [])];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])), ECDSA_SHA256, name(issuer?.cn ?? cn),
    sequence(utc(from), utc(to)), name(cn), publicKey.export({ type: 'spki', format: 'der' }), der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  return { cn, privateKey, cert: pem(sequence(body, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature))), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

export const authority = (cn: string): Authority => certificate({ cn, ca: true });
