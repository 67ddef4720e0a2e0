import { find } from "../ui/dom.js";
import { type Drifting, drift } from "./drift.js";
import { showCell } from "./sheet-view.js";
import { isWalking } from "./walk-view.js";

/** The delay before a sheet begins to move, in milliseconds. */
const REST = 3000;

const button = find("#moving", HTMLButtonElement);
let endDrift = () => {};
let timer: ReturnType<typeof setTimeout> | undefined;
let moved: Pick<Drifting, "model" | "points" | "run"> | undefined;
let busy = false;

let moving: boolean;
letMove(!matchMedia("(prefers-reduced-motion: reduce)").matches);

function letMove(next: boolean): void {
  moving = next;
  button.textContent = moving ? "Keep still" : "Let it move";
}

/** Move another sheet, or none, after a delay. */
export function setMotion(next: typeof moved): void {
  moved = next;
  endDrift();
  endDrift = () => {};
  clearTimeout(timer);
  if (!next || !moving) return;
  const mayMove = () => moving && !busy && !isWalking() && document.visibilityState === "visible";
  timer = setTimeout(() => {
    endDrift = drift({ ...next, mayMove, show: showCell });
  }, REST);
}

/** Stop the sheet while the machine is busy. */
export function setBusy(next: boolean): void {
  busy = next;
}

/** Call `show` when the sheet stops and must be shown unchanged. */
export function onStandingStill(show: () => void): void {
  button.addEventListener("click", () => {
    letMove(!moving);
    setMotion(moved);
    if (!moving) show();
  });
}
