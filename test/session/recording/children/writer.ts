/** Writes Frames into a recording until it is killed: FILE, and which of the Frames begin. Says each number once it was taken. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RecordingWriter } from '../../../../src/session/recording/writer.ts';
import { frames } from '../frames.ts';

const [path = ''] = process.argv.slice(2);
const writer = await RecordingWriter.open(path, { version: 'test', append: true });
console.log('open');
for (const [i, frame] of frames(200, 6).entries()) {
  if (!writer.write(frame)) throw new Error('a Frame was refused');
  console.log(i);
  // Writing takes turns of the event loop.
  await sleep(i % 3);
}
