import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { readJson } from "../files.node.js";

/** A configuration file, unchecked but for being an object. Throws naming the file. */
export async function readConfigFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  const content = await readJson(path);
  const parsed = z.record(z.string(), z.unknown()).safeParse(content);
  if (parsed.success) return parsed.data;
  throw new GanOnnxError({
    what: "does not hold a JSON object",
    where: path,
    fix: 'write one such as {"recipe": "vanilla", "epochs": 10}',
    kind: "usage",
  });
}
