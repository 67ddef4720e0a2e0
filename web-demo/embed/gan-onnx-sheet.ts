import { paintSheet } from "../../src/data/sheet.js";
import { metadataOf } from "../../src/onnx/metadata.js";
import { drawLatents } from "../../src/recipes/latents.js";
import { randomStream } from "../../src/tensors/random.js";
import { openOn } from "../runtime/onnxruntime.js";

/**
 * `<gan-onnx-sheet src="generator.onnx" seed="3" count="16">`: a sheet of what a generator draws, in any page. `label`
 * chooses one class, `columns` how many pictures a row has. It draws anew when an attribute changes, and tells by the
 * events `draw` and `error`.
 */
export class GanOnnxSheet extends HTMLElement {
  static readonly observedAttributes = ["src", "seed", "count", "label", "columns"];
  private readonly canvas = document.createElement("canvas");
  /** The file that is loaded, and its session. */
  private loaded: { readonly src: string; readonly model: ReturnType<typeof load> } | undefined;
  private turn = 0;

  constructor() {
    super();
    const style = document.createElement("style");
    style.textContent =
      ":host { display: inline-block } canvas { display: block; width: 100%; image-rendering: pixelated }";
    this.canvas.role = "img";
    this.attachShadow({ mode: "open" }).append(style, this.canvas);
  }

  connectedCallback(): void {
    this.draw();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.draw();
  }

  disconnectedCallback(): void {
    this.loaded?.model.then(({ session }) => session.close()).catch(() => {});
    this.loaded = undefined;
  }

  private async draw(): Promise<void> {
    const turn = ++this.turn;
    const src = this.getAttribute("src");
    if (!src) return;
    try {
      if (this.loaded?.src !== src) {
        this.disconnectedCallback();
        this.loaded = { src, model: load(new URL(src, document.baseURI).href) };
      }
      const { session, latent, classes, range } = await this.loaded.model;
      const count = this.number("count", 16);
      const label = this.getAttribute("label");
      const labels = label === null ? undefined : [Number(label)];
      const random = randomStream(this.number("seed", 0), "sample");
      const outputs = await session.run(drawLatents(random, count, { latent, classes }, labels));
      const image = outputs.get("image");
      // A change of attributes that came meanwhile draws its own.
      if (!image || turn !== this.turn) return;
      const [, channels, height, width] = image.shape;
      const columns = this.number("columns", Math.ceil(Math.sqrt(count)));
      const shape = { count, channels, height, width };
      const picture = paintSheet(image.data as Float32Array, shape, { range, columns });
      [this.canvas.width, this.canvas.height] = [picture.width, picture.height];
      this.canvas
        .getContext("2d")
        ?.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0);
      this.canvas.ariaLabel = this.getAttribute("alt") ?? `${count} generated pictures`;
      this.dispatchEvent(new Event("draw"));
    } catch (error) {
      this.dispatchEvent(new ErrorEvent("error", { error, message: String(error) }));
    }
  }

  private number(attribute: string, standard: number): number {
    const value = Number(this.getAttribute(attribute) ?? standard);
    return Number.isSafeInteger(value) && value >= 0 ? value : standard;
  }
}

async function load(address: string) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: the server answers ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const { latent, classes, range } = metadataOf(bytes);
  if (!latent || !range) throw new Error(`${address}: is no generator that gan-onnx exported`);
  return {
    session: await openOn("wasm", bytes),
    latent: Number(latent),
    classes: classes === undefined ? undefined : Number(classes),
    range: JSON.parse(range) as [number, number],
  };
}

customElements.define("gan-onnx-sheet", GanOnnxSheet);
