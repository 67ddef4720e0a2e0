import { GanOnnxError } from "../error.js";
import { formatShape, type Value } from "../graph/index.js";
import type { FileDim, FileType } from "./message.js";
import { dtypeOf, nameOfElementType } from "./tensors-in.js";

/**
 * Compare the type that a file declares for a value with the inferred one. Symbols fit every size: their names are the
 * exporter's, and parts that a file leaves out are open.
 *
 * @throws {@link GanOnnxError} naming the value, with both types.
 */
export function checkDeclared(
  name: string,
  { dtype, shape, sequence }: Value,
  declared: FileType | undefined,
): void {
  if (!declared || sequence) return;
  const type = dtypeOf(declared.elementType) ?? dtype;
  const dims = declared.shape;
  const fits =
    !dims || (dims.length === shape.length && dims.every((dim, axis) => fitsDim(dim, shape[axis])));
  if (type === dtype && fits) return;
  const element = nameOfElementType(declared.elementType);
  throw new GanOnnxError({
    what: `is declared as ${element} ${dims ? listed(dims) : "of any shape"}, and is ${dtype} ${formatShape(shape)}`,
    where: `value ${name}`,
    fix: "export the model again, or remove its value_info",
  });
}

function fitsDim(declared: FileDim, inferred: number | string): boolean {
  return typeof declared !== "number" || typeof inferred !== "number" || declared === inferred;
}

function listed(dims: readonly FileDim[]): string {
  return `[${dims.map((dim) => dim ?? "?").join(", ")}]`;
}
