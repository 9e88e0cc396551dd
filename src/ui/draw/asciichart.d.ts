declare module 'asciichart' {
  interface PlotConfig {
    min?: number;
    max?: number;
    /** Rows minus one. */
    height?: number;
    offset?: number;
    format?: (value: number) => string;
    symbols?: string[];
  }
  export function plot(series: readonly number[], config?: PlotConfig): string;
  const asciichart: { plot: typeof plot };
  export default asciichart;
}
