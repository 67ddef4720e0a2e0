import type { Picture } from "../../src/data/sheet.js";
import { contextOf, find } from "../ui/dom.js";

/** Which digits the walk goes between. */
export interface Ends {
  readonly from: number;
  readonly to: number;
}

const sheet = find("#sheet", HTMLElement);
const canvas = find("#sheet canvas", HTMLCanvasElement);
const cells = find("#cells", HTMLElement);
/** About how wide a sheet is shown, in CSS pixels; each of its pixels gets a whole number of them. */
const WIDTH = 740;
let columns = 1;

/** Keep the place of a sheet of so many pixels before there is one, so that nothing jumps when it comes. */
export function reserveSheet(width: number, height: number): void {
  sheet.style.aspectRatio = `${width} / ${height}`;
  sheet.style.maxWidth = `${Math.max(1, Math.floor(WIDTH / width)) * width}px`;
}

/** Show a sheet of `count` images. */
export function showSheet(picture: Picture, count: number, across: number): void {
  columns = across;
  reserveSheet(picture.width, picture.height);
  drawPicture(canvas, picture);
  if (cells.childElementCount !== count) cells.replaceChildren(...Array.from({ length: count }, cellOf));
  cells.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
  for (const [i, cell] of buttons().entries()) cell.ariaLabel = `Digit ${i + 1} of ${count}`;
}

/** Mark the digits that the walk goes between. */
export function markEnds({ from, to }: Ends): void {
  for (const [i, cell] of buttons().entries()) {
    cell.classList.toggle("from", i === from);
    cell.classList.toggle("to", i === to);
    cell.ariaPressed = String(i === from || i === to);
  }
}

/** Tell when a digit is chosen, by pointer or keys. */
export function onChoice(choose: (index: number) => void): void {
  cells.addEventListener("click", ({ target }) => {
    const index = buttons().indexOf(target as HTMLButtonElement);
    if (index < 0) return;
    enter(index);
    choose(index);
  });
}

/** Put a picture on a canvas, pixel by pixel. */
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

/** The sheet is one stop for the tab key; inside, arrows move, as in any grid. */
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
