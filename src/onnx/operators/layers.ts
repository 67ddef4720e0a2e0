import type { Dim, Shape } from "../../graph/dims.js";
import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rules } from "../call.js";
import { dimsIn } from "./shapes.js";

/** Operators of common layers: products, convolutions, pools, resizing. */
export const layers: Rules = {
  MatMul: (call) => graph.matmul(call.input(0), call.input(1)),
  Gemm: (call) =>
    graph.gemm(call.input(0), call.input(1), {
      c: call.optional(2),
      alpha: call.float("alpha", 1),
      beta: call.float("beta", 1),
      transA: call.int("transA", 0) === 1,
      transB: call.int("transB", 0) === 1,
    }),
  Einsum: (call) =>
    graph.einsum(
      call.required("equation", "string"),
      call.values.map((_, i) => call.input(i)),
    ),
  Conv: (call) =>
    graph.conv(call.input(0), call.input(1), {
      ...windowsOf(call),
      bias: call.optional(2),
      groups: call.int("group", 1),
    }),
  ConvTranspose: (call) =>
    graph.convTranspose(call.input(0), call.input(1), {
      ...windowsOf(call),
      bias: call.optional(2),
      groups: call.int("group", 1),
      outputPadding: call.ints("output_padding"),
      outputShape: call.ints("output_shape"),
    }),
  MaxPool: (call) => {
    if (call.int("storage_order", 0) !== 0) call.fail("storage_order is 1");
    const { values, indices } = graph.maxPool(call.input(0), poolOf(call));
    return [values, indices];
  },
  AveragePool: (call) =>
    graph.averagePool(call.input(0), {
      ...poolOf(call),
      countIncludePad: call.int("count_include_pad", 0) === 1,
    }),
  LpPool: (call) => graph.lpPool(call.input(0), { ...poolOf(call), p: call.int("p", 2) }),
  GlobalAveragePool: (call) => graph.globalAveragePool(call.input(0)),
  GlobalMaxPool: (call) => graph.globalMaxPool(call.input(0)),
  GlobalLpPool: (call) => graph.globalLpPool(call.input(0), call.int("p", 2)),
  Resize: resize,
  Upsample: upsample,
  DepthToSpace: (call) => {
    const order = call.string("mode", "DCR");
    if (order !== "DCR" && order !== "CRD") return call.fail(`the mode ${order} is not known`);
    return graph.depthToSpace(call.input(0), call.required("blocksize", "int"), order);
  },
  SpaceToDepth: (call) => graph.spaceToDepth(call.input(0), call.required("blocksize", "int")),
  Dropout: (call) => {
    if (call.opset >= 12 && call.optional(2)) call.note("Dropout passes everything on, in training too");
    const x = call.input(0);
    return [x, graph.cast(graph.onesLike(x), { to: "bool" })];
  },
  SoftmaxCrossEntropyLoss: (call) => {
    const { loss, logarithms } = graph.softmaxCrossEntropy(call.input(0), call.input(1), lossOf(call));
    return [loss, logarithms];
  },
  NegativeLogLikelihoodLoss: (call) =>
    graph.negativeLogLikelihood(call.input(0), call.input(1), lossOf(call)),
};

function windowsOf(call: Call) {
  const autoPad = call.string("auto_pad", "NOTSET");
  if (autoPad !== "NOTSET" && autoPad !== "VALID" && autoPad !== "SAME_UPPER" && autoPad !== "SAME_LOWER")
    return call.fail(`auto_pad ${autoPad} is not known`);
  const explicit = autoPad === "NOTSET" ? call.ints("pads") : undefined;
  return {
    strides: call.ints("strides"),
    dilations: call.ints("dilations"),
    pads: explicit,
    autoPad,
  } as const;
}

function poolOf(call: Call) {
  return {
    ...windowsOf(call),
    kernel: call.required("kernel_shape", "ints"),
    ceilMode: call.int("ceil_mode", 0) === 1,
  };
}

