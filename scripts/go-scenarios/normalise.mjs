// Makes results comparable: names in place of ports, folders and tokens.

const PORT = /:(\d{2,6})\b/g;
const AUTOMATIC_NAME = /@[0-9a-f]{5}\b/g;

function mapStrings(value, change) {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapStrings(each, change)]));
}

/** @param ports endpoint names by port number */
export function normalise(results, { folder, token, ports }) {
  return mapStrings(results, (text) =>
    text
      .replaceAll(folder, '{T}')
      .replaceAll(token, '{U}')
      .replace(AUTOMATIC_NAME, '@AUTO')
      .replace(PORT, (all, digits) => (ports.has(Number(digits)) ? `:PORT_${ports.get(Number(digits))}` : all)),
  );
}
