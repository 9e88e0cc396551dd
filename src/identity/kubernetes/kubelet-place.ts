/** Where this node's kubelet listens, and by which certificates it is known. */
import { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { isIP, isIPv4 } from 'node:net';
import { join, posix } from 'node:path';
import { parse } from 'yaml';
import { Failure } from './failure.ts';
import { integer, type Json, object, text } from './shape.ts';

export interface KubeletPlace {
  /** Of the list of its pods. */
  readonly url: URL;
  /** Nobody but this machine answers there. */
  readonly loopback: boolean;
  /** The kubelet's configuration was found: there is one on this node. */
  readonly configured: boolean;
}

const CONFIG = '/var/lib/kubelet/config.yaml';
/** Serving certificates: kubelet's own making, signed by the cluster on request, and those of distributions. */
const CERTIFICATES = [
  '/var/lib/kubelet/pki/kubelet.crt', '/var/lib/kubelet/pki/kubelet-server-current.pem', '/var/lib/rancher/k3s/agent/serving-kubelet.crt',
  '/var/lib/rancher/rke2/agent/serving-kubelet.crt', '/var/snap/microk8s/current/certs/kubelet.crt',
];
const AUTHORITIES = ['/etc/kubernetes/pki/ca.crt', '/var/lib/rancher/k3s/agent/server-ca.crt', '/var/lib/rancher/rke2/agent/server-ca.crt'];
const LARGEST_FILE = 1024 * 1024;
const MOST_LINKS = 8;

/** A file of the host, whose links mean the host's own paths; null when it cannot be read. */
async function readHostFile(hostRoot: string, path: string): Promise<string | null> {
  try {
    let at = path;
    for (let links = 0; links <= MOST_LINKS; links++) {
      const file = join(hostRoot, at);
      const found = await lstat(file);
      if (!found.isSymbolicLink()) return found.isFile() && found.size <= LARGEST_FILE ? await readFile(file, 'utf8') : null;
      at = posix.resolve(posix.dirname(at), await readlink(file));
    }
  } catch {
    // not there, or not for us
  }
  return null;
}

async function configOf(hostRoot: string): Promise<Json | null> {
  const content = await readHostFile(hostRoot, CONFIG);
  if (content === null) return null;
  try {
    return object(parse(content));
  } catch {
    return {};
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';
const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/** @throws Failure when KBTOP_KUBELET is no URL */
export async function findKubelet(hostRoot: string, env: Readonly<Record<string, string | undefined>>): Promise<KubeletPlace> {
  const config = await configOf(hostRoot);
  const given = env['KBTOP_KUBELET'];
  if (given) {
    if (!/^https?:\/\/./.test(given) || !URL.canParse(given)) throw new Failure('configuration', `KBTOP_KUBELET=${given} is no URL`, { fix: 'write it as https://HOST:PORT' });
    const url = new URL('/pods', given);
    return { url, loopback: isLoopback(url.hostname), configured: true };
  }
  const address = text(config?.['address']);
  // A pod with a network of its own is told by its manifest where its node is.
  const host = text(env['HOST_IP']) ?? text(env['NODE_IP']) ?? (address === null || isWildcard(address) ? '127.0.0.1' : address);
  // Without TLS, but it needs no rights either: whoever opened that port wants it to be read.
  const readOnly = integer(config?.['readOnlyPort']);
  const base = readOnly > 0 ? `http://${bracketed(host)}:${readOnly}` : `https://${bracketed(host)}:${integer(config?.['port']) || 10250}`;
  if (!URL.canParse(base)) throw new Failure('configuration', `the kubelet's address ${host} is none`, { fix: 'set KBTOP_KUBELET=https://HOST:PORT' });
  const url = new URL('/pods', base);
  return { url, loopback: isLoopback(url.hostname), configured: config !== null };
}

export interface Trust {
  /** PEM: its own certificates and authorities. */
  readonly ca: readonly string[];
  /** Its own certificates, DER. */
  readonly pins: readonly Buffer[];
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM file; what else it holds, private keys above all, is left. */
function certificatesOf(content: string | null): X509Certificate[] {
  return [...(content ?? '').matchAll(PEM)].flatMap(([pem]) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}

/** How to know the kubelet. @param authorities PEM of the cluster's own authorities, if known */
export async function kubeletTrust(hostRoot: string, authorities: readonly string[]): Promise<Trust> {
  const config = await configOf(hostRoot);
  const own = text(config?.['tlsCertFile']);
  const served = (await Promise.all([...(own === null ? [] : [own]), ...CERTIFICATES].map((path) => readHostFile(hostRoot, path)))).map(certificatesOf);
  const signers = (await Promise.all(AUTHORITIES.map((path) => readHostFile(hostRoot, path)))).flatMap(certificatesOf);
  return {
    // What follows the first certificate of a file has signed it.
    ca: [...authorities, ...[...served.flat(), ...signers].map(String)],
    pins: served.flatMap(([leaf]) => (leaf ? [leaf.raw] : [])),
  };
}
