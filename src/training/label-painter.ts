import { captioned } from "../data/caption.js";
import type { Dataset } from "../data/dataset.js";
import { type Picture, paintSheet } from "../data/sheet.js";
import { encodeModel } from "../onnx/index.js";
import { type Classifier, type Design, imageShapeOf, pixelsOf } from "../recipes/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import type { Tensors } from "../tensors/tensor.js";
import { firstOf } from "./batches.js";
import { classify } from "./classify.js";
import { buildInference } from "./inference.js";
import { COLUMNS, COUNT } from "./sample-painter.js";
import type { SheetPainter } from "./training.js";

/** Owns the session of a classifier that labels the images of a run's sheets, held-out images if there are any. */
export class LabelPainter implements SheetPainter {
  private constructor(
    private readonly classifier: Classifier,
    private readonly shown: Dataset,
    private readonly real: Dataset,
    private readonly session: LoadedModel,
    private readonly inputs: ReadonlySet<string>,
  ) {}

  static async open(
    design: Design,
    classifier: Classifier,
    from: { dataset: Dataset; heldOut?: Dataset; open: OpenModel; seed: number },
  ): Promise<LabelPainter> {
    const model = buildInference(design, { doc: "Labels the images on the sheets of a training." });
    const session = await from.open(encodeModel(model), "the classifier");
    const [shown, real] = [from.heldOut ?? from.dataset, from.dataset].map((dataset) =>
      firstOf(dataset, from.seed, COUNT),
    );
    const inputs = new Set(model.graph.inputs.map(({ name }) => name));
    return new LabelPainter(classifier, shown, real, session, inputs);
  }

  async paint(state: Tensors): Promise<Picture> {
    return sheetOf(await this.label(state));
  }

  /** The same images each time, each with its predicted class below, black on white if it is wrong. */
  async label(state: Tensors): Promise<Dataset> {
    const { shown, inputs } = this;
    const weights = new Map([...state].filter(([name]) => inputs.has(name)));
    const { classes } = await classify(this.session, shown, this.classifier.range, weights);
    const captions = Array.from(classes, (label, i) => ({
      text: String(label),
      inverted: shown.labels !== undefined && shown.labels[i] !== label,
    }));
    return captioned(shown, captions);
  }

  paintReal(): Picture {
    return sheetOf(this.real);
  }

  async close(): Promise<void> {
    await this.session.close();
  }
}

export function sheetOf(dataset: Dataset): Picture {
  const shape = { count: dataset.images.length / pixelsOf(dataset), ...imageShapeOf(dataset) };
  return paintSheet(dataset.images, shape, { range: [0, 255], columns: COLUMNS });
}
