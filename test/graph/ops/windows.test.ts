import { expect, test } from "vitest";
import {
  averagePool,
  conv,
  convTranspose,
  depthToSpace,
  type GeneralConvOptions,
  type GeneralConvTransposeOptions,
  globalAveragePool,
  globalLpPool,
  globalMaxPool,
  gradients,
  input,
  lpPool,
  maxPool,
  type PoolOptions,
  type Shape,
  spaceToDepth,
  sum,
  type Value,
} from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

const x = (shape: Shape) => input("x", "float32", shape);
const w = (shape: Shape) => input("w", "float32", shape);
const sizeOf = (shape: Shape) => shape.reduce<number>((size, dim) => size * Number(dim), 1);
const integers = (shape: Shape) => Array.from({ length: sizeOf(shape) }, (_, i) => ((7 * i) % 11) - 5);

async function run(y: Value, feeds: Record<string, number[]>) {
  const { y: found } = await evaluate({ y }, feeds);
  return { dims: found.dims, numbers: Array.from(found.data, Number) };
}

interface Layout {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number];
  readonly groups: number;
}

/**
 * Every product of a convolution, by the definition: the pixel of the large image [n, c, h, w], that of the small one
 * and the weight [small channel, large channel within its group, i, j], as indices.
 */
function* products(
  large: readonly number[],
  small: readonly number[],
  kernel: readonly number[],
  layout: Layout,
) {
  const { strides, dilations, pads, groups } = layout;
  const at = ([, c, h, w]: readonly number[], n: number, k: number, i: number, j: number) =>
    ((n * c + k) * h + i) * w + j;
  const [outs, ins] = [small[1] / groups, large[1] / groups];
  for (let n = 0; n < small[0]; n++)
    for (let b = 0; b < small[1]; b++)
      for (let a = 0; a < ins; a++)
        for (let i = 0; i < small[2]; i++)
          for (let j = 0; j < small[3]; j++)
            for (let u = 0; u < kernel[2]; u++)
              for (let v = 0; v < kernel[3]; v++) {
                const [y, x] = [
                  i * strides[0] + u * dilations[0] - pads[0],
                  j * strides[1] + v * dilations[1] - pads[1],
                ];
                if (y < 0 || x < 0 || y >= large[2] || x >= large[3]) continue;
                const channel = Math.floor(b / outs) * ins + a;
                yield [at(large, n, channel, y, x), at(small, n, b, i, j), at(kernel, b, a, u, v)] as const;
              }
}

const square: Layout = { strides: [1, 1], dilations: [1, 1], pads: [0, 0], groups: 1 };

test.each<[GeneralConvOptions, number[], number[], number[], Partial<Layout>]>([
  [{ groups: 2 }, [2, 4, 4, 3], [6, 2, 2, 2], [2, 6, 3, 2], { groups: 2 }],
  [
    { groups: 3, strides: [2, 1], pads: [1, 0, 0, 2] },
    [1, 3, 5, 4],
    [3, 1, 2, 3],
    [1, 3, 3, 4],
    { groups: 3, strides: [2, 1], pads: [1, 0] },
  ],
  [
    { dilations: [2, 3], pads: [0, 2, 3, 1] },
    [1, 2, 4, 5],
    [1, 2, 2, 3],
    [1, 1, 5, 2],
    { dilations: [2, 3], pads: [0, 2] },
  ],
  [
    { autoPad: "SAME_UPPER", strides: [2, 2] },
    [1, 1, 4, 5],
    [1, 1, 3, 3],
    [1, 1, 2, 3],
    { strides: [2, 2], pads: [0, 1] },
  ],
  [
    { autoPad: "SAME_LOWER", strides: [2, 2] },
    [1, 1, 4, 5],
    [1, 1, 3, 3],
    [1, 1, 2, 3],
    { strides: [2, 2], pads: [1, 1] },
  ],
  [{ autoPad: "VALID" }, [1, 1, 4, 5], [1, 1, 3, 3], [1, 1, 2, 3], {}],
])("conv %j of %j by %j", async (options, from, kernel, to, layout) => {
  const [image, weights] = [integers(from), integers(kernel)];
  const wanted = Array<number>(sizeOf(to)).fill(0);
  for (const [large, small, weight] of products(from, to, kernel, { ...square, ...layout }))
    wanted[small] += image[large] * weights[weight];
  const y = conv(x(["batch", ...from.slice(1)]), w(kernel), options);
  expect(await run(y, { x: image, w: weights })).toEqual({ dims: to, numbers: wanted });
});

