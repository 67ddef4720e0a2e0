import { type Dataset, mnistForm } from "../../src/data/dataset.js";
import { drawDigits } from "../../src/data/drawn.js";

/** Digits that are drawn, enough that none is seen too often: a hundred steps make an epoch. */
const COUNT = 12_800;

/** The digits that were drawn last: a training that resumes in this worker has them at once. */
let last: { readonly seed: number; readonly dataset: Dataset } | undefined;

/** The digits that the page draws to train with. To draw all of them takes seconds on a busy machine: each comes when it is needed. */
export function drawnDataset(seed: number): Dataset {
  if (last?.seed !== seed) last = { seed, dataset: drawnOnDemand(seed) };
  return last.dataset;
}

function drawnOnDemand(seed: number): Dataset {
  const size = mnistForm.height * mnistForm.width;
  const [images, labels] = [new Uint8Array(COUNT * size), new Uint8Array(COUNT)];
  const isDrawn = new Uint8Array(COUNT);
  const provide = (places: Uint32Array) => {
    for (const place of places) {
      if (isDrawn[place]) continue;
      const digit = drawDigits({ count: 1, seed, first: place });
      images.set(digit.images, place * size);
      labels.set(digit.labels, place);
      isDrawn[place] = 1;
    }
  };
  return { name: "drawn", count: COUNT, ...mnistForm, images, labels, provide };
}
