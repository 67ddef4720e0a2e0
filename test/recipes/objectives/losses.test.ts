import { describe, expect, test } from "vitest";
import { gradients, input } from "../../../src/graph/index.js";
import { type LossName, losses, lossNames } from "../../../src/recipes/objectives/losses.js";
import { evaluate } from "../../helpers/run.js";

/** What a loss adds for one discriminator's output, and its derivative there. */
interface Term {
  value(a: number): number;
  slope(a: number): number;
}

interface Formulas {
  real(target: number): Term;
  readonly fake: Term;
  readonly generator: Term;
  readonly opinion: (a: number) => number;
}

const sigmoid = (a: number) => 1 / (1 + Math.exp(-a));
/** -ln σ(a), without overflow and without rounding away what is small. */
const minusLogSigmoid = (a: number) => Math.max(-a, 0) + Math.log1p(Math.exp(-Math.abs(a)));

const crossEntropy = (t: number): Term => ({
  value: (a) => t * minusLogSigmoid(a) + (1 - t) * minusLogSigmoid(-a),
  // σ(a) - t, but exact where σ is near t.
  slope: (a) => (1 - t) * sigmoid(a) - t * sigmoid(-a),
});
const halfSquare = (target: number): Term => ({
  value: (a) => (a - target) ** 2 / 2,
  slope: (a) => a - target,
});

/** The losses as their papers write them, one term for each image. */
const papers: Record<LossName, Formulas> = {
  bce: { real: crossEntropy, fake: crossEntropy(0), generator: crossEntropy(1), opinion: sigmoid },
  saturating: {
    real: crossEntropy,
    fake: crossEntropy(0),
    // ln(1 - σ(a)), of slope -σ(a): it vanishes where the discriminator is sure.
    generator: { value: (a) => -minusLogSigmoid(-a), slope: (a) => -sigmoid(a) },
    opinion: sigmoid,
  },
  lsgan: { real: halfSquare, fake: halfSquare(0), generator: halfSquare(1), opinion: (a) => a },
  hinge: {
    real: () => ({ value: (a) => Math.max(0, 1 - a), slope: (a) => (a < 1 ? -1 : 0) }),
    fake: { value: (a) => Math.max(0, 1 + a), slope: (a) => (a > -1 ? 1 : 0) },
    generator: { value: (a) => -a, slope: () => -1 },
    opinion: (a) => a,
  },
};

const usual = { real: [-3, -0.5, 0.25, 2], fake: [-2.5, -0.25, 0.75, 4] };
const extreme = { real: [-200, 200, -90, 100], fake: [200, -200, 88, -104] };
const rows = lossNames.flatMap((name) =>
  [1, 0.9]
    .filter((target) => target === 1 || losses[name].smoothable)
    .flatMap((target) => [
      { name, target, about: "", ...usual },
      { name, target, about: " at logits up to 200", ...extreme },
    ]),
);

const mean = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

/** Equal but for float32's rounding, infinities and NaN included. */
function expectClose(found: ArrayLike<number | bigint>, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(Number(found[i]) - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value) + 1e-38);
  });
}

test("every loss has its formula here", () => {
  expect(Object.keys(papers)).toEqual(lossNames);
});

describe.each(rows)("$name with target $target$about", ({ name, target, real, fake }) => {
  test("values and gradients are the paper's", async () => {
    const [a, b] = ["real", "fake"].map((x) => input(x, "float32", ["batch", 1]));
    const d = losses[name].discriminator(a, b, target);
    const g = losses[name].generator(b);
    const [dReal, dFake] = gradients(d, [a, b]);
    const [gFake] = gradients(g, [b]);
    const opinion = losses[name].opinion(a);
    const found = await evaluate({ d, g, dReal, dFake, gFake, opinion }, { real, fake });

    const paper = papers[name];
    const slopes = ({ slope }: Term, xs: readonly number[]) => xs.map((x) => slope(x) / xs.length);
    expectClose(found.d.data, [mean(real.map(paper.real(target).value)) + mean(fake.map(paper.fake.value))]);
    expectClose(found.g.data, [mean(fake.map(paper.generator.value))]);
    expectClose(found.dReal.data, slopes(paper.real(target), real));
    expectClose(found.dFake.data, slopes(paper.fake, fake));
    expectClose(found.gFake.data, slopes(paper.generator, fake));
    found.opinion.data.forEach((value, i) => {
      expect(Number(value)).toBeCloseTo(paper.opinion(real[i]), 6);
    });
  });
});