function lossOf(call: Call): graph.ClassLossOptions {
  const reduction = call.string("reduction", "mean");
  if (reduction !== "mean" && reduction !== "sum" && reduction !== "none")
    return call.fail(`the reduction ${reduction} is not known`);
  return { weight: call.optional(2), ignoreIndex: call.attribute("ignore_index", "int"), reduction };
}

/** https://onnx.ai/onnx/operators/onnx__Resize.html. In opset 10, scales are the second input, as in Upsample. */
function resize(call: Call): Value {
  if (call.opset < 11) return upsample(call);
  const x = call.input(0);
  const scales = call.numbers(2, "scales");
  const target = call.optional(3);
  const sizes = target && dimsIn(call, target);
  const axes = (call.attribute("axes", "ints") ?? x.shape.map((_, axis) => axis)).map((axis) =>
    axis < 0 ? axis + x.shape.length : axis,
  );
  const policy = call.string("keep_aspect_ratio_policy", "stretch");
  const coordinates = call.string("coordinate_transformation_mode", "half_pixel");
  if (coordinates === "tf_crop_and_resize") return call.fail(`the mode ${coordinates} is not supported`);
  const targets = scales?.length
    ? axes.map((axis, i) => scaled(call, x, axis, scales[i]))
    : fitted(x, axes, sizes ?? call.fail("scales and sizes are missing"), policy);
  return graph.resize(x, changed(call, x, targets), {
    mode: modeOf(call),
    coordinates: coordinates as graph.CoordinateMode,
    nearest: call.string("nearest_mode", "round_prefer_floor") as graph.NearestMode,
    cubicCoefficient: call.float("cubic_coeff_a", -0.75),
    excludeOutside: call.int("exclude_outside", 0) === 1,
    antialias: call.int("antialias", 0) === 1,
  });
}

type Target = { axis: number; size: Dim; scale?: number };

/** The axes whose extents change. Their extents must be known. */
function changed(call: Call, x: Value, targets: readonly Target[]): graph.ResizedAxis[] {
  return targets.flatMap(({ axis, size, scale }) => {
    if (size === x.shape[axis]) return [];
    if (typeof size === "number") return [{ axis, size, scale }];
    return call.fail(`axis ${axis} is resized to ${size}, which is not known`);
  });
}

function scaled(call: Call, x: Value, axis: number, scale: number): Target {
  const extent = x.shape[axis];
  if (scale === 1) return { axis, size: extent };
  if (typeof extent !== "number") return call.fail(`axis ${axis} is resized, and its extent is not known`);
  return { axis, size: Math.floor(extent * scale), scale };
}

/** The given sizes, or sizes that keep the ratio of the axes, inside or outside of the given ones. */
function fitted(x: Value, axes: readonly number[], sizes: Shape, policy: string): Target[] {
  if (policy === "stretch") return axes.map((axis, i) => ({ axis, size: sizes[i] }));
  const ratios = axes.map((axis, i) => Number(sizes[i]) / Number(x.shape[axis]));
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map((axis) => ({ axis, size: Math.round(Number(x.shape[axis]) * scale), scale }));
}

function modeOf(call: Call): "nearest" | "linear" | "cubic" {
  const mode = call.string("mode", "nearest");
  if (mode === "bilinear") return "linear";
  return mode === "nearest" || mode === "linear" || mode === "cubic"
    ? mode
    : call.fail(`the mode ${mode} is not known`);
}

/** Resize before opset 11. https://onnx.ai/onnx/operators/onnx__Upsample.html */
function upsample(call: Call): Value {
  const x = call.input(0);
  const scales =
    (call.opset < 9 ? call.attribute("scales", "floats") : call.numbers(1, "scales")) ??
    call.fail("the scales are missing");
  const targets = scales.map((scale, axis) => scaled(call, x, axis, scale));
  return graph.resize(x, changed(call, x, targets), {
    mode: modeOf(call),
    coordinates: "asymmetric",
    nearest: "floor",
  });
}
