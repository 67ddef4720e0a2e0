import { expect, test } from "vitest";
import type { News } from "../../../src/serving/run-view.js";
import { STILL, standingOf } from "../../../web-demo/runs/standing.js";

const settings = { recipe: "vanilla", epochs: 3 } as unknown as News["settings"];
const metrics = { file: "", from: 0, next: 0, text: "", more: false, idle: 0 };
const news: News = { name: "a", there: true, settings, sheets: [], metrics, claimed: true };

test.each<[what: string, news: News, epoch: number | undefined, text: string]>([
  ["whose folder is not there yet", { ...news, there: false }, undefined, "Waiting for the run to begin."],
  ["before its first step", news, undefined, "Waiting for the first steps."],
  [
    "that ended before",
    { ...news, claimed: false },
    undefined,
    "Stopped before its first step: see what the command says.",
  ],
  ["in its first epoch", news, 1, "Training."],
  ["that was killed", { ...news, claimed: false }, 1, "Stopped."],
  [
    "that stands still",
    { ...news, metrics: { ...metrics, idle: STILL } },
    1,
    "No new steps for more than two minutes.",
  ],
  [
    "that diverged",
    { ...news, claimed: false, diverged: { epoch: 2, step: 31 } },
    2,
    "Diverged at epoch 2, step 31.",
  ],
  [
    "that diverged in its first step",
    { ...news, diverged: { epoch: 1, step: 1 } },
    undefined,
    "Diverged at epoch 1, step 1.",
  ],
  ["with the sheet of its last epoch", { ...news, claimed: false, sheets: [[3, 0]] }, 3, "Complete."],
])("how a run stands: one %s", (_, news, epoch, text) => {
  expect(standingOf(news, epoch, false).text).toBe(text);
});
