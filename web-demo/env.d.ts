/** The address of a file's gzipped copy, see `vite.config.ts`. */
declare module "*?gzip" {
  export const address: string;
}
