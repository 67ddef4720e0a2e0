import type { Argv, CommandModule } from "yargs";
import { common } from "./options.js";
import { print, say } from "./output.js";

const groups = ["parameters", "inputs", "all"] as const;

export const differentiateModel: CommandModule = {
  command: "differentiate <file>",
  describe: "add gradients to an ONNX model, for any ONNX Runtime",
  builder: (argv: Argv) =>
    argv
      .positional("file", { type: "string", demandOption: true, describe: "the model" })
      .option("out", { type: "string", requiresArg: true, demandOption: true, describe: "the file to write" })
      .option("with-respect-to", {
        type: "string",
        requiresArg: true,
        default: "parameters",
        describe: "parameters, inputs, all, or names separated by commas",
      })
      .option("of", {
        type: "string",
        requiresArg: true,
        describe: "the output to differentiate (default: all of floating point)",
      })
      .option("parameters", {
        choices: ["inside", "inputs"] as const,
        default: "inside",
        describe: "keep the weights inside the model, or make them inputs",
      })
      .option("json", common.json)
      .example("$0 differentiate model.onnx --out gradients.onnx", "gradients of all weights")
      .example(
        "$0 differentiate model.onnx --out g.onnx --with-respect-to inputs --of loss",
        "of the output loss for the inputs",
      ),
  async handler(argv) {
    const { readBytes, writeAtomically } = await import("../files.node.js");
    const { differentiate, encodeModel } = await import("../onnx/index.js");
    const { filesBeside } = await import("../onnx/file.node.js");
    const { producer } = await import("../version.js");
    const [file, out] = [String(argv.file), String(argv.out)];
    const selection = String(argv.withRespectTo);
    const made = differentiate(await readBytes(file), producer, {
      source: file,
      externalData: filesBeside(file),
      withRespectTo: groups.find((group) => group === selection) ?? selection.split(","),
      of: typeof argv.of === "string" ? argv.of : undefined,
      parameters: argv.parameters === "inputs" ? "inputs" : "inside",
    });
    const bytes = encodeModel(made.model);
    await writeAtomically(out, bytes);
    const { seeds, gradients, unreached, of } = made;
    const nodes = made.model.graph.nodes.length;
    for (const note of made.read.notes) say(`${file}: ${note}`);
    if (unreached.length > 0)
      say(`${file}: ${of.join(", ")} does not depend on ${unreached.join(", ")}: zeros`);
    say(
      `${out}: ${nodes} nodes, ${bytes.length} bytes, ${gradients.length} gradients of ${of.join(" and ")}`,
    );
    print(argv.json ? JSON.stringify({ file: out, nodes, of, seeds, gradients, unreached }) : out);
  },
};
