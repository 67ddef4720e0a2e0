import { GanOnnxError, setting, text } from "../error.js";
import { accuracyExaminer, sampleExaminer } from "../evaluation/examine.js";
import { openJudge } from "../evaluation/judge-file.node.js";
import type { Design } from "../recipes/index.js";
import { opensOn } from "../runtime/session.node.js";
import type { Examiner, Training } from "../training/training.js";

/** The default number of samples for scores. */
const SAMPLES = 10_000;

/**
 * Check that a run that keeps its best checkpoint is scored.
 *
 * @throws {@link GanOnnxError} (usage) when it is not.
 */
export function requireScores(
  { keepBest, evaluateEvery }: { readonly keepBest?: boolean; readonly evaluateEvery?: number },
  { exported }: Design,
): void {
  if (!keepBest || evaluateEvery !== undefined || exported.kind === "classifier") return;
  throw new GanOnnxError({
    what: "needs scores to know the best checkpoint, and this run has none",
    where: setting("keepBest"),
    fix: text`add ${setting("evaluateEvery", 1)}`,
    kind: "usage",
  });
}

/**
 * Compute scores of a run: a classifier on held-out images after every epoch, or a generator with the packaged judge if
 * requested. Scores are computed on the CPU and do not affect the training.
 */
export async function openExaminer(
  run: Training & { readonly evaluateEvery?: number; readonly evaluateSamples?: number },
): Promise<Examiner | undefined> {
  const { design, dataset, heldOut, start, evaluateEvery: every, evaluateSamples: samples = SAMPLES } = run;
  const { exported } = design;
  const open = opensOn({ ep: "cpu" });
  if (exported.kind === "classifier") return heldOut && accuracyExaminer(design, exported, heldOut, open);
  if (every === undefined) return undefined;
  const { judge } = await openJudge(undefined, open);
  const { seed } = start.position;
  return sampleExaminer(design, exported, { judge, dataset, every, samples, seed, open });
}
