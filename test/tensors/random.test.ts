import { describe, expect, it } from "vitest";
import { fillNormal, fillUniform, type Random, randomStream, shuffled } from "../../src/tensors/random.js";

const draw = (random: Random, count: number, next: "uniform" | "normal" = "uniform") =>
  Array.from({ length: count }, () => random[next]());

/** Standard normal CDF by its Taylor series, to double precision for |x| < 6 (Marsaglia 2004). */
function normalCdf(x: number): number {
  let sum = x;
  let term = x;
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}

/** Greatest distance between the empirical and the true distribution function, times √n. Over 1.95: one in 1000. */
function kolmogorovSmirnov(sample: Float64Array, cdf: (x: number) => number): number {
  const n = sample.length;
  let greatest = 0;
  sample.sort().forEach((x, i) => {
    greatest = Math.max(greatest, cdf(x) - i / n, (i + 1) / n - cdf(x));
  });
  return greatest * Math.sqrt(n);
}

/** χ² of counts against expectations, as standard deviations from its mean (degrees of freedom: cells - 1). */
function chiSquareScore(counts: ArrayLike<number>, expected: (cell: number) => number): number {
  const chi2 = Array.from(counts).reduce((sum, c, i) => sum + (c - expected(i)) ** 2 / expected(i), 0);
  const freedom = counts.length - 1;
  return (chi2 - freedom) / Math.sqrt(2 * freedom);
}

describe("randomStream", () => {
  it("repeats recorded numbers: a run's sequence never changes between versions", () => {
    const random = randomStream(42, "golden", 7);
    expect(draw(random, 3)).toEqual([0.8837193280375262, 0.8942208390298312, 0.7620361734530989]);
    expect(draw(random, 4, "normal")).toEqual([
      -0.6159930981656833, -0.2658404943548749, -1.1416024590687932, -1.1729107158291692,
    ]);
    expect([10, 60000, 2 ** 40].map((n) => random.below(n))).toEqual([4, 10239, 922889008597]);
  });

  it("is a pure function of seed and keys", () => {
    expect(draw(randomStream(1, "noise", "z_d", 5), 100)).toEqual(
      draw(randomStream(1, "noise", "z_d", 5), 100),
    );
  });

  it("tells seeds and keys apart", () => {
    const max = Number.MAX_SAFE_INTEGER;
    const streams: Parameters<typeof randomStream>[] = [
      ...[0, 1, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, -(2 ** 32), max, -max].map((seed): [number] => [seed]),
      [1, 0],
      [1, 1],
      [1, "1"],
      [1, ""],
      [1, "", ""],
      [1, "ab"],
      [1, "a", "b"],
      [1, "b", "a"],
      [1, "ÿ"],
      [1, "\u{1f600}"],
    ];
    const first = streams.map((stream) => randomStream(...stream).uniform());
    expect(new Set(first).size).toBe(streams.length);
  });

  it("gives independent streams for neighbouring keys", () => {
    const streams = 4000;
    const first = Float64Array.from({ length: streams }, (_, step) => randomStream(3, "z", step).uniform());
    const normals = Float64Array.from({ length: streams }, (_, seed) => randomStream(seed, "z").normal());
    let correlation = 0;
    for (let i = 1; i < streams; i++) correlation += 12 * (first[i] - 0.5) * (first[i - 1] - 0.5);
    expect(Math.abs(correlation) / Math.sqrt(streams)).toBeLessThan(4);
    expect(kolmogorovSmirnov(first, (x) => x)).toBeLessThan(1.95);
    expect(kolmogorovSmirnov(normals, normalCdf)).toBeLessThan(1.95);
  });

  it("flips half of the first number's bits for one bit of a key", () => {
    const bits = (key: number) => randomStream(0, key).below(2 ** 32);
    let flipped = 0;
    for (let key = 0; key < 500; key++) {
      const difference = bits(key) ^ bits(key ^ (1 << (key % 31)));
      for (let bit = 0; bit < 32; bit++) flipped += (difference >>> bit) & 1;
    }
    expect(flipped / (500 * 32)).toBeCloseTo(0.5, 1);
  });

  it("rejects what is not a safe integer", () => {
    expect(() => randomStream(0.5)).toThrow("random seed: 0.5 is not a safe integer; use a whole number");
    expect(() => randomStream(1, Number.NaN)).toThrow("random key: NaN is not a safe integer");
    expect(() => randomStream(2 ** 53)).toThrow("random seed");
  });
});

