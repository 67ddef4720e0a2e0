import { GanOnnxError } from "../../error.js";
import { elementsOf } from "../../tensors/tensor.js";
import { shapeError } from "../dims.js";
import { constant, int64s, type Value } from "../value.js";
import { gather } from "./gather.js";
import { normalizeAxis } from "./infer.js";
import { matmul } from "./matmul.js";
import { reshape, transpose } from "./reshape.js";
import { repeatEach } from "./tile.js";

/** How positions in the result map to positions in x: ONNX's `coordinate_transformation_mode`. */
export type CoordinateMode =
  | "half_pixel"
  | "half_pixel_symmetric"
  | "pytorch_half_pixel"
  | "align_corners"
  | "asymmetric"
  | "tf_half_pixel_for_nn";

/** Which neighbour is the nearest: ONNX's `nearest_mode`. */
export type NearestMode = "round_prefer_floor" | "round_prefer_ceil" | "floor" | "ceil";

/** One axis and its new extent. */
export interface ResizedAxis {
  readonly axis: number;
  readonly size: number;
  /** The ratio of result to x, if it is not the ratio of their extents: ONNX's `scales`. */
  readonly scale?: number;
}

/** ONNX's attributes, with their defaults. */
export interface ResizeOptions {
  readonly mode?: "nearest" | "linear" | "cubic";
  readonly coordinates?: CoordinateMode;
  readonly nearest?: NearestMode;
  /** The coefficient a of cubic interpolation. */
  readonly cubicCoefficient?: number;
  /** Neighbours outside x get weight 0, and the other weights sum to 1. Otherwise the border is repeated. */
  readonly excludeOutside?: boolean;
  /** Widen the filter when x shrinks. */
  readonly antialias?: boolean;
}

type Place = (o: number, scale: number, size: number, extent: number) => number;

const places: Readonly<Record<CoordinateMode, Place>> = {
  half_pixel: (o, scale) => (o + 0.5) / scale - 0.5,
  half_pixel_symmetric: (o, scale, size, extent) =>
    (extent / 2) * (1 - size / (extent * scale)) + (o + 0.5) / scale - 0.5,
  pytorch_half_pixel: (o, scale, size) => (size > 1 ? (o + 0.5) / scale - 0.5 : 0),
  align_corners: (o, _, size, extent) => (size > 1 ? (o * (extent - 1)) / (size - 1) : 0),
  asymmetric: (o, scale) => o / scale,
  tf_half_pixel_for_nn: (o, scale) => (o + 0.5) / scale,
};

