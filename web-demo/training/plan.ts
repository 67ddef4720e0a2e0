import type { Dataset } from "../../src/data/dataset.js";
import type { IdxFile } from "../../src/data/idx.js";
import type { RecipeName } from "../../src/recipes/index.js";
import type { CurvePoint } from "../ui/curves.js";
import type { Scene } from "./scene.js";

/** What a training in the page learns from: digits that it draws itself, files of MNIST's form, or own pictures. */
export type PageData =
  | { readonly kind: "drawn" }
  | { readonly kind: "files"; readonly images: IdxFile; readonly labels?: IdxFile }
  | { readonly kind: "pictures"; readonly dataset: Dataset };

/** A training as it was asked for. */
export interface Plan {
  /** Tells it from other trainings that the browser kept before it, or keeps after it. */
  readonly id?: string;
  readonly recipe: RecipeName;
  /** Settings of the recipe that differ from the page's; trainings of older versions of the page have none. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly learningRate: number;
  readonly seed: number;
  readonly data: PageData;
}

/** What there is to see of a training. */
export interface View {
  readonly points: readonly CurvePoint[];
  readonly scene?: Scene;
  /** Where it stands, in words. */
  readonly place: string;
}

/** A training as far as it has come: its checkpoint (as safetensors) and what there is to see, once it has made a step. */
export interface Kept {
  readonly plan: Plan;
  readonly checkpoint?: Uint8Array<ArrayBuffer>;
  readonly view?: View;
}
