import type { IdxFile } from "../../src/data/idx.js";
import type { Picture } from "../../src/data/sheet.js";
import type { RecipeName } from "../../src/recipes/index.js";
import type { CurvePoint } from "../ui/curves.js";

/** What a training in the page learns from: digits that it draws itself, or files of MNIST's form. */
export type PageData =
  | { readonly kind: "drawn" }
  | { readonly kind: "files"; readonly images: IdxFile; readonly labels?: IdxFile };

/** A training as it was asked for. */
export interface Plan {
  /** Tells it from other trainings that the browser kept before it, or keeps after it. */
  readonly id?: string;
  readonly recipe: RecipeName;
  readonly learningRate: number;
  readonly seed: number;
  readonly data: PageData;
}

/** What there is to see of a training. */
export interface View {
  readonly points: readonly CurvePoint[];
  readonly sheet: Picture;
  /** Where it stands, in words. */
  readonly place: string;
}

/** A training as far as it has come: its checkpoint (as safetensors) and what there is to see, once it has made a step. */
export interface Kept {
  readonly plan: Plan;
  readonly checkpoint?: Uint8Array<ArrayBuffer>;
  readonly view?: View;
}
