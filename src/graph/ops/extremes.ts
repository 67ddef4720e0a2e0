import { GanOnnxError } from "../../error.js";
import { shapeError } from "../dims.js";
import { apply, defineOp, type Op } from "../operator.js";
import { int64s, type Operator, type Value } from "../value.js";
import { cast, div, equal, mul } from "./elementwise.js";
import { scatterElements } from "./gather.js";
import { normalizeAxis } from "./infer.js";
import { sum } from "./reduce.js";
import { type Reduction, reducedShape, reduction } from "./reduction.js";
import { reshape } from "./reshape.js";
import { zerosLike } from "./shape.js";

const schema = { axes: "ints", keepdims: "int" } as const;

function extreme(type: string): Op<[x: Value], typeof schema> {
  return defineOp<[x: Value], typeof schema>({
    type,
    attributes: schema,
    infer: ([x], { axes, keepdims }) => ({ dtype: x.dtype, shape: reducedShape(x, axes, keepdims) }),
    vjp: ([x], y, g, { axes }) => {
      const kept = (value: Value) => reshape(value, reducedShape(x, axes, 1));
      const chosen = cast(equal(x, kept(y)), { to: x.dtype });
      return [mul(chosen, div(kept(g), sum(chosen, axes, { keepdims: true })))];
    },
  });
}

export const maxOp = extreme("ReduceMax");
export const minOp = extreme("ReduceMin");

/**
 * The maximum over some axes, or over all. Equal maxima share the gradient evenly, as in torch.amax.
 * https://onnx.ai/onnx/operators/onnx__ReduceMax.html
 */
export const max: Reduction = reduction((x, axes, keepdims) => maxOp(x, { axes, keepdims }));

/** The minimum, like {@link max}. https://onnx.ai/onnx/operators/onnx__ReduceMin.html */
export const min: Reduction = reduction((x, axes, keepdims) => minOp(x, { axes, keepdims }));

export const prodOp: Op<[x: Value], typeof schema> = defineOp<[x: Value], typeof schema>({
  type: "ReduceProd",
  attributes: schema,
  infer: ([x], { axes, keepdims }) => ({ dtype: x.dtype, shape: reducedShape(x, axes, keepdims) }),
  vjp: () => {
    throw new GanOnnxError({
      what: "the gradient of a product over axes is not supported",
      where: "ReduceProd",
      fix: "multiply slices with mul()",
    });
  },
});

/** The product over some axes, or over all, without a gradient. https://onnx.ai/onnx/operators/onnx__ReduceProd.html */
export const prod: Reduction = reduction((x, axes, keepdims) => prodOp(x, { axes, keepdims }));

const argSchema = { axis: "int", keepdims: "int", select_last_index: "int" } as const;

function position(type: string): Op<[x: Value], typeof argSchema> {
  return defineOp<[x: Value], typeof argSchema>({
    type,
    attributes: argSchema,
    infer: ([x], { axis, keepdims }) => ({ dtype: "int64", shape: reducedShape(x, [axis], keepdims) }),
    vjp: null,
  });
}

export const argMaxOp = position("ArgMax");
export const argMinOp = position("ArgMin");

/** Whether to keep the axis, and whether to return the last of equal elements instead of the first. */
export interface PositionOptions {
  readonly keepdims?: boolean;
  readonly last?: boolean;
}

const positionOf =
  (op: typeof argMaxOp, type: string) =>
  (x: Value, axis: number, { keepdims = false, last = false }: PositionOptions = {}): Value =>
    op(x, {
      axis: normalizeAxis(type, axis, x.shape.length),
      keepdims: Number(keepdims),
      select_last_index: Number(last),
    });

/** The position of the maximum along an axis, as int64. https://onnx.ai/onnx/operators/onnx__ArgMax.html */
export const argMax = positionOf(argMaxOp, "ArgMax");

/** The position of the minimum along an axis, as int64. https://onnx.ai/onnx/operators/onnx__ArgMin.html */
export const argMin = positionOf(argMinOp, "ArgMin");

/** TopK has two outputs, values and their positions, so it does not use `defineOp`. */
export const topKOp: { readonly operator: Operator } = {
  operator: {
    type: "TopK",
    attributes: { axis: "int", largest: "int", sorted: "int", count: "dims" },
    infer: ([x], { axis, count }) => {
      const shape = x.shape.with(axis as number, (count as readonly number[])[0]);
      return [
        { dtype: x.dtype, shape },
        { dtype: "int64", shape },
      ];
    },
    vjp: ([x], [, index], [g], { axis }) => [
      g && scatterElements(zerosLike(x), index, g, axis as number, "add"),
      null,
    ],
  },
};

export interface TopKOptions {
  readonly largest?: boolean;
  readonly sorted?: boolean;
}

/**
 * The k largest (or smallest) elements along an axis, and their positions as int64. The gradient goes to these
 * elements. https://onnx.ai/onnx/operators/onnx__TopK.html
 */
export function topK(
  x: Value,
  k: number,
  axis = -1,
  { largest = true, sorted = true }: TopKOptions = {},
): { values: Value; indices: Value } {
  const at = normalizeAxis("TopK", axis, x.shape.length);
  const extent = x.shape[at];
  if (typeof extent === "number" && k > extent)
    throw shapeError("TopK", `there are no ${k} along axis ${at}`, [x.shape]);
  const attributes = { axis: at, largest: Number(largest), sorted: Number(sorted), count: [k] };
  const [values, indices] = apply(topKOp.operator, [x, int64s([k])], attributes);
  return { values, indices };
}
