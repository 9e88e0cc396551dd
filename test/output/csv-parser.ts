/** A strict RFC 4180 parser: the oracle of the CSV tests. Throws where the grammar is broken. */
export function parseCsv(text: string): (string | null)[][] {
  const records: (string | null)[][] = [];
  let i = 0;
  while (i < text.length) {
    const record: (string | null)[] = [];
    for (;;) {
      if (text[i] === '"') {
        let value = '';
        for (i++; ; i++) {
          if (i >= text.length) throw new Error('unterminated quote');
          if (text[i] !== '"') value += text[i];
          else if (text[i + 1] === '"') { value += '"'; i++; } else break;
        }
        i++;
        record.push(value);
      } else {
        const start = i;
        while (i < text.length && text[i] !== ',' && text[i] !== '\r' && text[i] !== '\n') {
          if (text[i] === '"') throw new Error(`quote inside an unquoted field at ${i}`);
          i++;
        }
        record.push(start === i ? null : text.slice(start, i));
      }
      if (text[i] === ',') { i++; continue; }
      if (text[i] === '\r' && text[i + 1] === '\n') { i += 2; break; }
      throw new Error(`expected , or CRLF at ${i}, found ${JSON.stringify(text.slice(i, i + 5))}`);
    }
    records.push(record);
  }
  return records;
}

/** Records as objects by the first record's names. */
export function csvObjects(text: string): Record<string, string | null>[] {
  const [header = [], ...rows] = parseCsv(text);
  return rows.map((row) => {
    if (row.length !== header.length) throw new Error(`${row.length} fields under ${header.length} headings`);
    return Object.fromEntries(header.map((name, i) => [name ?? '', row[i] ?? null]));
  });
}