describe("uniform", () => {
  it("lies in [0, 1) and is uniform", () => {
    const sample = Float64Array.from(draw(randomStream(5, "uniform"), 200_000));
    expect(Math.min(...sample.subarray(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(kolmogorovSmirnov(sample, (x) => x)).toBeLessThan(1.95);
  });

  it("never rounds up to 1 in float32", () => {
    const almostOne: Random = { uniform: () => 1 - 2 ** -53, normal: () => 0, below: () => 0 };
    expect(fillUniform(almostOne, new Float32Array(1))[0]).toBe(1 - 2 ** -24);
    expect(Math.max(...fillUniform(randomStream(1), new Float32Array(1000)))).toBeLessThan(1);
  });
});

describe("normal", () => {
  const count = 1_000_000;
  const random = randomStream(2024, "normal");
  const sample = Float64Array.from({ length: count }, () => random.normal());
  const moment = (power: number) => sample.reduce((sum, x) => sum + x ** power, 0) / count;

  it("has the moments 0, 1, 0, 3, 0, 15", () => {
    // Variance of x^k is (2k-1)!! - E[x^k]²: 1, 2, 15, 96, 945, 10170.
    const deviations = [1, 2, 15, 96, 945, 10170].map((variance) => 4 * Math.sqrt(variance / count));
    [0, 1, 0, 3, 0, 15].forEach((expected, k) => {
      expect(Math.abs(moment(k + 1) - expected), `moment ${k + 1}`).toBeLessThan(deviations[k]);
    });
  });

  it("agrees with the normal distribution function", () => {
    expect(kolmogorovSmirnov(sample.slice(), normalCdf)).toBeLessThan(1.95);
  });

  it("fills narrow cells evenly, so that no layer of the Ziggurat shows", () => {
    const cells = new Uint32Array(1000);
    for (const x of sample) cells[Math.min(999, Math.floor(normalCdf(x) * 1000))]++;
    expect(Math.abs(chiSquareScore(cells, () => count / 1000))).toBeLessThan(4);
  });

  it("has the right tail beyond r, where the base strip ends", () => {
    const edges = [3.6541528853610088, 3.75, 3.9, 4.1, Number.POSITIVE_INFINITY];
    const beyond = (x: number) => (x === Number.POSITIVE_INFINITY ? 0 : 2 * (1 - normalCdf(x)));
    const tailRandom = randomStream(99, "tail");
    const draws = 40_000_000;
    const counts = new Uint32Array(edges.length - 1);
    let negative = 0;
    for (let i = 0; i < draws; i++) {
      const x = tailRandom.normal();
      if (Math.abs(x) <= edges[0]) continue;
      counts[edges.findIndex((_, k) => Math.abs(x) <= edges[k + 1])]++;
      if (x < 0) negative++;
    }
    const total = counts.reduce((a, b) => a + b);
    const expectedTotal = draws * beyond(edges[0]);
    expect(Math.abs(total - expectedTotal) / Math.sqrt(expectedTotal)).toBeLessThan(4);
    expect(Math.abs(negative - total / 2) / Math.sqrt(total / 4)).toBeLessThan(4);
    const expected = (k: number) => draws * (beyond(edges[k]) - beyond(edges[k + 1]));
    expect(chiSquareScore(counts, expected)).toBeLessThan(4);
  });

  it("is uncorrelated from one number to the next, also in size", () => {
    let plain = 0;
    let squares = 0;
    for (let i = 1; i < count; i++) {
      plain += sample[i] * sample[i - 1];
      squares += (sample[i] ** 2 - 1) * (sample[i - 1] ** 2 - 1);
    }
    expect(Math.abs(plain) / Math.sqrt(count)).toBeLessThan(4);
    expect(Math.abs(squares) / (2 * Math.sqrt(count))).toBeLessThan(4);
  });

  it("fills arrays with the same numbers, in float32", () => {
    const filled = fillNormal(randomStream(8), new Float32Array(50));
    expect(filled).toEqual(Float32Array.from(draw(randomStream(8), 50, "normal")));
  });
});

describe("below", () => {
  it("is unbiased, also where 2^32 modulo n is large", () => {
    const random = randomStream(11, "below");
    for (const n of [1, 2, 7, 10, 1000]) {
      const counts = new Uint32Array(n);
      for (let i = 0; i < 200_000; i++) counts[random.below(n)]++;
      if (n > 1)
        expect(
          chiSquareScore(counts, () => 200_000 / n),
          `n = ${n}`,
        ).toBeLessThan(4);
    }
    // A plain remainder of 32 bits would put 5/8 of all draws into the lower half.
    const n = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 100_000; i++) if (random.below(n) < n / 2) low++;
    expect(Math.abs(low - 50_000) / Math.sqrt(25_000)).toBeLessThan(4);
  });

  it("rejects an empty range", () => {
    for (const n of [0, -1, 1.5, Number.NaN]) {
      expect(() => randomStream(1).below(n)).toThrow(
        `random below: there is no integer in [0, ${n}); ask for`,
      );
    }
  });
});

describe("shuffled", () => {
  it("is a permutation that depends on the stream", () => {
    const order = shuffled(randomStream(1, "epoch", 0), 60_000);
    expect(order.slice().sort()).toEqual(Uint32Array.from({ length: 60_000 }, (_, i) => i));
    expect(order).toEqual(shuffled(randomStream(1, "epoch", 0), 60_000));
    expect(order).not.toEqual(shuffled(randomStream(1, "epoch", 1), 60_000));
    expect(shuffled(randomStream(1), 0)).toEqual(new Uint32Array(0));
  });

  it("gives each of the 24 orders of 4 alike", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = shuffled(randomStream(1, i), 4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(chiSquareScore([...counts.values()], () => 1000)).toBeLessThan(4);
  });
});
