/** The command line as a whole: commands, help, and how errors leave the program. */
import { Command, CommanderError } from 'commander';
import { attachCommand } from './attach.ts';
import { chaosCommand } from './chaos/index.ts';
import { injectorCommand } from './chaos/injector.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { EXIT, KbtopError, usageError } from './errors.ts';
import { failed } from './failed.ts';
import { holdCommand } from './hold.ts';
import { printOut } from './output.ts';
import { recordCommand } from './record.ts';
import { replayCommand } from './replay.ts';
import { serveCommand } from './serve.ts';
import { addGlobalFlags } from './settings.ts';
import { snapshotCommand } from './snapshot.ts';
import { oneOf } from '../frame/suggest.ts';
import { topCommand } from './top.ts';
import { version } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 done; 1 failed; 2 bad usage; 3 not permitted or not possible here (privilege, kernel feature, BTF);
            4 target not found; 130 interrupted.
`;

const EXAMPLES = `
Which containers: without -n, -l, -c and --pod, all of the node: no namespace is the default one. Several flags must
all hold; of one flag given several times, any. -n, -l and --pod leave only pods; -l and the types of --pod need the
runtime's socket, the Kubernetes API or the kubelet.

Examples:
  kbtop                                           the live screen
  kbtop --pod shop/web-1                          one pod alone; --pod deploy/web: all pods of a Deployment
  kbtop -n shop -l app=web                        pods of a namespace by their labels
  kbtop snapshot --pane runqueue --sort-by p99Us  who waits for a CPU
  kbtop snapshot --duration 10s -o json           everything, for scripts
  kbtop replay incident.kbtop --at 02:00:05       what was recorded, on the same screen
  kbtop chaos run --pod shop/web-1 --syscall connect --error ECONNREFUSED --for 30s   a fault, for a while
  kbtop record -o night.kbtop --max-size 100M     keep what happens, for kbtop replay and snapshot --replay
  kbtop serve --group ops, then kbtop attach      one capture for several screens
  kbtop doctor                                    what works on this node, and why the rest does not

The configuration is YAML; all of its keys are optional:
  { interval: 2s, color: auto, ascii: false, readOnly: false, panes: { syscalls: { sort: p99Us:desc } },
    node: worker-1, kubeconfig: ~/.kube/config, context: prod, hostRoot: /host,
    runtimeEndpoint: /run/containerd/containerd.sock }

Environment: NO_COLOR; NODE_NAME, the node's name in Kubernetes; KUBECONFIG; CONTAINER_RUNTIME_ENDPOINT;
             KBTOP_SYMBOLS=braille|block|ascii.
`;

/** @param print receives help and version, whole */
export function createProgram(print: (text: string) => void): Command {
  const program = new Command('kbtop');
  const configure = (command: Command): Command => command
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(process.stdout.columns || 100, 120) })
    .configureOutput({ writeOut: print, writeErr: () => {}, outputError: () => {} });
  configure(program)
    .description('top for the kernel side of a Kubernetes node: system calls, run queue, file opens and TCP connections, by container.')
    .version(version(), '-V, --version', 'print the version')
    .addHelpText('after', EXAMPLES + EXIT_CODES);
  addGlobalFlags(program);
  const commands = [topCommand(), snapshotCommand(), recordCommand(), replayCommand(), demoCommand(), serveCommand(), attachCommand(), doctorCommand(), chaosCommand(configure)];
  for (const command of commands) {
    program.addCommand(configure(command), { isDefault: command.name() === 'top' });
  }
  for (const command of [injectorCommand(), holdCommand()]) program.addCommand(configure(command), { hidden: true });
  return program;
}

/** Commander's complaint in our words, on one line. */
function usageOf(error: CommanderError, program: Command, argv: readonly string[]): KbtopError {
  const commands = program.createHelp().visibleCommands(program).map((command) => command.name());
  if (error.code === 'commander.excessArguments') {
    // An unknown first word falls to the default command.
    const called = argv.find((word) => commands.includes(word) || word === 'help');
    const word = program.args.find((argument) => argument !== called && !argument.startsWith('-')) ?? '';
    if (called === undefined) return usageError(`unknown command "${word}"${oneOf(word, commands, 'commands')}`);
    if (program.commands.some((command) => command.name() === called && command.registeredArguments.length > 0)) return usageError(`${called} takes one argument at the most; see kbtop ${called} --help`);
    return usageError(`${called} takes no arguments, but got "${word}"; see kbtop ${called} --help`);
  }
  const text = error.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?');
  return usageError(text.includes('did you mean') ? text : `${text.replace(/\.$/, '')}; see kbtop --help`);
}

/**
 * Parse and run one command line.
 * @param argv without node and script @returns the exit code, after everything has been written
 */
export async function run(argv: readonly string[]): Promise<number> {
  let printed = '';
  const program = createProgram((text) => { printed += text; });
  try {
    try {
      await program.parseAsync(argv, { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode !== 0) throw usageOf(error, program, argv);
      await printOut(printed);
    }
    return EXIT.ok;
  } catch (error) {
    return await failed(error, argv.includes('--debug'));
  }
}
