/** The URL of a file's gzipped copy, and its size in bytes, see `vite.config.ts`. */
declare module "*?gzip" {
  export const address: string;
  export const size: number;
}
