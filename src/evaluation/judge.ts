import type { Dataset } from "../data/dataset.js";
import { type ClassifierFile, readClassifier } from "../export/description.js";
import { imageShapeOf } from "../recipes/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { type Classified, classify } from "../training/classify.js";
import { Adapter } from "./adapter.js";

/**
 * Owns a classifier by whose features images are compared. Its input may have another form than the images: they are
 * made grey, or three equal channels, and resized.
 */
export class Judge {
  private adapter: Adapter | undefined;

  private constructor(
    readonly file: ClassifierFile,
    private readonly model: LoadedModel,
    private readonly open: OpenModel,
  ) {}

  /**
   * @param where what it is called in messages: its file.
   * @throws GanOnnxError when the file is no classifier of the form that `export` writes.
   */
  static async open(model: Uint8Array, where: string, open: OpenModel): Promise<Judge> {
    const file = readClassifier(model, where);
    return new Judge(file, await open(model, where), open);
  }

  /** What it makes of images: classes, probabilities and features. */
  async classify(images: Dataset): Promise<Classified> {
    const { image, range } = this.file;
    const from = imageShapeOf(images);
    const same = JSON.stringify(from) === JSON.stringify(imageShapeOf(image));
    if (same) return classify(this.model, images, range);
    this.adapter ??= await Adapter.open(from, image, this.open);
    return classify(this.model, await this.adapter.adapted(images), range);
  }

  async close(): Promise<void> {
    await Promise.all([this.model.close(), this.adapter?.close()]);
  }
}
