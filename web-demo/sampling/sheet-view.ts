import type { Picture } from "../../src/data/sheet.js";
import { contextOf, find } from "../ui/dom.js";

/** The first and last picture of the walk. If `to` is missing, it has not been selected yet. */
export interface Ends {
  readonly from: number;
  readonly to?: number;
}

const sheet = find("#sheet", HTMLElement);
const canvas = find("#sheet canvas", HTMLCanvasElement);
const cells = find("#cells", HTMLElement);
const rowNames = find("#row-names", HTMLElement);
/** The approximate width of a sheet, in CSS pixels. Each pixel of the sheet gets a whole number of them. */
const WIDTH = 740;
let columns = 1;

/** Reserve the place of a sheet with this size, so that nothing moves when it is shown. */
export function reserveSheet(width: number, height: number): void {
  sheet.style.aspectRatio = `${width} / ${height}`;
  sheet.style.maxWidth = `${Math.max(1, Math.floor(WIDTH / width)) * width}px`;
}

/** A sheet of pictures in rows. */
export interface Sheet {
  readonly picture: Picture;
  readonly columns: number;
  /** The name of each picture: `digit 3 of 64`. */
  readonly names: readonly string[];
  /** The name of each row, if rows have names. */
  readonly rows: readonly string[];
}

/** Show a sheet of pictures. */
export function showSheet({ picture, columns: across, names, rows }: Sheet): void {
  columns = across;
  const count = names.length;
  reserveSheet(picture.width, picture.height);
  drawPicture(canvas, picture);
  sheet.querySelector("img")?.remove();
  if (cells.childElementCount !== count) cells.replaceChildren(...Array.from({ length: count }, cellOf));
  cells.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
  for (const [i, cell] of buttons().entries()) cell.ariaLabel = names[i];
  rowNames.hidden = rows.length === 0;
  rowNames.replaceChildren(
    ...rows.map((name) => {
      const row = document.createElement("span");
      row.textContent = name;
      return row;
    }),
  );
}

/** Replace one picture of the sheet. */
export function showCell(index: number, { width, height, data }: Picture): void {
  const [left, top] = [2 + (index % columns) * (width + 2), 2 + Math.floor(index / columns) * (height + 2)];
  contextOf(canvas).putImageData(new ImageData(data, width, height), left, top);
}

/** Mark the first and last picture of the walk. */
export function markEnds({ from, to }: Ends): void {
  for (const [i, cell] of buttons().entries()) {
    cell.classList.toggle("from", i === from);
    cell.classList.toggle("to", i === to && to !== from);
    cell.ariaPressed = String(i === from || i === to);
  }
}

/** Call `choose` when a picture is selected, by pointer or keys. */
export function onChoice(choose: (index: number) => void): void {
  cells.addEventListener("click", ({ target }) => {
    const index = buttons().indexOf(target as HTMLButtonElement);
    if (index < 0) return;
    enter(index);
    choose(index);
  });
}

/** Draw a picture on a canvas, pixel by pixel. */
export function drawPicture(canvas: HTMLCanvasElement, { width, height, data }: Picture): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  contextOf(canvas).putImageData(new ImageData(data, width, height), 0, 0);
}

function buttons(): HTMLButtonElement[] {
  return Array.from(cells.children) as HTMLButtonElement[];
}

function cellOf(_: unknown, index: number): HTMLButtonElement {
  const cell = document.createElement("button");
  cell.type = "button";
  cell.tabIndex = index === 0 ? 0 : -1;
  return cell;
}

/** The sheet is one tab stop. Inside it, arrow keys move the focus, as in any grid. */
function enter(index: number): void {
  for (const [i, cell] of buttons().entries()) cell.tabIndex = i === index ? 0 : -1;
}

cells.addEventListener("keydown", (event) => {
  const all = buttons();
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -all.length,
    End: all.length,
  };
  const step = steps[event.key];
  const at = all.indexOf(document.activeElement as HTMLButtonElement);
  if (step === undefined || at < 0) return;
  event.preventDefault();
  const far = Math.abs(step) === all.length;
  const next = far ? Math.min(Math.max(at + step, 0), all.length - 1) : at + step;
  if (!all[next]) return;
  enter(next);
  all[next].focus();
});
