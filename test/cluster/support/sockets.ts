/** The container's side of exec and attach, as the kubelet speaks it: real processes behind the channels. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import pty, { type IPty } from '@lydell/node-pty';
import { WebSocket } from 'ws';

const STDOUT = 1, STDERR = 2, STATUS = 3, RESIZE = 4, CLOSE = 255;

export interface Running {
  readonly pid: number;
  /** Size that the terminal was told last; null: none yet. */
  size: { readonly columns: number; readonly rows: number } | null;
  /** The process has ended. */
  ended: boolean;
}

const frame = (channel: number, bytes: Buffer | string): Buffer => Buffer.concat([Buffer.of(channel), Buffer.from(bytes)]);

/** As the API server words it. */
export function statusOf(code: number | null, signal: number | NodeJS.Signals | null = null): object {
  const exit = code ?? (typeof signal === 'number' ? 128 + signal : 137);
  if (exit === 0) return { metadata: {}, status: 'Success' };
  return { metadata: {}, status: 'Failure', message: `command terminated with non-zero exit code: exit status ${exit}`, reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: String(exit) }] } };
}

function finish(socket: WebSocket, status: object): void {
  socket.send(frame(STATUS, JSON.stringify(status)), { binary: true }, () => socket.close(1000));
}

/** The first byte that a shell prints once the terminal has no size, as runtimes make them. */
const READY = '\x01';

/** A command on a terminal of 0 by 0 cells, until the client tells its size. A client that goes leaves it there, its output unread. */
export function execOnTerminal(socket: WebSocket, command: readonly string[], env: NodeJS.ProcessEnv): Running {
  const child: IPty = pty.spawn('/bin/sh', ['-c', `stty rows 0 cols 0; printf '\\001'; exec "$0" "$@"`, ...command], { cols: 80, rows: 24, env: { ...env, TERM: 'xterm' } as Record<string, string>, encoding: null });
  const running: Running = { pid: child.pid, size: null, ended: false };
  let ready = false;
  const apply = (): void => { if (ready && running.size && !running.ended) child.resize(running.size.columns, running.size.rows); };
  child.onData((data) => {
    let bytes = Buffer.from(data as unknown as Buffer);
    if (!ready && bytes[0] === READY.charCodeAt(0)) {
      ready = true;
      bytes = bytes.subarray(1);
      apply();
    }
    if (socket.readyState === WebSocket.OPEN && bytes.length > 0) socket.send(frame(STDOUT, bytes), { binary: true });
  });
  child.onExit(({ exitCode, signal }) => {
    running.ended = true;
    if (socket.readyState === WebSocket.OPEN) finish(socket, statusOf(signal ? null : exitCode, signal ?? null));
  });
  socket.on('message', (data) => {
    if (data[0] === 0 && !running.ended) child.write(data.subarray(1) as unknown as string);
    if (data[0] !== RESIZE) return;
    const { Width, Height } = JSON.parse(data.subarray(1).toString()) as { Width: number; Height: number };
    running.size = { columns: Width, rows: Height };
    apply();
  });
  socket.on('close', () => { if (!running.ended) child.pause(); });
  return running;
}

export function execOnPipes(socket: WebSocket, [file = '', ...args]: readonly string[], env: NodeJS.ProcessEnv, stdin: boolean): Running {
  const child = spawn(file, args, { env, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] }) as ChildProcessWithoutNullStreams;
  const running: Running = { pid: child.pid ?? 0, size: null, ended: false };
  for (const [stream, channel] of [[child.stdout, STDOUT], [child.stderr, STDERR]] as const) {
    stream.on('data', (bytes: Buffer) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      stream.pause();
      socket.send(frame(channel, bytes), { binary: true }, () => stream.resume());
    });
  }
  child.on('error', (error) => {
    running.ended = true;
    finish(socket, { metadata: {}, status: 'Failure', message: `error executing command in container: OCI runtime exec failed: exec: "${file}": executable file not found in $PATH (${error.message})`, reason: 'InternalError', details: { causes: [{ message: error.message }] }, code: 500 });
  });
  child.on('close', (code, signal) => {
    if (running.ended) return;
    running.ended = true;
    if (socket.readyState === WebSocket.OPEN) finish(socket, statusOf(code, signal));
  });
  if (stdin) {
    child.stdin.on('error', () => {});
    socket.on('message', (data) => {
      if (data[0] === 0) {
        if (!child.stdin.write(data.subarray(1))) {
          socket.pause();
          child.stdin.once('drain', () => socket.resume());
        }
      }
      if (data[0] === CLOSE && data[1] === 0) child.stdin.end();
    });
    socket.on('close', () => child.stdin.end());
  }
  return running;
}

/** Attached to a container's main process; the first to be so is the last with `stdinOnce`. */
export function attachTo(socket: WebSocket, child: ChildProcessWithoutNullStreams): void {
  const out = (bytes: Buffer): void => { if (socket.readyState === WebSocket.OPEN) socket.send(frame(STDOUT, bytes), { binary: true }); };
  child.stdout.on('data', out);
  child.on('close', () => { if (socket.readyState === WebSocket.OPEN) finish(socket, statusOf(0)); });
  socket.on('message', (data) => {
    if (data[0] === 0 && child.stdin.writable) child.stdin.write(data.subarray(1));
    if (data[0] === CLOSE && data[1] === 0) child.stdin.end();
  });
  socket.on('close', () => {
    child.stdout.off('data', out);
    child.stdin.end();
  });
}
