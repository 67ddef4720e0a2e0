import { GanOnnxError } from "../../src/error.js";

/** The one element of a kind that a selector names; the page has it. */
export function find<T extends Element>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${selector}`);
}

/** The context that a canvas is drawn with. */
export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context) return context;
  throw new Error("this browser draws no canvas");
}

/** The seed in a field. Throws a GanOnnxError that names the field. */
export function readSeed({ value }: HTMLInputElement): number {
  const seed = Number(value);
  if (/^\d+$/.test(value.trim()) && Number.isSafeInteger(seed)) return seed;
  throw new GanOnnxError({ what: "is not accepted", where: `Seed ${value}`, fix: "write a whole number" });
}

/** Say why something failed, where it can be seen. */
export function tell(place: HTMLElement, text: string): void {
  place.textContent = text;
  place.scrollIntoView({ block: "nearest" });
}

/** Hand a file over to the browser's downloads. */
export function download(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Run a task again and again, never twice at once: of the calls that come meanwhile, the last one counts. */
export function latestOnly(task: () => Promise<void>): () => void {
  let running = false;
  let wanted = false;
  return async () => {
    wanted = true;
    if (running) return;
    running = true;
    try {
      while (wanted) {
        wanted = false;
        await task();
      }
    } finally {
      running = false;
    }
  };
}
