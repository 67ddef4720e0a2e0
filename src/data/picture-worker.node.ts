/** A thread that reads pictures, see image-folder.node.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { type PicturesToRead, type ReadingTask, readPictures } from "./pictures.node.js";

const task = workerData as ReadingTask;

parentPort?.on("message", async (pictures: PicturesToRead) => {
  const found = await readPictures(task, pictures);
  const white = found.flatMap(({ overWhite }) => (overWhite ? [overWhite.buffer] : []));
  parentPort?.postMessage(found, white);
});