test.each<[GeneralConvTransposeOptions, number[], number[], number[], Partial<Layout>]>([
  [{ groups: 2 }, [2, 4, 3, 2], [4, 3, 2, 2], [2, 6, 4, 3], { groups: 2 }],
  [
    { strides: [3, 2], pads: [1, 0, 0, 1], outputPadding: [2, 1] },
    [1, 2, 2, 3],
    [2, 1, 3, 3],
    [1, 1, 7, 7],
    { strides: [3, 2], pads: [1, 0] },
  ],
  [
    { strides: [2, 2], outputShape: [5, 4] },
    [1, 1, 2, 2],
    [1, 1, 4, 3],
    [1, 1, 5, 4],
    { strides: [2, 2], pads: [1, 1] },
  ],
  [{ strides: [2, 2], autoPad: "SAME_UPPER" }, [1, 1, 2, 3], [1, 1, 3, 3], [1, 1, 4, 6], { strides: [2, 2] }],
  [
    { strides: [2, 2], autoPad: "SAME_LOWER" },
    [1, 1, 2, 3],
    [1, 1, 3, 3],
    [1, 1, 4, 6],
    { strides: [2, 2], pads: [1, 1] },
  ],
  [
    { strides: [2, 1], outputShape: [1, 1, 6, 3] },
    [1, 1, 2, 2],
    [1, 1, 1, 2],
    [1, 1, 6, 3],
    { strides: [2, 1] },
  ],
])("convTranspose %j of %j by %j", async (options, from, kernel, to, layout) => {
  const [image, weights] = [integers(from), integers(kernel)];
  const wanted = Array<number>(sizeOf(to)).fill(0);
  for (const [large, small, weight] of products(to, from, kernel, { ...square, ...layout }))
    wanted[large] += image[small] * weights[weight];
  const y = convTranspose(x(["batch", ...from.slice(1)]), w(kernel), options);
  expect(await run(y, { x: image, w: weights })).toEqual({ dims: to, numbers: wanted });
});

test("signals are images one pixel high, and biases are added to all", async () => {
  const bias = input("b", "float32", [1]);
  const y = conv(x(["batch", 1, 4]), w([1, 1, 2]), { bias, strides: [2], pads: [1, 1] });
  expect(await run(y, { x: [1, 2, 3, 4], w: [1, 10], b: [100] })).toEqual({
    dims: [1, 1, 3],
    numbers: [110, 132, 104],
  });
  const grown = convTranspose(x(["batch", 1, 2]), w([1, 1, 1]), { bias, strides: [1], outputPadding: [2] });
  expect(await run(grown, { x: [1, 2], w: [3], b: [100] })).toEqual({
    dims: [1, 1, 4],
    numbers: [103, 106, 100, 100],
  });
});

test("what does not fit is refused", () => {
  const images = x(["batch", 4, 5, 5]);
  expect(() => conv(images, w([2, 1, 3, 3]), { groups: 2 })).toThrow(
    "Conv: the channels do not make 2 groups",
  );
  expect(() => conv(images, w([3, 2, 3, 3]), { groups: 2 })).toThrow(
    "Conv: the channels do not make 2 groups",
  );
  expect(() => convTranspose(images, w([4, 2, 3]))).toThrow("ConvTranspose: signals or images, and a kernel");
  expect(() => conv(images, w([1, 4, 3, 3]), { pads: [1, 1] })).toThrow("Conv: pads 1, 1 for 2 axes; give 4");
  expect(() => maxPool(x(["batch", 4, "h", "w"]), { kernel: [2, 2] })).toThrow(
    "MaxPool: batch, channels and 2 axes of known extent",
  );
});

/** Windows over one row, by the definition: places of the numbers that count, for each window. */
function windowsOver(
  n: number,
  [kernel, stride, dilation, before]: readonly number[],
  count: number,
): number[][] {
  return Array.from({ length: count }, (_, o) =>
    Array.from({ length: kernel }, (_, k) => o * stride + k * dilation - before).filter(
      (i) => i >= 0 && i < n,
    ),
  );
}

