/** Where closed notes are remembered. */
const KEY = "gan-onnx closed notes";

/** Explanations stay closed once they were closed, also in the next visit where the browser can remember it. */
export function rememberNotes(): void {
  const notes = Array.from(document.querySelectorAll<HTMLDetailsElement>("details.note"));
  let closed: string[] = [];
  try {
    closed = (localStorage.getItem(KEY) ?? "").split(" ");
  } catch {
    // This browser keeps nothing.
  }
  for (const note of notes) {
    if (closed.includes(note.id)) note.open = false;
    note.addEventListener("toggle", () => {
      const now = notes.filter(({ open }) => !open).map(({ id }) => id);
      try {
        localStorage.setItem(KEY, now.join(" "));
      } catch {
        // Nor now.
      }
    });
  }
}
