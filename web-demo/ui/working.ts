/** The time between two frames of the sign, in milliseconds: smooth motion would take processor time from the work. */
const FRAME = 250;

let timer: ReturnType<typeof setInterval> | undefined;

/** Show or hide a sign in a place that something is prepared. It turns, unless the user wants little motion. */
export function setWorking(place: HTMLElement, working: boolean): void {
  if (place.classList.contains("working") === working) return;
  place.classList.toggle("working", working);
  clearInterval(timer);
  if (!working || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  let turns = 0;
  timer = setInterval(() => {
    turns += 1 / 8;
    place.style.setProperty("--turns", `${turns}turn`);
  }, FRAME);
}
