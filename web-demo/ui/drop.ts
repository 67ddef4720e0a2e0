import { find } from "./dom.js";

/** Ignore text that is dragged from one field to another. */
const bringsFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files");

/** Call `take` with files that are dropped on the page or selected with a button. */
export function onFiles(take: (files: readonly File[]) => void): void {
  const field = find("#file", HTMLInputElement);
  find("#choose", HTMLButtonElement).addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    take([...(field.files ?? [])]);
    // Allow the same file to be selected again.
    field.value = "";
  });
  addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
