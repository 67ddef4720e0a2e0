import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/**
 * Collect the garbage of this thread. Tensors lie outside V8's heap: left alone, V8 waits for tens of megabytes of them in
 * each thread. Takes some milliseconds, so it is for the end of an epoch.
 */
export function collectGarbage(): void {
  if (!collect) {
    // Node has no function for this; the flag adds one to new contexts.
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
