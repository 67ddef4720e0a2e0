/**
 * `npm run quality`: trains all recipes for the same CPU time, scores each by the judge, and prints the table of
 * quality.md. It can be interrupted: what is done is not done again.
 */
import { mkdir } from "node:fs/promises";
import { GanOnnxError, messageOf } from "../src/error.js";
import { type Options, parseOptions } from "./quality/plan.js";
import { measure, type Result, resultOf } from "./quality/run.js";
import { qualityTable } from "./quality/table.js";

async function measureAll(options: Options): Promise<readonly Result[]> {
  const { recipes, seeds, cores, out, stopAfter, tableOnly } = options;
  const started = performance.now();
  await mkdir(out, { recursive: true });
  // All recipes with the first seed come before any with the second.
  const waiting = seeds.flatMap((seed) =>
    recipes
      .filter(({ epochs }) => epochs === undefined || seed === seeds[0])
      .map((contestant) => ({ seed, contestant })),
  );
  const results: Result[] = [];
  const work = async (core: number): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { seed, contestant } = next;
      const made = await resultOf(options, contestant, seed);
      if (made) results.push(made);
      const late = (performance.now() - started) / 1000 > stopAfter;
      if (made || tableOnly || late) continue;
      try {
        const result = await measure(options, contestant, { seed, core });
        results.push(result);
        const { seconds, steps, scores } = result;
        process.stderr.write(
          `${contestant.name}, seed ${seed}: distance ${scores.distance.toPrecision(3)} ` +
            `after ${seconds.toFixed(0)} s, ${steps} steps\n`,
        );
      } catch (error) {
        process.stderr.write(`${contestant.name}, seed ${seed}: ${messageOf(error)}\n`);
        process.exitCode = 1;
      }
    }
  };
  await Promise.all(cores.map(work));
  return results.sort((a, b) => a.seed - b.seed);
}

try {
  const options = parseOptions(process.argv.slice(2));
  const results = await measureAll(options);
  const commands = new Map(results.map(({ name, command }) => [name, command]));
  console.log(`${qualityTable(options.recipes, results)}\n`);
  for (const [name, command] of commands) console.log(`- ${name}: \`gan-onnx ${command}\``);
} catch (error) {
  process.stderr.write(`error: ${messageOf(error)}\n`);
  process.exitCode = error instanceof GanOnnxError && error.kind === "usage" ? 2 : 1;
}
