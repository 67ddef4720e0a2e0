/**
 * ONNX's own backend node tests through reader, writer and ONNX Runtime:
 *
 *     npm run conformance -- FOLDER [PATTERN] [--docs]
 *
 * FOLDER is onnx/backend/test/data/node of the PyPI package `onnx`; --docs writes docs/operators.md.
 */
import { parseArgs } from "node:util";
import { writeAtomically } from "../src/files.node.js";
import { casesIn, type Outcome, tryCase } from "../test/helpers/conformance.js";
import { operatorsPage } from "./operators-page.js";

const { positionals, values } = parseArgs({ allowPositionals: true, options: { docs: { type: "boolean" } } });
const [folder, pattern = ""] = positionals;
if (folder === undefined) {
  process.stderr.write("usage: npm run conformance -- FOLDER [PATTERN] [--docs]\n");
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
const sorted = [...reasons].sort((a, b) => b[1] - a[1]);
for (const [why, count] of sorted) print(`not supported ${String(count).padStart(4)}  ${why}`);
for (const [name, outcome] of of("failed"))
  if (outcome.kind === "failed") print(`failed ${name}: ${outcome.why}`);
const checked = of("passed").filter(([, each]) => each.kind === "passed" && each.gradient === "checked");
const total =
  `${outcomes.size} cases: ${of("passed").length} passed (${checked.length} with gradients checked), ` +
  `${of("not supported").length} not supported, ${of("failed").length} failed`;
if (values.docs)
  await writeAtomically("docs/operators.md", operatorsPage([...outcomes.values()], total, sorted));
print(total);
if (of("failed").length > 0) process.exitCode = 1;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
