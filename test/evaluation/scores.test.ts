import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/dataset.js";
import { drawDigits } from "../../src/data/drawn.js";
import { type NamedJudge, openJudge } from "../../src/evaluation/judge-file.node.js";
import { type Reference, Scorer, type Scores } from "../../src/evaluation/scores.js";
import { warningsOf } from "../../src/evaluation/warnings.js";
import { fillUniform, randomStream } from "../../src/tensors/random.js";
import { onCpu } from "../helpers/on-cpu.js";

const count = 600;
const form = { count, channels: 1, height: 28, width: 28 };
const drawn = (seed: number): Dataset => ({ name: "drawn", ...form, ...drawDigits({ count, seed }) });
const pixels = 28 * 28;

let judge: NamedJudge;
let scorer: Scorer;
let reference: Reference;
beforeAll(async () => {
  judge = await openJudge(undefined, onCpu);
  scorer = new Scorer(judge.judge, onCpu);
  reference = await scorer.reference(drawn(1));
});
afterAll(async () => {
  await scorer.close();
  await judge.judge.close();
});

const warned = (scores: Scores) => warningsOf(scores, reference.classes).join("; ");

describe("real images of another seed", () => {
  let scores: Scores;
  beforeAll(async () => {
    scores = await scorer.scores(drawn(2), reference);
  });

  test("are near, as good, as many, and nothing is said of them", () => {
    for (const share of [scores.precision, scores.recall, scores.coverage])
      expect(share).toBeGreaterThan(0.6);
    for (const ratio of [scores.density, scores.diversity]) expect(Math.abs(ratio - 1)).toBeLessThan(0.3);
    expect(scores.agreement).toBeGreaterThan(0.5);
    expect(scores.classes.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
    expect(warned(scores)).toBe("");
  });

  test("score the same again", async () => {
    expect(await scorer.scores(drawn(2), reference)).toEqual(scores);
  });

  test("are nearer than noise, than one digit repeated, than digits without a class", async () => {
    const noise = fillUniform(randomStream(1, "noise"), new Float32Array(count * pixels));
    const digit = drawDigits({ count: 1, seed: 3 }).images;
    const { images, labels } = drawn(4);
    const zero = labels!.indexOf(0);
    const withoutSevens = images.slice();
    labels?.forEach((label, i) => {
      if (label === 7) withoutSevens.set(images.subarray(zero * pixels, (zero + 1) * pixels), i * pixels);
    });
    const score = (data: Uint8Array) => scorer.scores({ name: "", ...form, images: data }, reference);
    const ofNoise = await score(Uint8Array.from(noise, (u) => 256 * u));
    const repeated = await score(Uint8Array.from({ length: count * pixels }, (_, i) => digit[i % pixels]));
    const missing = await score(withoutSevens);

    expect(ofNoise.distance).toBeGreaterThan(50 * scores.distance);
    expect(ofNoise.precision).toBeLessThan(0.05);
    expect(repeated.distance).toBeGreaterThan(50 * scores.distance);
    expect(repeated.recall).toBeLessThan(0.05);
    expect(repeated.classifierScore).toBeCloseTo(1, 3);
    expect(warned(repeated)).toMatch(/mode collapse: classes .*it repeats itself/);
    expect(missing.distance).toBeGreaterThan(3 * scores.distance);
    expect(warned(missing)).toMatch(/class 7 /);
  });
});

test("images of another form are made to fit: twice as large and in colour, they are the same digits", async () => {
  const { images, labels } = drawn(2);
  const large = new Uint8Array(count * 3 * 56 * 56);
  for (let i = 0; i < large.length; i++) {
    const [x, y] = [i % 56, Math.floor(i / 56) % 56];
    const image = Math.floor(i / (3 * 56 * 56));
    large[i] = images[image * pixels + (y >> 1) * 28 + (x >> 1)];
  }
  const adapted = { name: "", count, channels: 3, height: 56, width: 56, images: large, labels };
  const [same, fitted] = [await judge.judge.classify(drawn(2)), await judge.judge.classify(adapted)];
  const differing = same.classes.filter((label, i) => label !== fitted.classes[i]).length;
  expect(differing / count).toBeLessThan(0.05);
});
