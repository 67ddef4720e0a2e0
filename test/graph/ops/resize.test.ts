import { expect, test } from "vitest";
import { input, type ResizeOptions, resize } from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

// Examples of https://onnx.ai/onnx/operators/onnx__Resize.html
const x = input("x", "float32", ["batch", 1, 4, 4]);
const numbers = Array.from({ length: 16 }, (_, i) => i + 1);

async function resized(axes: Parameters<typeof resize>[1], options: ResizeOptions, from = x, feed = numbers) {
  const { y } = await evaluate({ y: resize(from, axes, options) }, { x: feed });
  return { dims: y.dims, numbers: Array.from(y.data, Number) };
}

const both = (size: number, scale?: number) => [2, 3].map((axis) => ({ axis, size, scale }));

test.each<[string, Parameters<typeof resize>[1], ResizeOptions, number[]]>([
  ["nearest, 0.6", both(2, 0.6), {}, [1, 3, 9, 11]],
  ["linear, 0.6", both(2, 0.6), { mode: "linear" }, [2.6666665, 4.3333331, 9.333333, 11]],
  [
    "linear, 0.6, corners stay",
    both(2, 0.6),
    { mode: "linear", coordinates: "align_corners" },
    [1, 4, 13, 16],
  ],
  [
    "cubic, 0.8",
    both(3, 0.8),
    { mode: "cubic" },
    [
      1.47119141, 2.78125, 4.08251953, 6.71142578, 8.02148438, 9.32275391, 11.91650391, 13.2265625,
      14.52783203,
    ],
  ],
  ["linear, antialias, 0.6", both(2, 0.6), { mode: "linear", antialias: true }, [2.875, 4.5, 9.375, 11]],
  [
    "cubic, antialias, 0.6",
    both(2, 0.6),
    { mode: "cubic", antialias: true },
    [2.5180721, 4.2858863, 9.589329, 11.357142],
  ],
  [
    "linear, 3 by 3, PyTorch's pixels",
    both(3),
    { mode: "linear", coordinates: "pytorch_half_pixel" },
    [1.833333, 3.166667, 4.5, 7.166667, 8.5, 9.833333, 12.5, 13.833333, 15.166667],
  ],
])("%s", async (_, axes, options, wanted) => {
  const found = await resized(axes, options);
  expect(found.dims).toEqual([1, 1, axes[0].size, axes[1].size]);
  found.numbers.forEach((number, i) => {
    expect(number).toBeCloseTo(wanted[i], 4);
  });
});

test("enlarged", async () => {
  const small = input("x", "float32", ["batch", 1, 2, 2]);
  const four = [1, 2, 3, 4];
  expect((await resized(both(4), { mode: "linear" }, small, four)).numbers).toEqual([
    1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4,
  ]);
  const corners = await resized(both(4), { mode: "linear", coordinates: "align_corners" }, small, four);
  [1, 4 / 3, 5 / 3, 2, 5 / 3, 2, 7 / 3, 8 / 3].forEach((wanted, i) => {
    expect(corners.numbers[i]).toBeCloseTo(wanted, 6);
  });
  expect(
    (
      await resized(
        [
          { axis: 2, size: 4 },
          { axis: 3, size: 6 },
        ],
        {},
        small,
        four,
      )
    ).numbers,
  ).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4]);
  const row = input("x", "float32", [3]);
  const rows = async (options: ResizeOptions, size = 5) =>
    (await resized([{ axis: 0, size }], { coordinates: "asymmetric", ...options }, row, [0, 1, 2])).numbers;
  // At 0, 0.6, 1.2, 1.8, 2.4.
  expect(await rows({ nearest: "floor" })).toEqual([0, 0, 1, 1, 2]);
  expect(await rows({ nearest: "ceil" })).toEqual([0, 1, 2, 2, 2]);
  expect(await rows({ nearest: "round_prefer_floor" })).toEqual([0, 1, 1, 2, 2]);
  // At 0, 0.5, 1, …
  expect(await rows({ nearest: "round_prefer_floor" }, 6)).toEqual([0, 0, 1, 1, 2, 2]);
  expect(await rows({ nearest: "round_prefer_ceil" }, 6)).toEqual([0, 1, 1, 2, 2, 2]);
});

test("what stays as it is costs nothing, and what cannot be is refused", () => {
  expect(resize(x, both(4), { mode: "linear" })).toBe(x);
  expect(resize(x, both(4))).toBe(x);
  expect(() => resize(x, [{ axis: 0, size: 2 }])).toThrow("Resize: axis 0 is symbolic: [batch, 1, 4, 4]");
  expect(() => resize(x, [{ axis: 2, size: 0 }])).toThrow("Resize: size 0 of axis 2");
});
