/** The storage key of closed notes. */
const KEY = "gan-onnx closed notes";

/** Keep explanations closed after the user has closed them, also in later visits if the browser can store it. */
export function rememberNotes(): void {
  const notes = Array.from(document.querySelectorAll<HTMLDetailsElement>("details.note"));
  let closed: string[] = [];
  try {
    closed = (localStorage.getItem(KEY) ?? "").split(" ");
  } catch {
    // This browser stores nothing.
  }
  for (const note of notes) {
    if (closed.includes(note.id)) note.open = false;
    note.addEventListener("toggle", () => {
      const now = notes.filter(({ open }) => !open).map(({ id }) => id);
      try {
        localStorage.setItem(KEY, now.join(" "));
      } catch {
        // This browser stores nothing.
      }
    });
  }
}
