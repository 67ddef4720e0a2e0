import { GanOnnxError } from "../error.js";
import { type Dim, productOf } from "../graph/dims.js";
import { input, type Value } from "../graph/index.js";
import type { FileDim, FileGraph } from "./message.js";
import { dtypeOf, nameOfElementType } from "./tensors-in.js";

/** The name of the model for messages, and numbers for symbolic dimensions. */
interface Options {
  readonly source: string;
  readonly dimensions: Readonly<Record<string, number>>;
}

/** The inputs of a graph without initializers, which older files list as inputs too. */
export function openInputs(graph: FileGraph, { source, dimensions }: Options): readonly Value[] {
  const open = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return open.map(({ name, type }) => {
    const fail = (what: string, fix: string): never => {
      throw new GanOnnxError({ what, where: `${source}: input ${name}`, fix });
    };
    if (!type) return fail("is no tensor", "export the model with tensors as inputs");
    const dtype = dtypeOf(type.elementType);
    if (!dtype)
      return fail(`has elements of ${nameOfElementType(type.elementType)}`, "export it with another type");
    if (!type.shape) return fail("has no shape", "export the model with shapes; sizes may be symbols");
    if (type.shape.length > 64) return fail(`has ${type.shape.length} axes`, "export it with fewer");
    const shape = type.shape.map((dim, axis) => dimensionOf(dim, `${name}_dim_${axis}`, dimensions));
    return input(name, dtype, shape);
  });
}

/** Convert a dimension of a file. A dimension without a name is named after its position. */
function dimensionOf(dim: FileDim, unnamed: string, dimensions: Readonly<Record<string, number>>): Dim {
  if (typeof dim === "number") return dim;
  const name = dim ?? unnamed;
  if (Object.hasOwn(dimensions, name)) return dimensions[name];
  const factors = name.split("*").map((factor) => factor.trim());
  if (factors.every((factor) => /^\d+$|^[A-Za-z_][\w.]*$/.test(factor)))
    return productOf(factors.map((factor) => (/^\d+$/.test(factor) ? Number(factor) : factor)));
  return name.replaceAll("*", "·");
}
