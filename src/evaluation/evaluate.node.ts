import { chosen, type Dataset, type Report } from "../data/dataset.js";
import { GanOnnxError, setting, text } from "../error.js";
import { type GeneratorFile, readGenerator } from "../export/description.js";
import { openGenerator } from "../export/sample.node.js";
import { readBytes } from "../files.node.js";
import { imageShapeOf } from "../recipes/index.js";
import { opensOn, type SessionPlace } from "../runtime/session.node.js";
import { randomStream, shuffled } from "../tensors/random.js";
import { type Copies, copiesIn } from "./copies.js";
import { generated } from "./generated.js";
import { type NamedJudge, openJudge } from "./judge-file.node.js";
import { Scorer, type Scores } from "./scores.js";
import { warningsOf } from "./warnings.js";

export interface EvaluateOptions {
  /** The files of the generators. */
  readonly models: readonly string[];
  /** The images that the generators learned from. */
  readonly data: Dataset;
  readonly samples: number;
  readonly seed: number;
  /** A classifier file that replaces the packaged judge. */
  readonly judge?: string;
  /** Where the generators run. */
  readonly place: SessionPlace;
  readonly report?: Report;
}

/** One row of an evaluation: a generator, or real images. */
export interface Evaluated {
  readonly name: string;
  readonly scores: Scores;
  readonly copies: Copies;
  readonly warnings: readonly string[];
}

export interface Evaluation {
  readonly judge: Omit<NamedJudge, "judge">;
  readonly data: string;
  /** The number of images of each kind that are compared. */
  readonly samples: number;
  readonly seed: number;
  /** The scores of other real images: the best that a generator can reach. */
  readonly floor: Evaluated;
  readonly models: readonly Evaluated[];
}

/**
 * Score generators against real images. The real images are shuffled by the seed and split into two halves of `samples`
 * images, or of as many as there are: generators are compared with the first half, the second half gives the floor.
 *
 * @throws {@link GanOnnxError} when a file is not a generator, or its images have another form than the data.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { models, data, seed, place, report } = options;
  const files = await Promise.all(models.map((model) => describedFile(model, data)));
  const samples = Math.min(options.samples, Math.floor(data.count / 2));
  if (samples < 10) {
    throw new GanOnnxError({
      what: `holds ${data.count} images, and an evaluation takes 20 at least`,
      where: setting("data", data.name),
      fix: "name more images",
      kind: "usage",
    });
  }
  const order = shuffled(randomStream(seed, "evaluate", "real"), data.count);
  const half = (n: number) => chosen(data, order.subarray(n * samples, (n + 1) * samples));
  // Few long operators.
  const open = opensOn({ ep: "cpu", threads: place.threads, spinning: false });
  const { judge, ...about } = await openJudge(options.judge, open);
  const scorer = new Scorer(judge, open);
  const total = models.length + 2;
  try {
    report?.("looking at real images", 0, total);
    const reference = await scorer.reference(half(0));
    report?.("looking at real images", 1, total);
    const row = async (name: string, images: Dataset, others: boolean): Promise<Evaluated> => {
      const scores = await scorer.scores(images, reference);
      const copies = await copiesIn(images, data, { others, open });
      return { name, scores, copies, warnings: warningsOf(scores, reference.classes) };
    };
    const floor = await row("real images", half(1), true);
    const evaluated: Evaluated[] = [];
    for (const [i, { file, bytes, generator }] of files.entries()) {
      report?.(`evaluating ${file}`, i + 2, total);
      const session = await openGenerator(bytes, generator, {
        place: { ...place, spinning: false },
        where: file,
      });
      const images = await generated(session, generator, { count: samples, seed, name: file }).finally(() =>
        session.close(),
      );
      const found = await row(file, images, false);
      const near = found.copies.distance < 0.5 * floor.copies.distance;
      const warnings = near
        ? [
            ...found.warnings,
            "samples are much nearer to training images than other real images are: copies?",
          ]
        : found.warnings;
      evaluated.push({ ...found, warnings });
    }
    return { judge: about, data: data.name, samples, seed, floor, models: evaluated };
  } finally {
    await Promise.all([scorer.close(), judge.close()]);
  }
}

async function describedFile(
  file: string,
  data: Dataset,
): Promise<{ file: string; bytes: Uint8Array; generator: GeneratorFile }> {
  const bytes = await readBytes(file);
  const generator = readGenerator(bytes, file);
  const [makes, real] = [generator.image, data].map((image) => Object.values(imageShapeOf(image)).join("x"));
  if (makes === real) return { file, bytes, generator };
  throw new GanOnnxError({
    what: `makes images of ${makes}, and the data are ${real} (channels x height x width)`,
    where: file,
    fix: text`name the data that it learned from by ${setting("data")}, with ${setting("size")} and ${setting("channels")}`,
    kind: "usage",
  });
}
