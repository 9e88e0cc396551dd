/** Starts a container runtime and a pod, says where they are, and waits to be killed. */
import { Pod } from '../pods.ts';
import { Runtime } from '../runtime.ts';

const runtime = await Runtime.start();
const pod = await Pod.start(runtime, { name: 'orphan', containers: [{ name: 'app' }] });
console.log(JSON.stringify({ directory: runtime.place.directory, cgroup: pod.cgroup, pids: [pod.sandbox.pid, pod.container('app').pid] }));
setInterval(() => {}, 1_000);
