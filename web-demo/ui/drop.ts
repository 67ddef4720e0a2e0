import { find } from "./dom.js";

/** Text that is dragged from one field to another is none of the page's business. */
const bringsFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files");

/** Take the files that are dropped anywhere on the page, or chosen by a button. */
export function onFiles(take: (files: readonly File[]) => void): void {
  const field = find("#file", HTMLInputElement);
  find("#choose", HTMLButtonElement).addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    take([...(field.files ?? [])]);
    // The same file again is a choice, too.
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
