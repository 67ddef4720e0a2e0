import { expect, test } from "vitest";
import {
  expand,
  flatten,
  input,
  type Pads,
  pad,
  repeatEach,
  scalar,
  slice,
  squeeze,
  tile,
  unsqueeze,
  type Value,
} from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

const FAR = 2 ** 31 - 1;
const count = (length: number) => Array.from({ length }, (_, i) => i);

async function run(y: Value, x: readonly number[]) {
  const result = await evaluate({ y }, { x });
  return { dims: result.y.dims, numbers: Array.from(result.y.data, Number) };
}

/** Python's x[start:end:step] of 0, 1, … n - 1, by its own rules. */
function python(n: number, start: number, end: number, step: number): number[] {
  const at = (i: number) => (i < 0 ? i + n : i);
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const cut = (i: number) => Math.min(Math.max(i, low), high);
  const taken: number[] = [];
  for (let i = cut(at(start)); step > 0 ? i < cut(at(end)) : i > cut(at(end)); i += step) taken.push(i);
  return taken;
}

test("slices are Python's, for every start, end and step", async () => {
  const x = input("x", "float32", [5]);
  const outputs: Record<string, Value> = {};
  const wanted: Record<string, number[]> = {};
  for (const start of [-7, -5, -2, 0, 1, 4, 5, 9])
    for (const end of [-FAR, -6, -1, 0, 2, 5, FAR])
      for (const step of [-3, -1, 1, 2]) {
        const name = `${start}:${end}:${step}`;
        wanted[name] = python(5, start, end, step);
        const y = slice(x, [{ axis: 0, start, end, step }]);
        expect(y.shape, name).toEqual([wanted[name].length]);
        outputs[name] = y;
      }
  const found = await evaluate(outputs, { x: count(5) });
  for (const name of Object.keys(outputs))
    expect(Array.from(found[name].data, Number), name).toEqual(wanted[name]);
});

test("a symbolic axis is sliced as far as is known what is left", async () => {
  const x = input("x", "float32", ["batch", 2]);
  const tail = slice(x, [{ axis: 0, start: 1, end: FAR, extent: "rest" }]);
  expect(tail.shape).toEqual(["rest", 2]);
  expect(await run(tail, [1, 2, 3, 4, 5, 6])).toEqual({ dims: [2, 2], numbers: [3, 4, 5, 6] });
  expect(slice(x, [{ axis: 0, start: 0, end: FAR }])).toBe(x);
  expect(() => slice(x, [{ axis: 0, start: 1, end: FAR }])).toThrow(
    "Slice: how much 1:2147483647 is of axis 0 is not known: [batch, 2]",
  );
  expect(() => slice(x, [{ axis: 1, start: 0, end: 2, step: 0 }])).toThrow("Slice: step 0");
});

/** Where the elements before and after an axis of extent n come from, element by element. */
const sources = {
  reflect: (n: number, i: number) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i),
  edge: (n: number, i: number) => Math.min(Math.max(i, 0), n - 1),
  wrap: (n: number, i: number) => (i + n) % n,
  constant: (n: number, i: number) => (i < 0 || i >= n ? Number.NaN : i),
} as const;

test.each(["reflect", "edge", "wrap", "constant"] as const)("padding, mode %s", async (mode) => {
  const x = input("x", "float32", ["batch", 3, 4]);
  const pads: Pads = [
    [0, 0],
    [2, 1],
    [-1, 2],
  ];
  const y = pad(x, pads, mode, 7);
  expect(y.shape).toEqual(["batch", 6, 5]);
  const numbers = count(24);
  const wanted: number[] = [];
  for (const n of [0, 1])
    for (let i = -2; i < 4; i++)
      for (let j = -1; j < 4; j++) {
        // The first column is taken away before anything is added.
        const at = [sources[mode](3, i), sources[mode](3, j + 1) + 1];
        wanted.push(at.some(Number.isNaN) ? 7 : numbers[n * 12 + at[0] * 4 + at[1]]);
      }
  expect(await run(y, numbers)).toEqual({ dims: [2, 6, 5], numbers: wanted });
});

test("padding that is not possible is refused", () => {
  const x = input("x", "float32", ["batch", 2]);
  expect(() =>
    pad(x, [
      [1, 0],
      [0, 0],
    ]),
  ).toThrow("Pad: axis 0 is symbolic and cannot grow by 1: [batch, 2]");
  expect(() =>
    pad(
      x,
      [
        [0, 0],
        [2, 0],
      ],
      "reflect",
    ),
  ).toThrow("Pad: axis 1 is too short for mode reflect, 2 and 0: [batch, 2]");
  expect(() =>
    pad(
      x,
      [
        [0, 0],
        [1, 0],
      ],
      "constant",
      scalar(1, "float64"),
    ),
  ).toThrow("Pad: dtypes differ: float32 and float64");
});

test("axes come and go, and elements are repeated", async () => {
  const x = input("x", "float32", ["batch", 1, 2]);
  expect(await run(squeeze(x), [1, 2, 3, 4])).toEqual({ dims: [2, 2], numbers: [1, 2, 3, 4] });
  expect(await run(unsqueeze(x, [0, -1]), [1, 2])).toEqual({ dims: [1, 1, 1, 2, 1], numbers: [1, 2] });
  expect(await run(flatten(x, 2), [1, 2, 3, 4])).toEqual({ dims: [2, 2], numbers: [1, 2, 3, 4] });
  expect(await run(expand(x, ["batch", 2, 2]), [1, 2, 3, 4])).toEqual({
    dims: [2, 2, 2],
    numbers: [1, 2, 1, 2, 3, 4, 3, 4],
  });
  expect(await run(tile(x, [2, 1, 2]), [1, 2])).toEqual({
    dims: [2, 1, 4],
    numbers: [1, 2, 1, 2, 1, 2, 1, 2],
  });
  expect(tile(x, [2, 1, 2]).shape).toEqual(["2*batch", 1, 4]);
  expect(await run(repeatEach(x, [1, 2, 2]), [1, 2])).toEqual({
    dims: [1, 2, 4],
    numbers: [1, 1, 2, 2, 1, 1, 2, 2],
  });
  expect(() => squeeze(x, [2])).toThrow("Squeeze: axes 2 are not all of extent 1: [batch, 1, 2]");
  expect(() => expand(x, ["batch", "batch", 2])).toThrow("Expand: the extent batch is not known");
  expect(() => expand(x, [3, 1, 2])).toThrow("Expand: the first does not broadcast to the second");
});
