import { broadcastShapes, type Shape, sameShape } from "../dims.js";
import { apply } from "../operator.js";
import type { Node, Operator, Value } from "../value.js";
import { reshape, transpose, transposeOp } from "./reshape.js";
import { expandOp } from "./shape.js";

// Images are [batch, channels, h, w]. Convolutions by products (patches.ts) read and return them with the batch as the
// last axis, [channels, h, w, batch]. Pointwise nodes between two convolutions are computed in that layout too, so
// images are transposed only at the start and the end of such a sequence.

/** The permutation to the batch-last layout, and its inverse. */
const LAST = [1, 2, 3, 0];
const FIRST = [3, 0, 1, 2];

/** Transpose an image [batch, channels, h, w] to [channels, h, w, batch]. */
export function batchLast(image: Value): Value {
  const [batch, ...others] = image.shape;
  return batchLastOf(image) ?? (batch === 1 ? reshape(image, [...others, batch]) : transpose(image, LAST));
}

/** The inverse of {@link batchLast}: `columns` has the elements of [channels, h, w, batch] in that order. */
export function batchFirst(columns: Value, [batch, ...others]: Shape): Value {
  return transpose(reshape(columns, [...others, batch]), FIRST);
}

/** The input of {@link batchFirst}, if the image is its result; otherwise undefined. */
function batchLastOf(image: Value): Value | undefined {
  const node = madeBy(image, transposeOp);
  return String(node?.attributes.perm) === String(FIRST) ? node?.inputs[0] : undefined;
}

/** The node that produces a value, if it has the given operator. */
function madeBy({ origin }: Value, { operator }: { readonly operator: Operator }): Node | undefined {
  return origin.kind === "node" && origin.node.operator === operator ? origin.node : undefined;
}

/**
 * Lower a pointwise node. Remove Expand from inputs that would broadcast to the same shape, and keep the batch-last
 * layout if an image has it.
 */
export function lowerPointwise({
  operator,
  inputs,
  attributes,
  outputs: [{ shape }],
}: Node): Value | undefined {
  const bare = inputs.map((value) => madeBy(value, expandOp)?.inputs[0] ?? value);
  const broadcast = broadcastShapes(operator.type, shapesOf(bare));
  const operands = sameShape(broadcast, shape) ? bare : inputs;
  if (shape.length === 4 && operands.some(batchLastOf)) {
    const last = operands.map((value) => (value.shape.length === 0 ? value : batchLast(ofRank4(value))));
    return batchFirst(apply(operator, last, attributes)[0], shape);
  }
  const same = operands.every((value, i) => value === inputs[i]);
  return same ? undefined : apply(operator, operands, attributes)[0];
}

const shapesOf = (values: readonly Value[]) => values.map(({ shape }) => shape);

/** Add leading axes of extent 1, as broadcasting does. */
function ofRank4(value: Value): Value {
  return reshape(value, [...Array<1>(4 - value.shape.length).fill(1), ...value.shape]);
}

/** Lower a reduction over the batch and other axes: if the image was transposed, reduce it in the batch-last layout. */
export function lowerReduction(
  x: Value,
  y: Value,
  axes: readonly number[],
  reduce: (x: Value, axes: readonly number[]) => Value,
): Value | undefined {
  const last = axes.includes(0) ? batchLastOf(x) : undefined;
  return last && reshape(reduce(last, axes.map((axis) => LAST.indexOf(axis)).sort()), y.shape);
}
