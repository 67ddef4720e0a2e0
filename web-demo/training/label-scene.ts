import type { Dataset } from "../../src/data/dataset.js";
import type { Picture } from "../../src/data/sheet.js";
import type { Classifier, Design } from "../../src/recipes/index.js";
import { imageShapeOf } from "../../src/recipes/index.js";
import type { OpenModel } from "../../src/runtime/engine.js";
import type { Tensors } from "../../src/tensors/tensor.js";
import { LabelPainter, sheetOf } from "../../src/training/label-painter.js";
import type { Scene, StagePainter } from "./scene.js";

/** Shows what a classifier says of some training images: its answer is below each. */
export class LabelScenePainter implements StagePainter {
  private constructor(private readonly painter: LabelPainter) {}

  show: (scene: Scene) => void = () => {};

  static async open(
    design: Design,
    classifier: Classifier,
    from: { dataset: Dataset; open: OpenModel; seed: number },
  ): Promise<LabelScenePainter> {
    return new LabelScenePainter(await LabelPainter.open(design, classifier, from));
  }

  async paint(state: Tensors): Promise<Picture> {
    const labelled = await this.painter.label(state);
    this.show({ image: imageShapeOf(labelled), made: { images: new Uint8Array(labelled.images) } });
    return sheetOf(labelled);
  }

  paintReal(): Picture {
    return this.painter.paintReal();
  }

  close(): Promise<void> {
    return this.painter.close();
  }
}
