/**
 * ONNX's own backend node tests through reader, writer and ONNX Runtime:
 *
 *     npm run conformance -- WHEEL [PATTERN] [--ep webgpu] [--docs]
 *
 * WHEEL is the PyPI package `onnx` (a .whl file), or the folder onnx/backend/test/data/node in it. --ep also computes
 * the cases on that execution provider and compares. --docs writes docs/operators.md, with all providers that work on
 * this machine.
 */
import { parseArgs } from "node:util";
import { messageOf } from "../src/error.js";
import { writeAtomically } from "../src/files.node.js";
import { examine } from "../src/runtime/examine.node.js";
import { type ProviderName, providerNames } from "../src/runtime/providers.js";
import { type Outcome, summaryOf, tryCase } from "../test/helpers/conformance.js";
import { onlyOperator, type ProviderOutcome, tryOn } from "../test/helpers/conformance-on.js";
import { casesIn, nodeTests } from "../test/helpers/onnx-cases.js";
import { operatorsPage } from "./operators-page.js";

const accelerators = providerNames.filter((name) => name !== "cpu");
const options = { docs: { type: "boolean" }, ep: { type: "string" } } as const;

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options });
  const [source, pattern = ""] = positionals;
  const ep = accelerators.find((name) => name === values.ep);
  if (source === undefined || (values.ep !== undefined && !ep)) {
    process.stderr.write(
      `usage: npm run conformance -- WHEEL [PATTERN] [--ep ${accelerators.join(" | ")}] [--docs]\n`,
    );
    return 2;
  }
  const tests = await nodeTests(source);
  try {
    const outcomes = new Map<string, Outcome>();
    for (const name of casesIn(tests.folder).filter((name) => name.includes(pattern))) {
      outcomes.set(name, await tryCase(tests.folder, name));
    }
    const reasons = reasonsIn(outcomes);
    for (const [why, count] of reasons) print(`not supported ${String(count).padStart(4)}  ${why}`);
    const failed = [...outcomes].filter(([, { kind }]) => kind === "failed");
    for (const [name, outcome] of failed)
      if (outcome.kind === "failed") print(`failed ${name}: ${outcome.why}`);
    const sweeps = new Map<ProviderName, Sweep | string>();
    for (const name of values.docs ? accelerators : ep ? [ep] : []) {
      sweeps.set(name, await sweep(name, tests.folder, outcomes));
    }
    if (values.docs) {
      await writeAtomically("docs/operators.md", operatorsPage([...outcomes.values()], reasons, sweeps));
    }
    print(summaryOf([...outcomes.values()]));
    return failed.length > 0 ? 1 : 0;
  } finally {
    await tests.remove();
  }
}

/** The number of cases for each reason why some are not supported, the most frequent first. */
function reasonsIn(outcomes: ReadonlyMap<string, Outcome>): (readonly [why: string, count: number])[] {
  const reasons = new Map<string, number>();
  for (const outcome of outcomes.values()) {
    if (outcome.kind === "not supported") reasons.set(outcome.why, (reasons.get(outcome.why) ?? 0) + 1);
  }
  return [...reasons].sort((a, b) => b[1] - a[1]);
}

/** What a provider made of the cases that consist of one operator, by operator. */
export type Sweep = ReadonlyMap<string, readonly ProviderOutcome[]>;

/** Compute the passed cases of single operators on a provider. Returns the reason if it is not available. */
async function sweep(
  ep: ProviderName,
  folder: string,
  outcomes: ReadonlyMap<string, Outcome>,
): Promise<Sweep | string> {
  const { available, reason = "" } = await examine(ep);
  if (!available) {
    print(`${ep}: not run: ${reason}`);
    return reason;
  }
  const found = new Map<string, ProviderOutcome[]>();
  for (const [name, outcome] of outcomes) {
    const operator = outcome.kind === "passed" ? onlyOperator(outcome.operators) : undefined;
    if (operator === undefined) continue;
    const result = await tryOn(ep, folder, name);
    if (!result) continue;
    if (result.why) print(`${ep}: ${name}: ${result.why}`);
    found.set(operator, [...(found.get(operator) ?? []), result]);
  }
  const all = [...found.values()].flat();
  const passed = all.filter(({ why }) => why === undefined).length;
  const whole = all.filter(({ why, onCpu }) => why === undefined && onCpu.length === 0).length;
  print(
    `${ep}: ${all.length} cases of one operator: ${passed} passed, ${whole} of them without a node on the CPU`,
  );
  return found;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
