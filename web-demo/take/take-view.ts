import { messageOf } from "../../src/error.js";
import { writeSettings } from "../sampling/address.js";
import type { Shown } from "../sampling/look.js";
import { download, find, tell } from "../ui/dom.js";
import { snippetsOf } from "./snippets.js";

const status = find("#take-status", HTMLElement);
const problem = find("#take-problem", HTMLElement);
const code = find("#snippet", HTMLTextAreaElement);

/** The downloads of the visible training. */
export interface Watched {
  /** An animation of its pictures so far; undefined for fewer than two. */
  animation(): Promise<Blob | undefined>;
  /** The training graph and its manifest; undefined without a training. */
  graph(): Promise<readonly [train: Blob, manifest: Blob] | undefined>;
}

/** Set up the downloads of the sheet and of the training. */
export function setUpTake(shown: () => Shown | undefined, watched: () => Watched | undefined): void {
  on("#save", async () => {
    const { sheet, model, settings } = needed(shown(), "Nothing is drawn yet.");
    const { width, height, data } = sheet.picture;
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")?.putImageData(new ImageData(data, width, height), 0, 0);
    const name = `${model.words.many}-${settings.seed}.png`;
    download(await canvas.convertToBlob({ type: "image/png" }), name);
    return `${name} is in your downloads.`;
  });
  on("#copy-link", async () => {
    const { settings, model, linked } = needed(shown(), "Nothing is drawn yet.");
    const walk = settings.walk;
    const query = writeSettings({ ...settings, model: linked ? model.name : undefined, walk });
    const done = linked
      ? "The link is copied: it brings this sheet, number and walk."
      : "The link is copied, but no link can bring your own model: give its file along.";
    return copied(new URL(query, location.href).href, done);
  });
  on("#save-model", async () => {
    const { load } = needed(shown(), "Nothing is drawn yet.");
    download(binary(await load()), "generator.onnx");
    return "generator.onnx is in your downloads: any ONNX Runtime draws with it.";
  });
  on("#save-animation", async () => {
    const made = await watched()?.animation();
    download(needed(made, "Watch it learn first, for some moments at least."), "it-learns.png");
    return "it-learns.png is in your downloads: an animated PNG, for any page or chat.";
  });
  on("#save-graph", async () => {
    const [train, manifest] = needed(await watched()?.graph(), "Watch it learn first.");
    download(train, "train.onnx");
    download(manifest, "manifest.json");
    return "train.onnx and manifest.json are in your downloads: open train.onnx at netron.app.";
  });
  for (const kind of ["node", "page"] as const) {
    on(`#show-${kind}`, async () => {
      const { model } = needed(shown(), "Nothing is drawn yet.");
      showText(snippetsOf(model.generator, "generator.onnx")[kind]);
      return "";
    });
  }
  on("#copy-snippet", () => copied(code.value, "The code is copied."));
}

function showText(text: string): void {
  code.value = text;
  find("#snippet-part", HTMLElement).hidden = false;
}

/** Copy a text. Insecure pages have no clipboard, and a browser may deny it: then the text is shown, selected. */
async function copied(text: string, done: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return done;
  } catch {
    showText(text);
    code.select();
    return "This browser does not let the page copy: copy the selected text yourself.";
  }
}

function needed<T>(value: T | undefined, why: string): T {
  if (value === undefined) throw new Error(why);
  return value;
}

const binary = (bytes: Uint8Array) =>
  new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" });

/** Run a task when a button is pressed, and show its result. */
function on(selector: string, task: () => Promise<string>): void {
  find(selector, HTMLButtonElement).addEventListener("click", async () => {
    problem.textContent = status.textContent = "";
    try {
      status.textContent = await task();
    } catch (error) {
      tell(problem, messageOf(error));
    }
  });
}
