import type { OpenModel } from "../runtime/engine.js";
import { LabelPainter } from "./label-painter.js";
import { SamplePainter } from "./sample-painter.js";
import type { SheetPainter, Training } from "./training.js";

/** Open the painter for a design: samples of a generator, or images with the classes that a classifier predicts. */
export function openPainter(training: Training, open: OpenModel): Promise<SheetPainter> {
  const { design, dataset, heldOut, start } = training;
  const { seed } = start.position;
  return design.exported.kind === "generator"
    ? SamplePainter.open(design, design.exported, { dataset, open, seed })
    : LabelPainter.open(design, design.exported, { dataset, heldOut, open, seed });
}