const rounded: Readonly<Record<NearestMode, (at: number) => number>> = {
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** The weight of a neighbour at a distance: a triangle, or the cubic convolution of Keys 1981. */
const filters = {
  linear: { reach: 1, weight: (t: number) => Math.max(0, 1 - t) },
  cubic: {
    reach: 2,
    weight: (t: number, a: number) => {
      if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
      return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
    },
  },
} as const;

/**
 * Change the extents of some axes by interpolation along each axis. https://onnx.ai/onnx/operators/onnx__Resize.html
 * (without a region of interest)
 *
 * @throws {@link GanOnnxError} when an axis is symbolic, or its new extent is not a whole number above 0.
 */
export function resize(x: Value, axes: readonly ResizedAxis[], options: ResizeOptions = {}): Value {
  return axes.reduce((y, axis) => resizeAxis(y, axis, options), x);
}

function resizeAxis(
  x: Value,
  { axis: given, size, scale: wanted }: ResizedAxis,
  options: ResizeOptions,
): Value {
  const axis = normalizeAxis("Resize", given, x.shape.length);
  const extent = x.shape[axis];
  if (typeof extent !== "number") throw shapeError("Resize", `axis ${axis} is symbolic`, [x.shape]);
  if (!Number.isInteger(size) || size < 1) {
    throw new GanOnnxError({
      what: `size ${size} of axis ${axis}`,
      where: "Resize",
      fix: "choose a whole number",
    });
  }
  const scale = wanted ?? size / extent;
  const { mode = "nearest", coordinates = "half_pixel", nearest = "round_prefer_floor" } = options;
  const at = Array.from({ length: size }, (_, o) => places[coordinates](o, scale, size, extent));
  if (mode === "nearest") {
    return picked(
      x,
      axis,
      extent,
      at.map((place) => Math.min(Math.max(rounded[nearest](place), 0), extent - 1)),
    );
  }
  const rows = at.map((place) => weightsAt(place, extent, scale, mode, options));
  const same = rows.every((row, o) => row.every((weight, i) => weight === Number(i === o)));
  return same && size === extent ? x : interpolated(x, axis, rows);
}

/** Gather elements of an axis by index. If every element is repeated equally often, no Gather is needed. */
function picked(x: Value, axis: number, extent: number, from: readonly number[]): Value {
  const times = from.length / extent;
  if (Number.isInteger(times) && from.every((i, o) => i === Math.floor(o / times))) {
    return repeatEach(
      x,
      x.shape.map((_, i) => (i === axis ? times : 1)),
    );
  }
  return gather(x, int64s(from), axis);
}

/** The weights of all elements of an axis for one element of the result. */
function weightsAt(
  place: number,
  extent: number,
  scale: number,
  mode: "linear" | "cubic",
  { cubicCoefficient = -0.75, excludeOutside = false, antialias = false }: ResizeOptions,
): readonly number[] {
  const { reach, weight } = filters[mode];
  const narrow = antialias ? Math.min(scale, 1) : 1;
  const first = Math.floor(place - reach / narrow);
  const last = Math.ceil(place + reach / narrow);
  const row = Array<number>(extent).fill(0);
  let total = 0;
  for (let i = first; i <= last; i++) {
    if (excludeOutside && (i < 0 || i >= extent)) continue;
    const share = weight(Math.abs(i - place) * narrow, cubicCoefficient);
    row[Math.min(Math.max(i, 0), extent - 1)] += share;
    total += share;
  }
  return row.map((share) => share / total);
}

/** Interpolate an axis: each element is a weighted sum of elements of x, written as a matrix product. */
function interpolated(x: Value, axis: number, rows: readonly (readonly number[])[]): Value {
  const matrix = (shape: readonly number[], numbers: readonly number[]) =>
    constant(x.dtype, shape, elementsOf(x.dtype, numbers));
  const [size, extent] = [rows.length, rows[0].length];
  const left = matrix([size, extent], rows.flat());
  const rank = x.shape.length;
  if (axis === rank - 2) return matmul(left, x);
  if (axis === rank - 1) {
    const turned = Array.from({ length: extent }, (_, i) => rows.map((row) => row[i]));
    return matmul(x, matrix([extent, size], turned.flat()));
  }
  const order = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const perm = [...order.slice(0, -1), axis, ...order.slice(-1)];
  return transpose(
    matmul(left, transpose(x, perm)),
    perm.map((_, i) => perm.indexOf(i)),
  );
}

/** The order of block pixels in the channels: depth-column-row, or column-row-depth. */
export type BlockOrder = "DCR" | "CRD";

/**
 * Move channels to blocks of pixels: [batch, c·b², h, w] to [batch, c, h·b, w·b]. torch.nn.PixelShuffle is CRD.
 * https://onnx.ai/onnx/operators/onnx__DepthToSpace.html
 */
export function depthToSpace(x: Value, block: number, order: BlockOrder = "DCR"): Value {
  const [batch, depth, h, w] = imageShape("DepthToSpace", x);
  const c = depth / block ** 2;
  if (!Number.isInteger(c))
    throw shapeError("DepthToSpace", `blocks of ${block} need channels by ${block ** 2}`, [x.shape]);
  const split = order === "DCR" ? [batch, block, block, c, h, w] : [batch, c, block, block, h, w];
  const turned = transpose(reshape(x, split), order === "DCR" ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]);
  return reshape(turned, [batch, c, h * block, w * block]);
}

/**
 * Move blocks of pixels to channels: [batch, c, h·b, w·b] to [batch, b²·c, h, w]. The inverse is depthToSpace with DCR.
 * https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html
 */
export function spaceToDepth(x: Value, block: number): Value {
  const [batch, c, height, width] = imageShape("SpaceToDepth", x);
  const [h, w] = [height / block, width / block];
  if (!Number.isInteger(h) || !Number.isInteger(w)) {
    throw shapeError("SpaceToDepth", `blocks of ${block} do not fill the image`, [x.shape]);
  }
  const turned = transpose(reshape(x, [batch, c, h, block, w, block]), [0, 3, 5, 1, 2, 4]);
  return reshape(turned, [batch, c * block ** 2, h, w]);
}

function imageShape(
  where: string,
  { shape }: Value,
): readonly [Value["shape"][number], number, number, number] {
  const [batch, ...others] = shape;
  if (others.length === 3 && others.every((dim) => typeof dim === "number")) {
    return [batch, ...(others as [number, number, number])];
  }
  throw shapeError(where, "images [batch, channels, h, w] of known extents are needed", [shape]);
}
