import { existsSync } from "node:fs";
import type { ScoresLine } from "../training/training.js";
import { linkOver, readCheckpoint } from "./checkpoints.js";
import { readScores } from "./report-data.js";
import { runFiles } from "./run-folder.js";

/** The scores that tell which epoch is best, and whether more of one is better: the first that a run has counts. */
const measures: readonly (readonly [name: string, sign: 1 | -1])[] = [
  ["distance", -1],
  ["held_out_accuracy", 1],
];

/** How good scores are: the larger the better; undefined where none of them tells. */
function merit(scores: ScoresLine["scores"]): number | undefined {
  const [name, sign] = measures.find(([name]) => Number.isFinite(scores[name])) ?? [];
  return name === undefined || sign === undefined ? undefined : sign * scores[name];
}

/** Keeps the checkpoint of the epoch with the best scores as one more name of that file. */
export interface BestKeeper {
  /** Know the best so far of a run that is resumed, which stands at an epoch's end or within one. */
  begin(at: Position): Promise<void>;
  scored(line: Pick<ScoresLine, "epoch" | "scores">): void;
  /** The checkpoint of a position has been kept. */
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
      // It may have been killed between the two names.
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
