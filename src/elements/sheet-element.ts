import { paintSheet } from "../data/sheet.js";
import { messageOf } from "../error.js";
import type { Generator } from "../export/description.js";
import { runForeign } from "../export/foreign-run.js";
import { jsonIn } from "../json.js";
import { metadataOf } from "../onnx/metadata.js";
import { drawLatents } from "../recipes/latents.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { randomStream } from "../tensors/random.js";
import { floatsIn } from "../tensors/tensor.js";

/** A loaded generator. Its image shape may be unknown until it draws. */
interface Loaded extends Omit<Generator, "image"> {
  readonly model: LoadedModel;
  readonly image?: Generator["image"];
}

const style = `
  :host { display: inline-block }
  canvas { display: block; width: 100%; image-rendering: pixelated }
  [hidden] { display: none }`;

/**
 * Define the custom element `<gan-onnx-sheet src="generator.onnx" seed="3" count="16">`: a sheet of samples, the same
 * as `gan-onnx sample` draws with this seed. `label` selects one class by number or name, `columns` is the number of
 * pictures per row, `alt` is the text for screen readers. The element draws again when an attribute changes. It shows
 * its content until the first drawing, and fires the events `draw` and `error`. Without custom elements, as in Node, or
 * if the name is already defined, this function does nothing.
 *
 * @param open loads a model in the page.
 */
export function defineSheetElement(open: OpenModel, name = "gan-onnx-sheet"): void {
  if (typeof customElements === "undefined" || customElements.get(name)) return;
  customElements.define(
    name,
    class extends HTMLElement {
      static readonly observedAttributes = ["src", "seed", "count", "label", "columns", "alt"];
      private readonly canvas = document.createElement("canvas");
      private readonly message = document.createElement("p");
      private readonly fallback = document.createElement("slot");
      private current: { readonly src: string; readonly loaded: Promise<Loaded> } | undefined;
      private turn = 0;

      constructor() {
        super();
        const sheet = document.createElement("style");
        sheet.textContent = style;
        this.canvas.role = "img";
        this.message.setAttribute("part", "message");
        this.message.role = "alert";
        this.canvas.hidden = true;
        this.attachShadow({ mode: "open" }).append(sheet, this.fallback, this.canvas, this.message);
      }

      connectedCallback(): void {
        this.draw();
      }

      attributeChangedCallback(): void {
        if (this.isConnected) this.draw();
      }

      disconnectedCallback(): void {
        this.turn++;
        this.current?.loaded.then(({ model }) => model.close()).catch(() => {});
        this.current = undefined;
      }

      private async draw(): Promise<void> {
        // Draw once after several attributes have changed. Do not show an outdated drawing.
        await Promise.resolve();
        const turn = ++this.turn;
        const src = this.getAttribute("src");
        if (!src || !this.isConnected) return;
        try {
          if (this.current?.src !== src) {
            this.disconnectedCallback();
            this.current = { src, loaded: load(new URL(src, document.baseURI).href, open) };
            this.turn = turn;
          }
          const loaded = await this.current.loaded;
          if (turn !== this.turn) return;
          const [count, seed] = [this.whole("count", 16, 1), this.whole("seed", 0, 0)];
          const [images, image] = await draw(loaded, { count, seed, label: this.getAttribute("label") });
          if (turn !== this.turn) return;
          const columns = this.whole("columns", Math.ceil(Math.sqrt(count)), 1);
          const picture = paintSheet(images, { count, ...image }, { range: loaded.range, columns });
          [this.canvas.width, this.canvas.height] = [picture.width, picture.height];
          const pixels = new ImageData(picture.data, picture.width, picture.height);
          this.canvas.getContext("2d")?.putImageData(pixels, 0, 0);
          this.canvas.ariaLabel = this.getAttribute("alt") ?? `${count} generated pictures`;
          this.show("");
          this.dispatchEvent(new Event("draw"));
        } catch (error) {
          if (turn !== this.turn) return;
          const message = messageOf(error);
          this.show(message);
          this.dispatchEvent(new ErrorEvent("error", { error, message }));
        }
      }

      /** Show the sheet, or an error message in addition to the element's content. */
      private show(message: string): void {
        this.message.textContent = message;
        this.message.hidden = message === "";
        this.canvas.hidden = message !== "";
        this.fallback.hidden = message === "";
      }

      private whole(attribute: string, standard: number, least: number): number {
        const text = this.getAttribute(attribute);
        if (text === null) return standard;
        const value = Number(text);
        if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
        throw new Error(`<${name} ${attribute}="${text}">: give a whole number from ${least}`);
      }
    },
  );
}

async function load(address: string, open: OpenModel): Promise<Loaded> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: the server answers ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const description = await describe(bytes, address);
  return { model: await open(bytes, address), ...description };
}

/** Read the description of an exported generator. The model reader is loaded only for other files. */
async function describe(bytes: Uint8Array, where: string): Promise<Omit<Loaded, "model">> {
  const { format, latent, classes, range, ports, class_names } = sayings(bytes);
  const plain = format?.startsWith("gan-onnx") && latent && range && ports === undefined;
  if (!plain) return (await import("../export/any-generator.js")).describeAny(bytes, where);
  return {
    latent: Number(latent),
    classes: classes === undefined ? undefined : Number(classes),
    classNames: jsonIn(class_names) as string[] | undefined,
    range: JSON.parse(range),
  };
}

function sayings(bytes: Uint8Array): Partial<Record<string, string>> {
  try {
    return metadataOf(bytes);
  } catch {
    // The model reader gives the error.
    return {};
  }
}

/** Images [count, channels, height, width], and their shape. */
async function draw(
  { model, ports, image: told, classNames = [], ...generator }: Loaded,
  { count, seed, label }: { count: number; seed: number; label: string | null },
): Promise<[images: Float32Array, shape: Generator["image"]]> {
  const named = label === null ? -1 : classNames.indexOf(label);
  const chosen = named < 0 ? Number(label) : named;
  if (label !== null && !(Number.isInteger(chosen) && chosen >= 0 && chosen < (generator.classes ?? 0))) {
    throw new Error(
      generator.classes === undefined
        ? "the generator has no classes: leave label out"
        : `the generator has no class "${label}": choose from 0 to ${generator.classes - 1}`,
    );
  }
  const labels = label === null ? undefined : [chosen];
  const feeds = drawLatents(randomStream(seed, "sample"), count, generator, labels);
  if (ports && told) return [await runForeign(model, { ...generator, image: told }, ports, feeds), told];
  const outputs = await model.run(feeds);
  const [, channels = 1, height = 1, width = 1] = outputs.get("image")?.shape ?? [];
  return [floatsIn(outputs, "image"), { channels, height, width }];
}
