/** A module of the benchmarks, which are plain JavaScript. */
export function importBench(path: string) {
  return import(/* @vite-ignore */ new URL(`../../bench/${path}`, import.meta.url).href);
}
