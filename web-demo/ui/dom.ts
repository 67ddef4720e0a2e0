import { GanOnnxError } from "../../src/error.js";

/** The element that a selector names. It must exist and have this class. */
export function find<T extends Element>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${selector}`);
}

/** The 2D context of a canvas. */
export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context) return context;
  throw new Error("this browser draws no canvas");
}

/**
 * The seed in a field.
 *
 * @throws {@link GanOnnxError} when it is invalid.
 */
export function readSeed({ value }: HTMLInputElement): number {
  const seed = Number(value);
  if (/^\d+$/.test(value.trim()) && Number.isSafeInteger(seed)) return seed;
  throw new GanOnnxError({ what: "is not accepted", where: `Seed ${value}`, fix: "write a whole number" });
}

/** Show a message in a place and scroll to it. */
export function tell(place: HTMLElement, text: string): void {
  place.textContent = text;
  place.scrollIntoView({ block: "nearest" });
}

/** Save content as a download of the browser. */
export function download(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Run a task, never twice at the same time. Of several calls meanwhile, only the last one counts. */
export function latestOnly(task: () => Promise<void>): () => void {
  let running = false;
  let pending = false;
  return async () => {
    pending = true;
    if (running) return;
    running = true;
    try {
      while (pending) {
        pending = false;
        await task();
      }
    } finally {
      running = false;
    }
  };
}
