import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: ((options?: { readonly type: "minor" }) => void) | undefined;

/**
 * Collect the garbage of this thread. Tensors lie outside V8's heap: left alone, V8 waits for tens of megabytes of them in
 * each thread. `major` takes some milliseconds, so it is for the end of an epoch. `minor` takes about one, and collects
 * what has become garbage soon after it was made.
 */
export function collectGarbage(type: "major" | "minor"): void {
  if (!collect) {
    // Node has no function for this; the flag adds one to new contexts.
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as NonNullable<typeof collect>;
  }
  // For V8 11, which is in Node 20, any argument says minor.
  if (type === "minor") collect({ type });
  else collect();
}
