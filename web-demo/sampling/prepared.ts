import { contextOf, find } from "../ui/dom.js";

/**
 * Show a sheet that was made when the page was built, until the page can draw its own: ONNX Runtime is a large download.
 *
 * @param model the model that the page opens with; the sheet is that of a shipped one.
 * @param late whether the page has drawn its own by now.
 */
export async function showPrepared(model: string, late: () => boolean): Promise<void> {
  if (location.search !== "" || model !== import.meta.env.FIRST_MODEL) return;
  const sheet = find("#sheet", HTMLElement);
  const canvas = find("#sheet canvas", HTMLCanvasElement);
  try {
    const response = await fetch("models/first-sheet.png");
    if (!response.ok) return;
    const bitmap = await createImageBitmap(await response.blob());
    if (late()) return;
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    contextOf(canvas).drawImage(bitmap, 0, 0);
    sheet.classList.add("prepared");
  } catch {
    // The page draws its own sheet anyway.
  }
}
