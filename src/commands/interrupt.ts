import { say } from "./output.js";

/** The exit status after each signal: 128 plus the signal's number, as in shells, except for a closed terminal. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 130 } as const;

export type Interruption = keyof typeof codes;

/** A request to stop, from the user or the system. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** The signal that was received. */
  by(): Interruption;
  /** The exit status: 130 after Ctrl-C, 143 after SIGTERM. */
  code(): number;
  /** Stop listening. */
  end(): void;
}

/**
 * The first Ctrl-C requests a clean stop. So does SIGTERM, which Slurm and Kubernetes send before they stop a machine.
 * The second signal ends the process immediately.
 */
export function interruptible(): Interrupt {
  const controller = new AbortController();
  let by: Interruption = "SIGINT";
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      // Closing a terminal sends SIGHUP twice: through its shell, and when the shell ends.
      if (signal === "SIGHUP") return;
      // process.exit would wait for the session's thread, and so for ONNX Runtime. The default action of the signal
      // does not.
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
