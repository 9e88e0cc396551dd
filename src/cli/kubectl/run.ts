/** `kubectl kbtop`: find the node, make a debug pod there, run kbtop in it, and remove it. */
import { randomBytes } from 'node:crypto';
import { connect, type Way } from '../../cluster/connect.ts';
import type { DebugPodOptions } from '../../cluster/debug-pod.ts';
import { Trouble } from '../../cluster/errors.ts';
import type { Kube } from '../../cluster/kube.ts';
import { DebugPod, podNameOf } from '../../cluster/own-pod.ts';
import type { ExecStream, ExitStatus } from '../../cluster/streams.ts';
import { sweep } from '../../cluster/sweep.ts';
import { findNode, findPodTarget, type NodeTarget } from '../../cluster/target.ts';
import { Failure } from '../../identity/kubernetes/failure.ts';
import { escapeForTerminal } from '../../frame/escape.ts';
import { parsePodRef } from '../../frame/pod-ref.ts';
import { type Config, readConfig } from '../config.ts';
import { Interrupted, KbtopError, usageError } from '../errors.ts';
import { type InterruptWatch, watchInterrupts } from '../interrupt.ts';
import { printError } from '../output.ts';
import { version } from '../version.ts';
import { kbtopErrorOf } from './errors.ts';
import { environmentOf, type Flags, wayOf, whoAmI, type Wish, wishOf } from './flags.ts';
import { Guard } from './guard.ts';
import { Progress } from './progress.ts';
import { relayPipes, relayTerminal } from './relay.ts';

const MAX_TIME_MS = 3_600_000;
const TIMEOUT_MS = 60_000;
/** A kubelet tells why it ended a pod a little later; milliseconds. */
const WHY_MS = 2_000;
/** Exit codes above are signals: nobody chose them. */
const KILLED = 128;

/** Where to go, and what kbtop is told there. */
interface Plan {
  readonly node: NodeTarget;
  readonly purpose: string;
  /** kbtop's own flags. */
  readonly scope: readonly string[];
  /** To be said before it begins; null: nothing. */
  readonly notice: string | null;
}

/** As short as it can be said: a namespace may be called as a type is. */
function podArgument(namespace: string, pod: string): string {
  const short = `${namespace}/${pod}`;
  return parsePodRef(short).namespace === namespace ? short : `${namespace}/pod/${pod}`;
}

async function planFor(wish: Wish, flags: Flags, kube: Kube): Promise<Plan> {
  const { namespace, allNamespaces = false, selector, container } = flags;
  const only = container === undefined ? [] : ['-c', container];
  if (wish.kind === 'node') {
    const node = await findNode(kube, wish.name);
    const scope = [...(namespace === undefined || allNamespaces ? [] : ['-n', namespace]), ...(selector === undefined ? [] : ['-l', selector]), ...only];
    return { node, purpose: `node/${node.name}`, scope, notice: node.warning };
  }
  const where = allNamespaces ? null : namespace ?? await kube.cluster.namespace();
  const found = await findPodTarget(kube, { ref: wish.ref, namespace: where, labels: selector ?? '', container: container ?? null });
  const node = await findNode(kube, found.node);
  const picked = found.of === 1 && (wish.ref?.kind ?? 'Pod') === 'Pod' && wish.ref !== null ? null : `pod ${found.namespace}/${found.pod}, ${found.of === 1 ? 'the only one' : `one of ${found.of}`} of ${wish.ref?.text ?? `-l ${selector}`}, on node ${found.node}`;
  return {
    node, purpose: `pod/${found.pod} -n ${found.namespace}`, scope: ['--pod', podArgument(found.namespace, found.pod), ...only],
    notice: [picked, node.warning].filter((part) => part !== null).join('; ') || null,
  };
}

function podOptions(plan: Plan, flags: Flags, config: Config, namespace: string): DebugPodOptions {
  const { KBTOP_IMAGE: image } = process.env;
  return {
    namespace, node: plan.node, session: randomBytes(8).toString('hex'), who: whoAmI(), purpose: plan.purpose, since: new Date(),
    image: flags.image ?? (image || config.image || `kbtop:${version()}`), pullPolicy: flags.imagePullPolicy ?? null,
    maxSeconds: Math.ceil((flags.maxTime ?? MAX_TIME_MS) / 1_000), chaos: flags.allowChaos ?? false, privileged: flags.privileged ?? false, keep: flags.keep ?? false,
    command: ['kbtop', 'hold'], environment: environmentOf(process.env),
  };
}

/** What an end that the command did not choose came of. @returns its exit code */
async function judge(status: ExitStatus, pod: DebugPod, image: string): Promise<number> {
  if (status.kind === 'exited' && status.code <= KILLED) return status.code;
  if (status.kind === 'failed') {
    const missing = /not found|no such file/.test(status.reason);
    throw new Trouble('failed', `kbtop could not be run in the debug pod: ${status.reason}${missing ? `: is ${image} an image of kbtop?` : ''}`);
  }
  const deadline = performance.now() + WHY_MS;
  let why = await pod.whyOver();
  while (why === null && performance.now() < deadline) {
    await new Promise((resolve) => { setTimeout(resolve, 250); });
    why = await pod.whyOver();
  }
  if (why !== null) throw new Trouble('failed', `the debug pod has been ended: ${why}`);
  if (status.kind === 'exited') return status.code;
  throw new Trouble('failed', `the connection to the session was lost: ${status.reason}`);
}

