// Tables of strings, for the terminal and for Markdown. The first columns are text, the rest numbers.

/** @param texts how many of the first columns hold text */
export function textTable(header, rows, texts = 1) {
  const { widths, pad } = layout(header, rows, texts);
  const rule = widths.map((n) => '-'.repeat(n));
  return [pad(header), rule, ...rows.map(pad)].map((row) => row.join('  ').trimEnd()).join('\n');
}

export function markdownTable(header, rows, texts = 1) {
  const { widths, pad } = layout(header, rows, texts);
  const rule = widths.map((n, i) => (i < texts ? '-'.repeat(n) : `${'-'.repeat(n - 1)}:`));
  return [pad(header), rule, ...rows.map(pad)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

// Three is the narrowest column whose rule Markdown's formatters leave alone.
function layout(header, rows, texts) {
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i].length)));
  const pad = (row) => row.map((cell, i) => (i < texts ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
  return { widths, pad };
}

/** Three digits that mean something, and no more; a dash where there is no figure. */
export function figure(value) {
  if (!Number.isFinite(value)) return '-';
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3);
}

export function percent(value) {
  return Number.isFinite(value) ? `${Math.round(value * 100)} %` : '-';
}
