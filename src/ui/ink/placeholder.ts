/** What Ink is given to measure in place of a finished screen: one dot per line (see app.tsx and fast-output.ts). */
export const placeholder = (height: number): string => Array.from({ length: height }, () => '.').join('\n');
