import { type Dim, productOf, type Shape, sameShape, shapeError } from "../dims.js";
import { int64s, type Value } from "../value.js";
import { reshape } from "./reshape.js";
import { expandOp } from "./shape.js";

/**
 * Repeat x along its dimensions of extent 1, and along new leading dimensions. A symbolic dimension must already be in
 * x, at the same position; {@link expandLike} takes other symbolic dimensions from a value.
 * https://onnx.ai/onnx/operators/onnx__Expand.html
 */
export function expand(x: Value, to: Shape): Value {
  if (sameShape(x.shape, to)) return x;
  const own = (axis: number): Dim => x.shape[axis - to.length + x.shape.length] ?? 1;
  const fits = to.length >= x.shape.length && to.every((dim, axis) => dim === own(axis) || own(axis) === 1);
  if (!fits) throw shapeError("Expand", "the first does not broadcast to the second", [x.shape, to]);
  const target = to.map((dim, axis) => {
    if (dim === own(axis)) return 1; // 1 keeps the extent, also a symbolic one.
    if (typeof dim === "number") return dim;
    throw shapeError("Expand", `the extent ${dim} is not known`, [x.shape, to]);
  });
  return expandOp(x, int64s(target), { to });
}

function times(dim: Dim, count: number): Dim {
  return productOf([count, dim]);
}

/** Repeat the whole of x along each axis. https://onnx.ai/onnx/operators/onnx__Tile.html */
export function tile(x: Value, repeats: readonly number[]): Value {
  return repeats.reduce((y, count, axis) => {
    const shape = y.shape;
    if (count === 1) return y;
    if (shape[axis] === 1) return expand(y, shape.with(axis, count));
    const apart = reshape(y, shape.toSpliced(axis, 0, 1));
    return reshape(
      expand(apart, shape.toSpliced(axis, 0, count)),
      shape.with(axis, times(shape[axis], count)),
    );
  }, x);
}

/** Repeat each element of x along each axis (nearest-neighbour upsampling). */
export function repeatEach(x: Value, repeats: readonly number[]): Value {
  if (repeats.every((count) => count === 1)) return x;
  const apart = x.shape.flatMap((dim, axis) => (repeats[axis] === 1 ? [dim] : [dim, 1]));
  const filled = x.shape.flatMap((dim, axis) => (repeats[axis] === 1 ? [dim] : [dim, repeats[axis]]));
  return reshape(
    expand(reshape(x, apart), filled),
    x.shape.map((dim, axis) => times(dim, repeats[axis])),
  );
}
