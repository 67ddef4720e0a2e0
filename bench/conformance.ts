/**
 * ONNX's own backend node tests through reader, writer and ONNX Runtime: `npm run conformance -- FOLDER [PATTERN]`,
 * where FOLDER is onnx/backend/test/data/node of the PyPI package `onnx`.
 */
import { casesIn, type Outcome, tryCase } from "../test/helpers/conformance.js";

const [folder, pattern = ""] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: npm run conformance -- FOLDER [PATTERN]\n");
  process.exit(2);
}

const outcomes = new Map<string, Outcome>();
for (const name of casesIn(folder).filter((name) => name.includes(pattern))) {
  outcomes.set(name, await tryCase(folder, name));
}

const of = (kind: Outcome["kind"]) => [...outcomes].filter(([, outcome]) => outcome.kind === kind);
const reasons = new Map<string, number>();
for (const [, outcome] of of("not supported")) {
  if (outcome.kind === "not supported") reasons.set(outcome.why, (reasons.get(outcome.why) ?? 0) + 1);
}
for (const [why, count] of [...reasons].sort((a, b) => b[1] - a[1]))
  print(`not supported ${String(count).padStart(4)}  ${why}`);
for (const [name, outcome] of of("failed"))
  if (outcome.kind === "failed") print(`failed ${name}: ${outcome.why}`);
const checked = of("passed").filter(
  ([, outcome]) => outcome.kind === "passed" && outcome.gradient === "checked",
);
print(
  `${outcomes.size} cases: ${of("passed").length} passed (${checked.length} with gradients checked), ` +
    `${of("not supported").length} not supported, ${of("failed").length} failed`,
);
if (of("failed").length > 0) process.exitCode = 1;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
