import { paintSheet } from "../../src/data/sheet.js";
import { randomStream } from "../../src/tensors/random.js";
import type { ShownModel } from "./models.js";
import type { Point } from "./point.js";

/** The number of pictures that move at the same time. */
const AT_ONCE = 10;
/** The angle in latent space by which a picture moves, and the duration of the movement out and back, in seconds. */
const [FAR, SECONDS] = [0.7, 6];
/** Milliseconds between two frames. The movement is decoration and must not load the machine. */
const FRAME = 90;

export interface Drifting {
  readonly model: ShownModel;
  readonly points: readonly Point[];
  /** Whether the sheet may move now. */
  mayMove(): boolean;
  run(points: readonly Point[]): Promise<Float32Array>;
  show(index: number, image: ReturnType<typeof paintSheet>): void;
}

/**
 * Move a few pictures of a sheet at a time, slowly, each along a circle of its latent space and back. Call the result
 * to stop; all pictures are then in their original state.
 */
export function drift({ model, points, mayMove, run, show }: Drifting): () => void {
  const { generator } = model;
  const size = generator.image.channels * generator.image.height * generator.image.width;
  let ended = false;
  let turn = 0;
  let chosen: number[] = [];
  let began = 0;
  const choose = () => {
    const random = randomStream(turn++, "drift");
    chosen = Array.from({ length: Math.min(AT_ONCE, points.length) }, () => random.below(points.length));
    began = performance.now();
  };
  const draw = async (share: number) => {
    const angle = FAR * Math.sin(Math.PI * share) ** 2;
    const images = await run(chosen.map((index) => turned(points[index], angle, turn)));
    if (ended) return;
    for (const [i, index] of chosen.entries()) {
      const one = images.subarray(i * size, (i + 1) * size);
      const options = { range: generator.range, columns: 1, padding: 0 };
      show(index, paintSheet(one, { count: 1, ...generator.image }, options));
    }
  };
  const frame = async () => {
    if (ended) return;
    const share = (performance.now() - began) / 1000 / SECONDS;
    if (share >= 1 || !mayMove()) {
      if (chosen.length > 0) await draw(0);
      chosen = [];
      if (mayMove()) choose();
    } else await draw(share);
    setTimeout(frame, FRAME);
  };
  setTimeout(frame, FRAME);
  return () => {
    ended = true;
  };
}

/** Rotate a point by an angle towards another direction, on its sphere. */
function turned({ z, weights }: Point, angle: number, key: number): Point {
  if (angle === 0) return { z, weights };
  const random = randomStream(key, "drift direction");
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return { z: z.map((value) => cosine * value + sine * random.normal()), weights };
}
