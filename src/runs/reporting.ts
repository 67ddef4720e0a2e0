import { join } from "node:path";
import { unwritable, writeAtomically } from "../files.node.js";
import type { Workplace } from "../training/training.js";
import { animationOf } from "./animation.js";
import { readReport } from "./report-data.js";
import { reportPage } from "./report-page.js";

/** The maximum share of time for writing reports. */
const PART = 1 / 20;

/** The report of a run: one page that opens from disk. */
const reportFile = (folder: string) => join(folder, "report.html");

/** The animation of a run's sheets, where that is wanted. */
const animationFile = (folder: string) => join(folder, "epochs.png");

/** A workplace that also writes the report of the run, after epochs and when the training ends. */
export function withReport(
  workplace: Workplace,
  folder: string,
  { commands, animate = false }: { commands: readonly string[]; animate?: boolean },
): Workplace {
  const { keeper } = workplace;
  let [steps, ended, took, written] = [0, performance.now(), 0, false];
  // Whoever could not keep something may have lost the folder, and has a reason to give that is no report's.
  let broken = false;
  const watched = async (work: Promise<void>) => {
    await work.catch((error: unknown) => {
      broken = true;
      throw error;
    });
  };
  const write = async () => {
    const now = performance.now();
    const report = await readReport(folder).catch((cause: unknown) => {
      throw unwritable(reportFile(folder), cause);
    });
    await writeAtomically(reportFile(folder), reportPage(report, commands));
    const animation = animate ? animationOf(report.sheets) : undefined;
    if (animation) await writeAtomically(animationFile(folder), animation);
    [ended, written] = [performance.now(), true];
    took = ended - now;
  };
  return {
    ...workplace,
    keeper: {
      ...keeper,
      async metrics(lines) {
        steps += lines.length;
        written = false;
        await watched(keeper.metrics(lines));
      },
      async checkpoint(checkpoint) {
        await watched(keeper.checkpoint(checkpoint));
        const due = performance.now() - ended > took / PART;
        if (checkpoint.position.step === 0 && due) await write();
      },
      async end() {
        try {
          if (steps > 0 && !written && !broken) await write();
        } finally {
          await keeper.end?.();
        }
      },
    },
  };
}
