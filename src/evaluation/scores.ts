import type { Dataset } from "../data/dataset.js";
import type { OpenModel } from "../runtime/engine.js";
import type { Classified } from "../training/classify.js";
import { classifierScore } from "./classifier-score.js";
import { frechetDistance, type Moments, momentsOf } from "./frechet.js";
import type { Judge } from "./judge.js";
import { columnOf, Neighbours, type Points } from "./neighbours.js";

/** The neighbour whose distance is the radius of a ball: 3 in Kynkäänniemi et al., 5 in Naeem et al. */
const [PRECISION_K, DENSITY_K] = [3, 5];

/** A judge's scores of images, compared with real ones. All shares are in [0, 1]. */
export interface Scores {
  /** The Fréchet distance of the judge's features to those of real images, see `frechetDistance`. */
  readonly distance: number;
  /** See `classifierScore`. */
  readonly classifierScore: number;
  /**
   * Precision: the share of images inside a ball around a real image, whose radius is the distance to its third nearest
   * real image. Recall: the share of real images inside such a ball around an image (Kynkäänniemi et al. 2019,
   * https://arxiv.org/abs/1904.06991, with k = 3).
   */
  readonly precision: number;
  readonly recall: number;
  /**
   * Density: the mean number of balls of real images that contain an image, divided by k. It is above 1 where images
   * are dense around real ones. Coverage: the share of real images with an image in their ball (Naeem et al. 2020,
   * https://arxiv.org/abs/2002.09797, with k = 5).
   */
  readonly density: number;
  readonly coverage: number;
  /**
   * The median distance of an image to its nearest other image, divided by that of real images. Near 0 for duplicates.
   */
  readonly diversity: number;
  /** The share of each class, by the judge. */
  readonly classes: readonly number[];
  /** The share of images that have the requested class, by the judge. Only for images with labels. */
  readonly agreement?: number;
}

/** The judge's results for real images, for comparison. */
export interface Reference {
  readonly points: Points;
  readonly moments: Moments;
  /** Squared distances of each point to its nearest other points, [count, k], ascending. */
  readonly nearest: Float32Array;
  readonly classes: readonly number[];
}

/** Owns the models that compute scores. */
export class Scorer {
  private readonly neighbours: Neighbours;

  /** @param open loads models on the CPU. */
  constructor(
    private readonly judge: Judge,
    private readonly open: OpenModel,
  ) {
    this.neighbours = new Neighbours(open);
  }

  /** Prepare the real images for comparison. */
  async reference(real: Dataset): Promise<Reference> {
    const found = await this.judge.classify(real);
    const points = pointsOf(found);
    return {
      points,
      moments: await momentsOf(points, this.open),
      nearest: await this.othersNearest(points),
      classes: shares(found.classes, this.judge.file.classes),
    };
  }

  /** Score images. Use as many as the reference has: with fewer images the distance is larger. */
  async scores(images: Dataset, reference: Reference): Promise<Scores> {
    const found = await this.judge.classify(images);
    const points = pointsOf(found);
    const nearest = await this.othersNearest(points);
    const radii = (values: Float32Array, k: number) => columnOf(values, DENSITY_K, k - 1);
    const real = reference.points;
    const large = radii(reference.nearest, DENSITY_K);
    const overlap = await this.neighbours.overlap(points, real, {
      own: radii(nearest, PRECISION_K),
      small: radii(reference.nearest, PRECISION_K),
      large,
    });
    const first = (values: Float32Array) => Math.sqrt(median(radii(values, 1)));
    return {
      distance: await frechetDistance(reference.moments, await momentsOf(points, this.open)),
      classifierScore: await classifierScore(found.probabilities, points.count, this.open),
      precision: share(overlap.smallBalls, (balls) => balls > 0),
      recall: share(overlap.covering, (balls) => balls > 0),
      density: overlap.largeBalls.reduce((sum, balls) => sum + balls, 0) / (DENSITY_K * points.count),
      coverage: share(overlap.nearest, (distance, i) => distance <= large[i]),
      diversity: first(nearest) / first(reference.nearest),
      classes: shares(found.classes, this.judge.file.classes),
      ...agreementOf(images, found),
    };
  }

  async close(): Promise<void> {
    await this.neighbours.close();
  }

  /** Squared distances of each point to its nearest other points. */
  private async othersNearest(points: Points): Promise<Float32Array> {
    const { distances } = await this.neighbours.nearest(points, points, DENSITY_K + 1);
    return distances.filter((_, i) => i % (DENSITY_K + 1) > 0);
  }
}

/** The features of images as points. */
export function pointsOf({ classes, features }: Classified): Points {
  return { count: classes.length, width: features.length / classes.length, data: features };
}

function agreementOf({ labels }: Dataset, { classes }: Classified): Pick<Scores, "agreement"> {
  return labels ? { agreement: share(classes, (found, i) => found === labels[i]) } : {};
}

function shares(labels: Uint8Array, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => share(labels, (label) => label === c));
}

function share(values: Float32Array | Uint8Array, holds: (value: number, index: number) => boolean): number {
  let count = 0;
  for (const [i, value] of values.entries()) if (holds(value, i)) count++;
  return count / values.length;
}

function median(values: Float32Array): number {
  return values.toSorted()[values.length >> 1];
}
