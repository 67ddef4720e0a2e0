import type { Dataset } from "../data/dataset.js";
import { type ClassifierFile, readClassifier } from "../export/description.js";
import { imageShapeOf } from "../recipes/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { type Classified, classify } from "../training/classify.js";
import { Adapter } from "./adapter.js";

/**
 * Owns a classifier whose features are used to compare images. If its input has another form than the images, they are
 * converted to grey or to three equal channels, and resized.
 */
export class Judge {
  private adapter: Adapter | undefined;

  private constructor(
    readonly file: ClassifierFile,
    private readonly model: LoadedModel,
    private readonly open: OpenModel,
  ) {}

  /**
   * @param where the name of the file for messages.
   * @throws {@link GanOnnxError} when the file is not a classifier as `export` writes it.
   */
  static async open(model: Uint8Array, where: string, open: OpenModel): Promise<Judge> {
    const file = readClassifier(model, where);
    return new Judge(file, await open(model, where), open);
  }

  /** The classes, probabilities and features of images. */
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
