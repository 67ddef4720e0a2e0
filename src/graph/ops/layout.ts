import { broadcastShapes, type Shape, sameShape } from "../dims.js";
import { apply } from "../operator.js";
import type { Node, Operator, Value } from "../value.js";
import { reshape, transpose, transposeOp } from "./reshape.js";
import { expandOp } from "./shape.js";

// Images are [batch, channels, h, w]. Convolutions by products (patches.ts) take and give them with the batch as last
// axis, [channels, h, w, batch]. What lies between two of them is computed in that layout too, so that images are
// turned only where such a stretch begins and ends.

/** The axes of an image in the order of the other layout, and the way back. */
const LAST = [1, 2, 3, 0];
const FIRST = [3, 0, 1, 2];

/** An image [batch, channels, h, w] as [channels, h, w, batch]. */
export function batchLast(image: Value): Value {
  const [batch, ...others] = image.shape;
  return turned(image) ?? (batch === 1 ? reshape(image, [...others, batch]) : transpose(image, LAST));
}

/** The inverse: what has the elements of [channels, h, w, batch] in that order as an image of a shape. */
export function batchFirst(columns: Value, [batch, ...others]: Shape): Value {
  return transpose(reshape(columns, [...others, batch]), FIRST);
}

/** What {@link batchFirst} made an image from; undefined for one that it did not make. */
function turned(image: Value): Value | undefined {
  const node = madeBy(image, transposeOp);
  return String(node?.attributes.perm) === String(FIRST) ? node?.inputs[0] : undefined;
}

/** The node that a value comes from, if that is one of an operator. */
function madeBy({ origin }: Value, { operator }: { readonly operator: Operator }): Node | undefined {
  return origin.kind === "node" && origin.node.operator === operator ? origin.node : undefined;
}

/**
 * How a node is written whose operator computes each element from those at the same place of its inputs: on inputs
 * that are not expanded to a shape to which they broadcast anyway, and in the layout in which images reach it.
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
  if (shape.length === 4 && operands.some(turned)) {
    const last = operands.map((value) => (value.shape.length === 0 ? value : batchLast(ofRank4(value))));
    return batchFirst(apply(operator, last, attributes)[0], shape);
  }
  const same = operands.every((value, i) => value === inputs[i]);
  return same ? undefined : apply(operator, operands, attributes)[0];
}

const shapesOf = (values: readonly Value[]) => values.map(({ shape }) => shape);

/** A value with the axes of extent 1 that broadcasting puts before its own. */
function ofRank4(value: Value): Value {
  return reshape(value, [...Array<1>(4 - value.shape.length).fill(1), ...value.shape]);
}

/** How a reduction over the batch and other axes is written: of an image that was turned, in the layout before that. */
export function lowerReduction(
  x: Value,
  y: Value,
  axes: readonly number[],
  reduce: (x: Value, axes: readonly number[]) => Value,
): Value | undefined {
  const last = axes.includes(0) ? turned(x) : undefined;
  return last && reshape(reduce(last, axes.map((axis) => LAST.indexOf(axis)).sort()), y.shape);
}
