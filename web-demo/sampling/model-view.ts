import { find } from "../ui/dom.js";
import type { Settings } from "./address.js";
import { captionOf, type ShownModel } from "./models.js";

const digitField = find("#digit", HTMLSelectElement);
const countField = find("#count", HTMLSelectElement);

/** Show the settings of a sheet in their fields. */
export function showSettings({ seed, count, digit, number }: Settings): void {
  find("#seed", HTMLInputElement).value = String(seed);
  if (!Array.from(countField.options).some(({ value }) => value === String(count))) {
    countField.add(new Option(String(count)));
  }
  countField.value = String(count);
  digitField.value = digit === undefined ? "" : String(digit);
  if (number !== undefined) find("#number", HTMLInputElement).value = number;
}

/**
 * Adapt all labels of the page to what a model draws, and show the selected class. The other fields stay: a model may
 * come while someone types in them.
 */
export function showModel(model: ShownModel, digit: number | undefined): void {
  const { generator, words } = model;
  const says = (selector: string, text: string) => {
    find(selector, HTMLElement).textContent = text;
  };
  says("#caption", captionOf(model));
  says("#title", words.title);
  says("#lead", words.lead);
  says("#choose-two", `Choose two ${words.many} on the sheet: the network draws every point between them.`);
  says("#digit-name", words.kind);
  document.title = `${words.title} · gan-onnx`;
  digitField.replaceChildren(
    new Option("all", ""),
    ...words.names.map((name, i) => new Option(name, String(i))),
  );
  digitField.value = digit === undefined ? "" : String(digit);
  find("#digit-row", HTMLElement).hidden = generator.classes === undefined;
}
