import { readFileSync } from "node:fs";
import { z } from "zod";

const manifest = z.object({ name: z.string(), version: z.string() });

/** The name and version of this package: what the models it writes call their producer. */
export const producer = manifest.parse(
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")),
);