interface Session {
  readonly kube: Kube;
  readonly options: DebugPodOptions;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly timeoutMs: number;
  readonly interrupts: InterruptWatch;
  readonly progress: Progress;
}

async function inPod(pod: DebugPod, { options, command, tty, stdin, timeoutMs, interrupts, progress }: Session): Promise<number> {
  const stopped = new AbortController();
  interrupts.onInterrupt(() => stopped.abort());
  const { signal } = stopped;
  try {
    await interrupts.race(pod.running(timeoutMs, signal, (what) => progress.tell(`debug pod on ${options.node.name}: ${what}`)));
    progress.tell(`debug pod on ${options.node.name}: starting kbtop`);
    let stream: ExecStream | null = null;
    // What is no longer held is being ended, and may not get to say so.
    await interrupts.race(pod.hold(signal, () => setTimeout(() => stream?.close(), WHY_MS).unref()));
    stream = await interrupts.race(pod.exec(command, { tty, stdin: tty || stdin, signal }));
    progress.clear();
    const status = tty ? await relayTerminal(stream, process, signal) : await relayPipes(stream, stdin ? process.stdin : null, signal);
    if (signal.aborted) throw new Interrupted();
    return await judge(status, pod, options.image);
  } finally {
    progress.clear();
  }
}

/** From the first request to the last: nothing stays behind. */
async function session(way: Way, work: Session): Promise<number> {
  const { kube, options, interrupts } = work;
  const program = process.argv[1] ?? '';
  // Before the pod: from its first moment on somebody sees to its end.
  const guard = options.keep ? null : new Guard({ way, pod: podNameOf(options) }, program);
  let pod: DebugPod | null = null;
  let uncertain = false;
  try {
    void sweep(kube, options.namespace, options.who);
    work.progress.tell(`debug pod on ${options.node.name}: being made in namespace ${options.namespace}`);
    pod = await DebugPod.create(kube, options);
    return await inPod(pod, work);
  } catch (error) {
    // Who has heard no answer does not know whether there is a pod.
    uncertain = pod === null && error instanceof Trouble && error.cause instanceof Failure && error.cause.status === null;
    throw error;
  } finally {
    work.progress.clear();
    // A second signal ends this process the hard way; then it is the guard's.
    interrupts.end();
    if (options.keep) pod?.release();
    else if (pod === null ? !uncertain : await removed(pod, work.progress)) await guard?.dismiss();
  }
}

async function removed(pod: DebugPod, progress: Progress): Promise<boolean> {
  try {
    progress.tell('removing the debug pod');
    await pod.remove();
    progress.clear();
    return true;
  } catch (error) {
    progress.clear();
    const { namespace, name } = pod.name;
    await printError(`debug pod ${name} is not removed yet (${escapeForTerminal(error instanceof Error ? error.message : String(error))}); what ran in it has ended, and it is tried again for some minutes: kubectl delete pod ${name} -n ${namespace}`);
    return false;
  }
}

/** @param command what stands behind `--`; null when there was none @returns the exit code */
export async function open(target: string | undefined, flags: Flags, command: readonly string[] | null): Promise<number> {
  const wish = wishOf(target, flags);
  const tty = process.stdin.isTTY === true && process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
  if (command === null && !tty) throw usageError('the screen needs a terminal: give kubectl kbtop one, or say after -- what to do, such as -- snapshot -o json');
  const config = await readConfig(flags.config);
  const way = wayOf(flags, config);
  const closing = new AbortController();
  const interrupts = watchInterrupts();
  const progress = new Progress();
  let kube: Kube | null = null;
  try {
    kube = await connect(way, closing.signal);
    progress.tell('asking the cluster');
    const plan = await interrupts.race(planFor(wish, flags, kube));
    progress.clear();
    if (plan.notice !== null) await printError(plan.notice);
    const namespace = flags.debugNamespace ?? (process.env['KBTOP_DEBUG_NAMESPACE'] || config.debugNamespace) ?? await kube.cluster.namespace();
    return await session(way, {
      kube, tty, interrupts, progress, options: podOptions(plan, flags, config, namespace), stdin: flags.stdin ?? false, timeoutMs: flags.timeout ?? TIMEOUT_MS,
      command: ['kbtop', ...(flags.allowChaos ? [] : ['--read-only']), ...plan.scope, ...(command ?? [])],
    });
  } catch (error) {
    if (error instanceof KbtopError || error instanceof Interrupted) throw error;
    throw kbtopErrorOf(error, kube?.cluster.label ?? null);
  } finally {
    progress.clear();
    interrupts.end();
    closing.abort();
    kube?.cluster.close();
  }
}
