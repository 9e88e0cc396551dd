/**
 * Makes a string from the kernel, a container or a file safe for a terminal: the one door through which such
 * strings reach a screen. Data keeps its raw bytes; only what is drawn is escaped.
 */

// C0, DEL, C1, and what reorders or hides text: bidi controls, zero-width and line separators, BOM, tags, variation selectors.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}\ud800-\udfff]/gu;

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\u001b': '\\e', '\0': '\\0' };

function escapeOne(c: string): string {
  const short = SHORT[c];
  if (short !== undefined) return short;
  const code = c.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return `\\u{${code.toString(16)}}`;
}

/** `text` with every control, bidi and invisible character spelled out (`\e`, `\x07`, `\u{202e}`). Plain text comes back as it is. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, escapeOne);
}
