import { existsSync } from "node:fs";
import type { ScoresLine } from "../training/training.js";
import { linkOver, readCheckpoint } from "./checkpoints.js";
import { readScores } from "./report-data.js";
import { runFiles } from "./run-folder.js";

/** The scores that decide which epoch is best, and whether larger is better. The first one that a run has is used. */
const measures: readonly (readonly [name: string, sign: 1 | -1])[] = [
  ["distance", -1],
  ["held_out_accuracy", 1],
];

/** The quality of scores, larger is better; undefined when no score decides. */
function merit(scores: ScoresLine["scores"]): number | undefined {
  const [name, sign] = measures.find(([name]) => Number.isFinite(scores[name])) ?? [];
  return name === undefined || sign === undefined ? undefined : sign * scores[name];
}

/** Keeps the checkpoint of the epoch with the best scores, as a second name of its file. */
export interface BestKeeper {
  /** Load the best score so far of a resumed run. The position is at the end of an epoch or within one. */
  begin(at: Position): Promise<void>;
  scored(line: Pick<ScoresLine, "epoch" | "scores">): void;
  /** The checkpoint of a position was saved. */
  kept(at: Position): Promise<void>;
}

interface Position {
  readonly epoch: number;
  readonly step: number;
}

export function bestKeeper(folder: string): BestKeeper {
  const { checkpoint, bestCheckpoint, scores } = runFiles(folder);
  let best: number | undefined;
  let last: { readonly epoch: number; readonly merit: number } | undefined;
  const keeper: BestKeeper = {
    async begin(at) {
      const lines = await readScores(scores);
      const meritAt = (epoch: number) => {
        const line = lines.findLast((one) => one.epoch === epoch);
        return line && merit(line.scores);
      };
      if (existsSync(bestCheckpoint)) {
        const found = await readCheckpoint(bestCheckpoint).catch(() => undefined);
        best = found && meritAt(found.position.epoch);
      }
      // The process may have been killed before the second name was created.
      const now = meritAt(at.epoch);
      if (now !== undefined && existsSync(checkpoint)) {
        last = { epoch: at.epoch, merit: now };
        await keeper.kept(at);
      }
    },
    scored({ epoch, scores }) {
      const found = merit(scores);
      last = found === undefined ? undefined : { epoch, merit: found };
    },
    async kept({ epoch, step }) {
      if (step > 0 || last?.epoch !== epoch || (best !== undefined && last.merit <= best)) return;
      await linkOver(checkpoint, bestCheckpoint);
      best = last.merit;
    },
  };
  return keeper;
}
