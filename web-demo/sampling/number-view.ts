import { paintSheet } from "../../src/data/sheet.js";
import { randomStream } from "../../src/tensors/random.js";
import { find, latestOnly } from "../ui/dom.js";
import type { ShownModel } from "./models.js";
import { oneOf, type Point } from "./point.js";
import { drawPicture } from "./sheet-view.js";

const part = find("#number-view", HTMLElement);
const field = find("#number", HTMLInputElement);
const canvas = find("#number-canvas", HTMLCanvasElement);

/** The maximum number of digits. */
const MOST = 12;

interface Drawing {
  readonly model: ShownModel;
  /** The style: pictures with the same latent have the same style. */
  readonly style: number;
  run(points: readonly Point[]): Promise<Float32Array>;
}

let drawing: Drawing | undefined;

/** Draw numbers with a model that has digits. Hide the view for other models. */
export function setNumber(next: Drawing | undefined): void {
  drawing = next?.model.words.typed ? next : undefined;
  part.hidden = next !== undefined && !drawing;
  draw();
}

/** The digits in a text. Other characters are ignored. */
function digitsIn(text: string): number[] {
  return Array.from(text.replaceAll(/[^0-9]/g, "").slice(0, MOST), Number);
}

const draw = latestOnly(async () => {
  if (!drawing) return;
  const { model, style, run } = drawing;
  const { generator } = model;
  const digits = digitsIn(field.value);
  canvas.ariaLabel = digits.length > 0 ? `The number ${digits.join("")}, in one hand` : "No number";
  if (digits.length === 0) return;
  const random = randomStream(style, "number");
  const z = Float32Array.from({ length: generator.latent }, () => random.normal());
  const images = await run(digits.map((digit) => ({ z, weights: oneOf(generator.classes, digit) })));
  const shape = { count: digits.length, ...generator.image };
  drawPicture(canvas, paintSheet(images, shape, { range: generator.range, columns: MOST, padding: 0 }));
  canvas.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  canvas.style.maxWidth = `${canvas.width * 3}px`;
});

field.addEventListener("input", draw);
