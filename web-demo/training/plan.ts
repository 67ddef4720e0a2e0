import type { Dataset } from "../../src/data/dataset.js";
import type { IdxFile } from "../../src/data/idx.js";
import type { RecipeName } from "../../src/recipes/index.js";
import type { CurvePoint } from "../ui/curves.js";
import type { DroppedGraph } from "./graph-files.js";
import type { Scene } from "./scene.js";

/** The data of a training in the page: drawn digits, files in MNIST's form, or the user's pictures. */
export type PageData =
  | { readonly kind: "drawn" }
  | {
      readonly kind: "files";
      readonly images: IdxFile;
      readonly labels?: IdxFile;
      /** The number of classes, if there are labels. Older versions of the page did not store it. */
      readonly classes?: number;
    }
  | { readonly kind: "pictures"; readonly dataset: Dataset };

/** The request for a training. */
export interface Plan {
  /** Distinguishes it from earlier and later trainings in this browser. */
  readonly id?: string;
  readonly recipe: RecipeName;
  /** Settings of the recipe that differ from the page's defaults. Older versions of the page did not store them. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly learningRate: number;
  readonly seed: number;
  readonly data: PageData;
  /** The training graph that was dropped onto the page; the page makes its own otherwise. */
  readonly graph?: DroppedGraph;
}

/** The visible results of a training. */
export interface View {
  readonly points: readonly CurvePoint[];
  readonly scene?: Scene;
  /** The position in words. */
  readonly place: string;
}

/** A stored training: its checkpoint (as safetensors) and visible results, after the first step. */
export interface Kept {
  readonly plan: Plan;
  readonly checkpoint?: Uint8Array<ArrayBuffer>;
  readonly view?: View;
}
