/** A thread that works as long as the one that asks it, to see whether both work at once. */
import { spin } from "./threads.js";

addEventListener("message", () => {
  spin();
  postMessage(undefined);
});
spin();
postMessage(undefined);
