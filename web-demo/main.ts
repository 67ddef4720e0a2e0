import { messageOf } from "../src/error.js";
import { pageProviders } from "./runtime/page-provider.js";
import { drawWith, drawWithFile, offerDrawingOn, offerModel, openLook, shownNow } from "./sampling/look.js";
import { setBusy } from "./sampling/motion.js";
import { setUpTake, type Watched } from "./take/take-view.js";
import { isDataFile } from "./training/data-files.js";
import { holdGraph } from "./training/graph-files.js";
import { find, tell } from "./ui/dom.js";
import { onFiles } from "./ui/drop.js";
import { keepOffline } from "./ui/offline.js";

let watched: Watched | undefined;
const opened = openLook();
setUpTake(shownNow, () => watched);

/** Load the training part after the first sheet. */
const training = opened.then(async () => {
  try {
    return await setUpTraining();
  } catch (error) {
    tell(
      find("#train-problem", HTMLElement),
      `Training cannot be loaded (${messageOf(error)}); reload the page`,
    );
    return undefined;
  }
});

async function setUpTraining() {
  const providers = await pageProviders();
  offerDrawingOn(providers);
  const view = await import("./training/training-view.js");
  await view.setUpTraining(providers, { drawWith, offerModel, setBusy });
  watched = view.watched;
  return view;
}

// Cache files after everything else is loaded.
training.then(keepOffline);

onFiles((files) => {
  if (holdGraph(files)) return void training.then((view) => view?.useGraphFiles(files));
  const toLearnFrom = files.filter(isDataFile);
  const model = files.find(({ name }) => /\.onnx$/i.test(name)) ?? files[0];
  if (toLearnFrom.length > 0) training.then((view) => view?.useDataFiles(toLearnFrom));
  else if (model) drawWithFile(model);
});
