/** Listens until it is killed. Argument: the socket. */
import { createServer } from 'node:net';

createServer().listen(process.argv[2], () => process.send?.('listening'));
