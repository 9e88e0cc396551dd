/** The one place where React and Ink draw: the whole screen as one block of finished lines. */
import { Box, Transform } from 'ink';
import { memo, useSyncExternalStore } from 'react';
import { placeholder } from './ink/placeholder.ts';
import type { State } from './model.ts';
import { drawScreen } from './screen.ts';

interface Source {
  readonly getState: () => State;
  readonly subscribe: (listener: () => void) => () => void;
}

/**
 * Lines that are already laid out in exact cells. Ink measures, wraps and sanitizes the text it is given, and keeps it
 * in caches of thousands of whole screens; so it is given one dot per line, and Transform puts the line in its place
 * when it paints.
 */
const Lines = memo(function Lines({ lines }: { readonly lines: readonly string[] }) {
  return (
    <Transform transform={(_dot, index) => lines[index] ?? ''}>
      {placeholder(lines.length)}
    </Transform>
  );
});

export function App({ store }: { readonly store: Source }) {
  const state = useSyncExternalStore(store.subscribe, store.getState);
  return (
    <Box width={state.size.width} height={state.size.height} overflow="visible">
      <Lines lines={drawScreen(state)} />
    </Box>
  );
}
