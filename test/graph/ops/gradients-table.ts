import type * as ops from "../../../src/graph/ops/index.js";
import type { Operator } from "../../../src/graph/value.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import { activations } from "./gradients-table-activations.js";
import { arithmetic } from "./gradients-table-arithmetic.js";
import { convolutions } from "./gradients-table-conv.js";
import { elementwise } from "./gradients-table-elementwise.js";
import { gathering } from "./gradients-table-gather.js";
import { generating } from "./gradients-table-generate.js";
import { matrix } from "./gradients-table-matrix.js";
import { normalizing } from "./gradients-table-normalize.js";
import { reduce } from "./gradients-table-reduce.js";
import { shape } from "./gradients-table-shape.js";
import { slices } from "./gradients-table-slice.js";
import { windows } from "./gradients-table-windows.js";

type Ops = typeof ops;
/** The names of all that the room of operators exports, and of those that are one operator. */
type Name = keyof Ops;
type OpName = { [K in Name]: Ops[K] extends { readonly operator: Operator } ? K : never }[Name];

/** What needs rows: all but a function beside its operator of the same name, as `reshape` beside `reshapeOp`. */
type Needed = { [K in Name]: `${K}Op` extends Name ? never : K }[Name];

export const table = {
  ...elementwise,
  ...arithmetic,
  ...activations,
  ...reduce,
  ...matrix,
  ...convolutions,
  ...shape,
  ...slices,
  ...windows,
  ...generating,
  ...normalizing,
  ...gathering,
} satisfies Record<Needed, readonly GradientCase[]>;

/** The operators whose rule is `null`, as it should be. */
export const withoutGradient = [
  "stopGradient",
  "sign",
  "greater",
  "equal",
  "less",
  "greaterOrEqual",
  "lessOrEqual",
  "and",
  "or",
  "xor",
  "not",
  "isNaNOp",
  "isInfOp",
  "floor",
  "ceil",
  "round",
  "argMaxOp",
  "argMinOp",
  "rangeOp",
  "shapeOp",
] as const satisfies readonly OpName[];
