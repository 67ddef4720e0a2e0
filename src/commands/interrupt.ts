import { say } from "./output.js";

/** The exit status after each signal: that of shells, 128 and the signal's number, but for a terminal that is closed. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 130 } as const;

export type Interruption = keyof typeof codes;

/** A request to stop, from a person or the system. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** The signal that asked. */
  by(): Interruption;
  /** The exit status that tells of it: 130 after Ctrl-C, 143 after SIGTERM. */
  code(): number;
  /** Stop listening. */
  end(): void;
}

/**
 * Ctrl-C asks once for a clean end, and so does SIGTERM, which Slurm and Kubernetes send before they take a machine
 * away; the second time it ends the process at once.
 */
export function interruptible(): Interrupt {
  const controller = new AbortController();
  let by: Interruption = "SIGINT";
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      // A terminal that is closed says so twice: through its shell, and when that ends.
      if (signal === "SIGHUP") return;
      // process.exit would wait for the session's thread, so for ONNX Runtime; the signal's own effect does not.
      end();
      process.kill(process.pid, signal);
      return;
    }
    by = signal as Interruption;
    say("stopping after this call of ONNX Runtime; press Ctrl-C again to stop at once, without saving");
    controller.abort();
  };
  const signals = Object.keys(codes) as Interruption[];
  for (const signal of signals) process.on(signal, onSignal);
  const end = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  return { signal: controller.signal, by: () => by, code: () => codes[by], end };
}