test.each<[PoolOptions, number[], number]>([
  [{ kernel: [2], strides: [2] }, [2, 2, 1, 0], 3],
  [{ kernel: [3], strides: [2], pads: [1, 1] }, [3, 2, 1, 1], 4],
  [{ kernel: [2], strides: [2], ceilMode: true }, [2, 2, 1, 0], 4],
  [{ kernel: [2], strides: [2], pads: [1, 1], ceilMode: true }, [2, 2, 1, 1], 4],
  [{ kernel: [3], dilations: [2] }, [3, 1, 2, 0], 3],
  [{ kernel: [3], strides: [3], autoPad: "SAME_UPPER" }, [3, 3, 1, 1], 3],
])("pools %j of seven numbers", async (options, layout, count) => {
  const numbers = [3, -1, 4, -1, 5, -9, 2];
  const windows = windowsOver(7, layout, count).map((places) => places.map((i) => numbers[i]));
  const signal = x(["batch", 1, 7]);
  const most = maxPool(signal, options);
  expect(await run(most.values, { x: numbers })).toEqual({
    dims: [1, 1, count],
    numbers: windows.map((all) => Math.max(...all)),
  });
  const places = await run(most.indices, { x: numbers });
  expect(places.numbers.map((i) => numbers[i])).toEqual(windows.map((all) => Math.max(...all)));
  const total = (all: readonly number[]) => all.reduce((sum, n) => sum + n, 0);
  const means = await run(averagePool(signal, options), { x: numbers });
  windows.forEach((all, i) => {
    expect(means.numbers[i]).toBeCloseTo(total(all) / all.length, 5);
  });
  const norms = await run(lpPool(signal, options), { x: numbers });
  windows.forEach((all, i) => {
    expect(norms.numbers[i]).toBeCloseTo(Math.sqrt(total(all.map((n) => n * n))), 5);
  });
});

test("padding counts in a mean if it is told to, but not what lies behind it", async () => {
  const options = { kernel: [3], strides: [2], pads: [1, 1], countIncludePad: true, ceilMode: true };
  const y = averagePool(x(["batch", 1, 4]), options);
  // Windows at -1, 1 and 3: the last has 4, padding, and nothing.
  const { numbers } = await run(y, { x: [1, 2, 3, 4] });
  [1, 3, 2].forEach((wanted, i) => {
    expect(numbers[i]).toBeCloseTo(wanted, 6);
  });
});

test("global pools", async () => {
  const images = x(["batch", 2, 1, 2]);
  const feeds = { x: [1, 3, -4, 3] };
  expect(await run(globalAveragePool(images), feeds)).toEqual({ dims: [1, 2, 1, 1], numbers: [2, -0.5] });
  expect(await run(globalMaxPool(images), feeds)).toEqual({ dims: [1, 2, 1, 1], numbers: [3, 3] });
  expect((await run(globalLpPool(images), feeds)).numbers[1]).toBe(5);
});

test("of equal numbers in a window the first gets the gradient", async () => {
  const signal = x(["batch", 1, 4]);
  const [dx] = gradients(sum(maxPool(signal, { kernel: [2], strides: [2] }).values), [signal]);
  expect((await run(dx, { x: [1, 1, 2, 2] })).numbers).toEqual([1, 0, 1, 0]);
});

test("blocks of pixels and channels", async () => {
  const deep = x(["batch", 4, 1, 2]);
  const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
  const wide = { dims: [1, 1, 2, 4], numbers: [0, 2, 1, 3, 4, 6, 5, 7] };
  expect(await run(depthToSpace(deep, 2), { x: numbers })).toEqual(wide);
  expect(await run(depthToSpace(deep, 2, "CRD"), { x: numbers })).toEqual(wide);
  expect(await run(spaceToDepth(x(["batch", 1, 2, 4]), 2), { x: wide.numbers })).toEqual({
    dims: [1, 4, 1, 2],
    numbers,
  });
  // ONNX's own example: two channels tell the orders apart.
  const two = x(["batch", 8, 1, 1]);
  expect((await run(depthToSpace(two, 2), { x: numbers })).numbers).toEqual([0, 2, 4, 6, 1, 3, 5, 7]);
  expect((await run(depthToSpace(two, 2, "CRD"), { x: numbers })).numbers).toEqual(numbers);
  expect(() => depthToSpace(deep, 3)).toThrow(
    "DepthToSpace: blocks of 3 need channels by 9: [batch, 4, 1, 2]",
  );
  expect(() => spaceToDepth(deep, 2)).toThrow("SpaceToDepth: blocks of 2 do not fill the image");
});
