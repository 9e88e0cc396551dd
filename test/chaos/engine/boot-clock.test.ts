import { expect, it } from 'vitest';
import { BootClock } from '../../../src/chaos/engine/boot-clock.ts';

const clock = (monotonicNs: bigint, uptime: string): BootClock => new BootClock({ monotonicNs: () => monotonicNs }, () => `${uptime} 1.00\n`, () => 1_000_000);

it.each([
  ['a machine that never slept', 1_234_567_890_123n, '1234.56', 1_234_567_890_123n],
  ['one that slept for a minute', 1_234_567_890_123n, '1294.56', 1_294_560_000_000n],
  ['one that has just started', 5_000_000n, '0.00', 5_000_000n],
  ['a text that is none', 5_000_000n, 'x', 5_000_000n],
])('%s', (_, monotonic, uptime, expected) => expect(clock(monotonic, uptime).nowNs()).toBe(expected));

it('tells moments in milliseconds since the epoch', () => expect(clock(9_000_000_000n, '8.99').epochMs(8_500_000_000n)).toBe(999_500));
