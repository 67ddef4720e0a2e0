import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { readJson } from "../files.node.js";

/**
 * Read a configuration file. Only that it is an object is checked.
 *
 * @throws {@link GanOnnxError} when it cannot be read or is not an object.
 */
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
