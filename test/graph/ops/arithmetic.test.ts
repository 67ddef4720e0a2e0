import { expect, test } from "vitest";
import {
  acos,
  acosh,
  and,
  asin,
  asinh,
  atan,
  atanh,
  cast,
  ceil,
  clip,
  constant,
  cos,
  cosh,
  erf,
  floor,
  gradients,
  greaterOrEqual,
  input,
  isInfOp,
  isNaNOp,
  less,
  lessOrEqual,
  maximum,
  maximumOf,
  meanOf,
  minimum,
  minimumOf,
  modOp,
  not,
  or,
  pow,
  reciprocal,
  round,
  sin,
  sinh,
  sqrt,
  sum,
  sumOf,
  tan,
  type Value,
  where,
  xor,
} from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

const x = input("x", "float32", ["n"]);
const b = input("b", "float32", ["n"]);

/** What each function of x and b gives for pairs of numbers, in one run. */
async function results(functions: Readonly<Record<string, Value>>, xs: readonly number[], bs = xs) {
  const outputs = Object.fromEntries(
    Object.entries(functions).map(([name, y]) => [name, y.dtype === "bool" ? cast(y, { to: "float32" }) : y]),
  );
  const found = await evaluate(outputs, { x: xs, b: bs });
  return Object.fromEntries(
    Object.entries(found).map(([name, { data }]) => [name, Array.from(data, Number)]),
  );
}

/** ∂Σy/∂x at some numbers. */
async function slopes(y: Value, xs: readonly number[]): Promise<number[]> {
  return (await results({ dx: gradients(sum(y), [x])[0] }, xs)).dx;
}

test("functions of one number agree with JavaScript's", async () => {
  const exact: Record<string, [Value, (x: number) => number]> = {
    sin: [sin(x), Math.sin],
    cos: [cos(x), Math.cos],
    tan: [tan(x), Math.tan],
    asin: [asin(x), Math.asin],
    acos: [acos(x), Math.acos],
    atan: [atan(x), Math.atan],
    sinh: [sinh(x), Math.sinh],
    cosh: [cosh(x), Math.cosh],
    asinh: [asinh(x), Math.asinh],
    acosh: [acosh(x), Math.acosh],
    atanh: [atanh(x), Math.atanh],
    floor: [floor(x), Math.floor],
    ceil: [ceil(x), Math.ceil],
    reciprocal: [reciprocal(x), (x) => 1 / x],
    clip: [clip(x, -0.5, 0.75), (x) => Math.min(Math.max(x, -0.5), 0.75)],
    cube: [pow(x, 3), (x) => x ** 3],
    root: [pow(x, 0.5), Math.sqrt],
    fifth: [pow(x, 5), (x) => x ** 5],
    inverse: [pow(x, -1), (x) => 1 / x],
  };
  const numbers = [-2.5, -1, -0.75, -0.1, 0, 0.3, 0.5, 1, 1.5, 3];
  const found = await results(
    Object.fromEntries(Object.entries(exact).map(([name, [y]]) => [name, y])),
    numbers,
  );
  for (const [name, [, f]] of Object.entries(exact)) {
    for (const [i, number] of numbers.entries()) {
      const wanted = f(Math.fround(number));
      const message = `${name} of ${number}: ${found[name][i]}, not ${wanted}`;
      if (Number.isFinite(wanted))
        expect(Math.abs(found[name][i] - wanted), message).toBeLessThan(2e-6 * Math.max(1, Math.abs(wanted)));
      else expect(found[name][i], message).toBe(wanted);
    }
  }
});

test("erf is the error function, and halves round to even numbers", async () => {
  const { y } = await results({ y: erf(x) }, [-1, 0, 0.5, 2]);
  [-0.8427007929, 0, 0.5204998778, 0.995322265].forEach((wanted, i) => {
    expect(y[i]).toBeCloseTo(wanted, 6);
  });
  expect((await results({ y: round(x) }, [-1.5, -0.5, 0.5, 1.5, 2.5, 2.6])).y.map((n) => n + 0)).toEqual([
    -2, 0, 0, 2, 2, 3,
  ]);
});

test("functions of several", async () => {
  const third = constant("float32", [1], Float32Array.of(1));
  const [xs, bs] = [
    [5, -5, 2, 0],
    [3, 3, -2, 1],
  ];
  const c = input("c", "int64", ["n"]);
  const found = await evaluate(
    {
      fmod: modOp(x, b, { fmod: 1 }),
      python: modOp(cast(x, { to: "int64" }), c, { fmod: 0 }),
      min: minimum(x, b),
      most: maximumOf([x, b, third]),
      least: minimumOf([x, b, third]),
      total: sumOf([x, b, third]),
      mean: meanOf([x, b, third]),
      power: pow(b, c),
    },
    { x: xs, b: bs, c: bs },
  );
  const numbers = Object.fromEntries(
    Object.entries(found).map(([k, { data }]) => [k, Array.from(data, Number).map((n) => n + 0)]),
  );
  expect(numbers).toEqual({
    fmod: [2, -2, 0, 0],
    python: [2, 1, 0, 0],
    min: [3, -5, -2, 0],
    most: [5, 3, 2, 1],
    least: [1, -5, -2, 0],
    total: [9, -1, 1, 2],
    mean: [9, -1, 1, 2].map((n) => Math.fround(n / 3)),
    power: [27, 27, 0.25, 1],
  });
});

