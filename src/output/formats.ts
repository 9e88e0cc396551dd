/** The output formats' names: apart from what writes them, so that the command line need not load that to know them. */

export const FORMATS = ['table', 'json', 'ndjson', 'csv', 'prometheus'] as const;
export type Format = (typeof FORMATS)[number];
