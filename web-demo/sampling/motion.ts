import { find } from "../ui/dom.js";
import { type Drifting, drift } from "./drift.js";
import { showCell } from "./sheet-view.js";
import { isWalking } from "./walk-view.js";

/** How long a sheet rests before it begins to move, in milliseconds. */
const REST = 3000;

const button = find("#moving", HTMLButtonElement);
let endDrift = () => {};
let timer: ReturnType<typeof setTimeout> | undefined;
let moved: Pick<Drifting, "model" | "points" | "run"> | undefined;
let busy = false;

const isMoving = () => button.ariaPressed === "true";
button.ariaPressed = String(!matchMedia("(prefers-reduced-motion: reduce)").matches);

/** Let another sheet move, or none; it rests first. */
export function setMotion(next: typeof moved): void {
  moved = next;
  endDrift();
  endDrift = () => {};
  clearTimeout(timer);
  if (!next || !isMoving()) return;
  const mayMove = () => isMoving() && !busy && !isWalking() && document.visibilityState === "visible";
  timer = setTimeout(() => {
    endDrift = drift({ ...next, mayMove, show: showCell });
  }, REST);
}

/** Whether the machine is needed for something else: the sheet stands still then. */
export function setBusy(next: boolean): void {
  busy = next;
}

/** Tell when the sheet is to stand still as it is. */
export function onStandingStill(show: () => void): void {
  button.addEventListener("click", () => {
    button.ariaPressed = String(!isMoving());
    setMotion(moved);
    if (!isMoving()) show();
  });
}