test("comparisons and connectives", async () => {
  const [negative, big] = [less(x, 0), greaterOrEqual(b, 1)];
  const found = await results(
    {
      less: less(x, b),
      lessOrEqual: lessOrEqual(x, b),
      greaterOrEqual: greaterOrEqual(x, b),
      and: and(negative, big),
      or: or(negative, big),
      xor: xor(negative, big),
      not: not(negative),
      nan: isNaNOp(sqrt(x)),
      infinite: isInfOp(reciprocal(x), { detect_negative: 0, detect_positive: 1 }),
    },
    [-1, 0, 1, 2],
    [1, 0, 0, 3],
  );
  expect(found).toEqual({
    less: [1, 0, 0, 1],
    lessOrEqual: [1, 1, 0, 1],
    greaterOrEqual: [0, 1, 1, 0],
    and: [1, 0, 0, 0],
    or: [1, 0, 0, 1],
    xor: [0, 0, 0, 1],
    not: [0, 1, 1, 1],
    nan: [1, 0, 0, 0],
    infinite: [0, 1, 0, 0],
  });
});

test("where two are equal, each gets half of the gradient of the larger or smaller", async () => {
  const numbers = [-1, 0, 1];
  expect(await slopes(maximum(x, 0), numbers)).toEqual([0, 0.5, 1]);
  expect(await slopes(minimum(x, 0), numbers)).toEqual([1, 0.5, 0]);
});

test("clip passes the gradient at its bounds, and an empty range to its upper bound", async () => {
  expect(await slopes(clip(x, -1, 1), [-2, -1, 0, 1, 2])).toEqual([0, 1, 1, 1, 0]);
  expect(await slopes(clip(x, 1, -1), [-2, 0, 2])).toEqual([0, 0, 0]);
  const low = input("b", "float32", []);
  const high = input("high", "float32", []);
  const [dLow, dHigh] = gradients(sum(clip(x, low, high)), [low, high]);
  const found = async (b: number, high: number) => {
    const { l, h } = await evaluate({ l: dLow, h: dHigh }, { x: [-2, 0, 2, 3], b, high });
    return [...Array.from(l.data, Number), ...Array.from(h.data, Number)];
  };
  expect(await found(-1, 1)).toEqual([1, 2]);
  expect(await found(1, -1)).toEqual([0, 4]);
});

test("powers at 0, as PyTorch has them, to second order", async () => {
  const p = input("b", "float32", ["n"]);
  const [dx, dp] = gradients(sum(pow(x, p)), [x, p]);
  const [dxx] = gradients(sum(dx), [x]);
  const [dpp] = gradients(sum(dp), [p]);
  const found = await results({ dx, dp, dxx, dpp }, [0, 0, 0, 0, 2], [0, 1, 2, 3, 0]);
  expect(found.dx).toEqual([0, 1, 0, 0, 0]);
  expect(found.dxx).toEqual([0, 0, 2, 0, 0]);
  expect(found.dp.slice(0, 4)).toEqual([0, 0, 0, 0]);
  expect(found.dp[4]).toBeCloseTo(Math.LN2, 6);
  expect(found.dpp.slice(0, 4)).toEqual([0, 0, 0, 0]);

  for (const [exponent, first, second] of [
    [2, 0, 2],
    [3, 0, 0],
    [4, 0, 0],
  ]) {
    const [once] = gradients(sum(pow(x, exponent)), [x]);
    expect(await slopes(pow(x, exponent), [0]), `x^${exponent}`).toEqual([first]);
    expect(await slopes(once, [0]), `x^${exponent} twice`).toEqual([second]);
  }
  // An infinite slope, as of PyTorch's sqrt and pow.
  expect(await slopes(sqrt(x), [0])).toEqual([Number.POSITIVE_INFINITY]);
});

test("what where() does not choose passes no NaN on", async () => {
  const safe = where(less(x, 0), 1, x);
  expect(await slopes(where(less(x, 0), 0, sqrt(safe)), [-1, 1])).toEqual([0, 0.5]);
  expect(await slopes(where(less(x, 0), x, 2), [Number.NaN, -1])).toEqual([0, 1]);
});
