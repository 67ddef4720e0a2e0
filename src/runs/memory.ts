import { totalmem } from "node:os";
import { GanOnnxError, setting, text } from "../error.js";
import type { Design } from "../recipes/index.js";
import { sizeOf } from "../tensors/tensor.js";
import { stateTensors } from "../training/state.js";

/**
 * Check that the state of a design, and its copy for checkpoints, fit in this machine's memory.
 *
 * @throws {@link GanOnnxError} when they do not.
 */
export function requireMemory(design: Design): void {
  const numbers = stateTensors(design).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const needed = 2 * 4 * numbers;
  if (needed <= totalmem()) return;
  throw new GanOnnxError({
    what: `networks of this size need ${(needed / 2 ** 30).toFixed(0)} GiB of memory, and there are ${(totalmem() / 2 ** 30).toFixed(0)}`,
    where: text`recipe ${design.recipe}`,
    fix: text`lower ${setting("width")} or ${setting("latent")}`,
    kind: "usage",
  });
}
