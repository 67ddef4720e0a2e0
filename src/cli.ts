import yargs, { type Argv } from "yargs";
import { hideBin } from "yargs/helpers";
import { checkArguments, checkDashes, quoteNumbers } from "./commands/arguments.js";
import { buildGraphs } from "./commands/build-graphs.js";
import { check } from "./commands/check.js";
import { data } from "./commands/data.js";
import { demo } from "./commands/demo.js";
import { differentiateModel } from "./commands/differentiate.js";
import { doctor } from "./commands/doctor.js";
import { evaluate } from "./commands/evaluate.js";
import { exportModel } from "./commands/export.js";
import { misunderstood } from "./commands/misunderstood.js";
import { report } from "./commands/report.js";
import { runs } from "./commands/runs.js";
import { sample } from "./commands/sample.js";
import { serve } from "./commands/serve.js";
import { sweep } from "./commands/sweep.js";
import { train } from "./commands/train.js";
import { verify } from "./commands/verify.js";
import { flagOf } from "./config.js";
import { GanOnnxError, messageOf } from "./error.js";
import { producer } from "./version.js";

const commands = [
  demo,
  data,
  check,
  buildGraphs,
  train,
  sweep,
  exportModel,
  sample,
  evaluate,
  report,
  runs,
  serve,
  verify,
  differentiateModel,
  doctor,
];

/** Print errors. This is the only place. The stack trace is shown only with --verbose. */
function fail(error: unknown, verbose: boolean): void {
  process.stderr.write(`error: ${messageOf(error, flagOf)}\n`);
  if (verbose && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = error instanceof GanOnnxError && error.kind === "usage" ? 2 : 1;
}

// If the reader of the output has exited, continue and save the results.
process.stderr.on("error", () => {});
process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
  if (cause.code === "EPIPE") return;
  const [what, fix] = [`cannot be written (${messageOf(cause)})`, "see where it is redirected to"];
  fail(new GanOnnxError({ what, where: "stdout", fix, cause }), verbose);
});

const usages = commands.flatMap(({ command = [] }) => command);
const args = hideBin(process.argv);
const verbose = args.includes("--verbose");

const parser: Argv = yargs(args)
  .scriptName("gan-onnx")
  .locale("en") // misunderstood.ts parses the English messages.
  .usage("$0 <command>\n\nTrain generative networks with nothing but ONNX Runtime.")
  .command(commands)
  .option("verbose", { type: "boolean", global: true, describe: "show the stack trace of an error" })
  .completion("completion", "print a script that completes commands and flags in bash or zsh")
  .example("$0 train --data mnist", "train the recipe with the best scores, vae-gan, on MNIST")
  .example("$0 sample generator.onnx --out digits.png", "draw samples with an exported generator")
  .parserConfiguration({ "dot-notation": false, "strip-dashed": true })
  .strict()
  .middleware((argv) => quoteNumbers(args, argv), true)
  .check((argv) => {
    checkArguments(args, argv);
    return true;
  })
  .version(producer.version)
  .alias({ h: "help", v: "version" })
  .describe({ help: "show this help", version: "show the version" })
  .wrap(Math.min(110, process.stdout.columns ?? 110))
  .exitProcess(false)
  .fail((message, error) => {
    if (error instanceof GanOnnxError || !message) throw error;
    throw misunderstood(message, args, parser, usages);
  });

try {
  if (args.length === 0) {
    process.stderr.write(`${await parser.getHelp()}\n`);
    process.exitCode = 2;
  } else if (args.length === 1 && args[0] === "completion") {
    parser.showCompletionScript();
  } else {
    checkDashes(args);
    await parser.parseAsync();
  }
} catch (error) {
  fail(error, verbose);
}
