/** The few objects of a cluster that kbtop asks for and makes. Shapes are not believed: readers take what is there. */
import { chunksOf } from '../identity/kubernetes/http.ts';
import type { Cluster } from '../identity/kubernetes/cluster.ts';
import { Failure } from '../identity/kubernetes/failure.ts';
import { Lines, LineTooLong } from '../identity/kubernetes/lines.ts';
import { integer, type Json, list, object, text } from '../identity/kubernetes/shape.ts';

/** Objects in a list that is read for their names. */
const PAGE = 500;
/** Pages that are read at most: whoever has more pods narrows the question. */
const PAGES = 20;
/** A single Pod is some tens of KB; bytes. */
const LONGEST_LINE = 4 * 1024 * 1024;
/** A watch of one object may be silent for as long as it is open, seconds. */
const WATCH_SECONDS = 60;

export const metadataOf = (value: unknown): Json => object(object(value)['metadata']);
export const nameOf = (value: unknown): string => text(metadataOf(value)['name']) ?? '';
export const uidOf = (value: unknown): string | null => text(metadataOf(value)['uid']);

const name = encodeURIComponent;
const query = (parameters: Readonly<Record<string, string>>): string => {
  const given = Object.entries(parameters).filter(([, value]) => value !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

const isNotFound = (error: unknown): boolean => error instanceof Failure && error.status === 404;

export interface PodQuery {
  /** Null: of all namespaces. */
  readonly namespace: string | null;
  readonly labels?: string;
  readonly fields?: string;
}

export class Kube {
  readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** @returns null when there is none of that name @throws Failure */
  async #find(path: string): Promise<Json | null> {
    try {
      return object(await this.cluster.json(path));
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  node(node: string): Promise<Json | null> {
    return this.#find(`/api/v1/nodes/${name(node)}`);
  }

  pod(namespace: string, pod: string): Promise<Json | null> {
    return this.#find(`/api/v1/namespaces/${name(namespace)}/pods/${name(pod)}`);
  }

  async #list(path: string, parameters: Readonly<Record<string, string>>): Promise<readonly Json[]> {
    const items: Json[] = [];
    let next = '';
    for (let page = 0; page < PAGES; page++) {
      const answer = object(await this.cluster.json(`${path}${query({ ...parameters, limit: String(PAGE), continue: next })}`));
      items.push(...list(answer['items']).map(object));
      next = text(object(answer['metadata'])['continue']) ?? '';
      if (next === '') break;
    }
    return items;
  }

  pods({ namespace, labels = '', fields = '' }: PodQuery): Promise<readonly Json[]> {
    return this.#list(namespace === null ? '/api/v1/pods' : `/api/v1/namespaces/${name(namespace)}/pods`, { labelSelector: labels, fieldSelector: fields });
  }

  async nodeNames(): Promise<readonly string[]> {
    return (await this.#list('/api/v1/nodes', {})).map(nameOf);
  }

  /** Messages of a pod's warnings, oldest first. */
  async warnings(namespace: string, uid: string): Promise<readonly string[]> {
    const events = await this.#list(`/api/v1/namespaces/${name(namespace)}/events`, { fieldSelector: `involvedObject.uid=${uid},type=Warning` });
    const time = (event: Json): string => text(event['lastTimestamp']) ?? text(event['eventTime']) ?? '';
    return events.toSorted((a, b) => time(a).localeCompare(time(b))).map((event) => text(event['message'])).filter((one) => one !== null);
  }

  async create(namespace: string, pod: object): Promise<Json> {
    return object(await this.cluster.json(`/api/v1/namespaces/${name(namespace)}/pods`, { method: 'POST', body: pod }));
  }

  /**
   * @param uid of the pod that is meant: another one of its name stays
   * @returns false when it was gone already @throws Failure
   */
  async delete(namespace: string, pod: string, uid: string, graceSeconds: number): Promise<boolean> {
    try {
      await this.cluster.json(`/api/v1/namespaces/${name(namespace)}/pods/${name(pod)}`, {
        method: 'DELETE', body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: graceSeconds, preconditions: { uid } },
      });
      return true;
    } catch (error) {
      if (isNotFound(error) || (error instanceof Failure && error.status === 409)) return false;
      throw error;
    }
  }

  /**
   * A pod as it changes after `version`; null once it is deleted. Ends after a while by itself.
   * @throws Failure
   */
  async *changes(namespace: string, pod: string, version: string): AsyncGenerator<Json | null, void, void> {
    const response = await this.cluster.open(`/api/v1/namespaces/${name(namespace)}/pods${query({ watch: 'true', fieldSelector: `metadata.name=${pod}`, resourceVersion: version, timeoutSeconds: String(WATCH_SECONDS) })}`);
    const lines = new Lines(LONGEST_LINE);
    try {
      for await (const chunk of chunksOf(response, { ...this.cluster.limits, silenceMs: WATCH_SECONDS * 1_500 }, this.cluster.host)) {
        for (const line of lines.push(chunk)) yield* changeIn(line);
      }
    } catch (error) {
      throw error instanceof LineTooLong ? new Failure('server', error.message) : error;
    }
  }
}

function* changeIn(line: string): Generator<Json | null, void, void> {
  let event;
  try {
    event = object(JSON.parse(line));
  } catch {
    throw new Failure('server', 'a line of its watch is no JSON');
  }
  const { type, object: body } = event;
  if (type === 'ERROR') throw new Failure('expired', `ended the watch with ${integer(object(body)['code'])}`);
  if (type === 'DELETED') yield null;
  else if (type === 'ADDED' || type === 'MODIFIED') yield object(body);
}
