/** Random terminal text for comparing the shims with the packages they stand in for. */
import fc from 'fast-check';

const pick = (...items: string[]) => fc.constantFrom(...items);

const simple = fc.stringMatching(/^[ -~µ…▲▼█▌▏─│╭╯⠁⣿→é]{1,12}$/u);
const colour = fc.oneof(
  pick('\x1b[0m', '\x1b[m', '\x1b[1m', '\x1b[2m', '\x1b[22m', '\x1b[7m', '\x1b[27m', '\x1b[4m', '\x1b[24m', '\x1b[31m', '\x1b[39m', '\x1b[97m', '\x1b[44m', '\x1b[49m'),
  pick('\x1b[1;31m', '\x1b[38;5;200m', '\x1b[48;2;1;2;3m', '\x1b[1;2;38;5;9;48;5;1m', '\x1b[58;5;1m', '\x1b[0;1m', '\x1b[;m', '\x1b[38;5m', '\x1b[38;2;1;2m', '\x1b[99m', '\x1b[22;2m'),
  fc.tuple(fc.nat(255), pick('38', '48')).map(([n, kind]) => `\x1b[${kind};5;${n}m`),
);
const odd = pick(
  '\x1b', '\x1b[', '\x1b[3', '\x1b[31', '\x1b[2J', '\x1b[?25l', '\x1b[31:4m', '\x9b31m', '\x1b7', '\x1b]0;title\x07', '\x1b]8;;http://a/\x07', '\x1b]8;;\x07',
  '\n', '\r\n', '\r', '\t', '\0', '\x7f', '\x85', '\u00ad', '\u200d', '\ufe0f', '\ufe0e', '\u0301', '\u20e3', '\u200b', '\u2028', '\u202e', '\ud800', '\udc00',
  '漢', '字', 'ｶﾞ', '한', 'ᄒ', 'ก็', 'नि', '😀', '👩‍💻', '🇩🇪', '🇩', '❤', '❤️', '▶️', '▶', '◽', '◾', '↔️', '©️', '1️⃣', '#', 'ﷺ', '\u{e0001}',
);
const unit = fc.nat(0x2fff).map((code) => String.fromCharCode(code));

/** Mostly simple text with colours, often with something that needs the slow way in it. */
export const terminalText = fc
  .array(fc.oneof({ weight: 6, arbitrary: simple }, { weight: 4, arbitrary: colour }, { weight: 1, arbitrary: odd }, { weight: 1, arbitrary: unit }), { maxLength: 10 })
  .map((pieces) => pieces.join(''));

/** Text that never needs the slow way. */
export const simpleText = fc
  .array(fc.oneof(simple, colour), { maxLength: 12 })
  .map((pieces) => pieces.join(''));
