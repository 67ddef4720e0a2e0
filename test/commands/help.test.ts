import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../helpers/cli.js";

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "gan-onnx-help-"));
});
afterAll(() => rm(cwd, { recursive: true }));

const commandsIn = (help: string) =>
  Array.from(help.matchAll(/^ {2}gan-onnx ([\w-]+) ?/gm), ([, name]) => name);

test("without arguments the help is shown, as wrong usage", async () => {
  const { code, stdout, stderr } = await runCli([], { cwd });
  const help = await runCli(["-h"], { cwd });
  expect([code, stdout, help.code]).toEqual([2, "", 0]);
  expect(stderr).toBe(help.stdout);
  expect(stderr).toContain("gan-onnx train");
});

test("-v is the version", async () => {
  expect(await runCli(["-v"], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});

test("the help of each command ends with two examples of it, and each option has its usual value", async () => {
  const { stdout } = await runCli(["--help"], { cwd });
  const [list] = stdout.split("\nOptions:");
  const commands = [...new Set(commandsIn(list))].filter((name) => name !== "completion");
  expect(commands.length).toBeGreaterThan(7);
  const helps = await Promise.all(commands.map((command) => runCli([command, "--help"], { cwd })));
  for (const [i, { code, stdout }] of helps.entries()) {
    const command = commands[i];
    expect(code).toBe(0);
    const [options, examples] = stdout.split("\nExamples:\n");
    expect(commandsIn(examples), command).toEqual([command, command]);
    const lines = options
      .replace(/\n {8,}/g, " ")
      .split("\n")
      .filter((line) => /^ {2,8}--/.test(line));
    const unexplained = lines.filter((line) => !/default|\[boolean\]|\[required\]/.test(line));
    expect(unexplained, command).toEqual([]);
  }
});

test("settings are grouped by the recipes that have them", async () => {
  const { stdout } = await runCli(["train", "--help"], { cwd });
  const groups = stdout.split(/\n(?=\S.*:\n)/);
  const groupWith = (flag: string) => groups.find((group) => group.includes(`--${flag} `))?.split("\n")[0];
  expect(groupWith("epochs")).toBe("All recipes:");
  expect(groupWith("critics")).toBe("Recipes wgan-gp:");
  expect(groupWith("loss")).toBe("Recipes vanilla, dcgan, conditional:");
});

test.each([
  [["trian"], "error: trian: no such command; did you mean train?"],
  [["trian", "--epochs", "3"], "error: trian: no such command; did you mean train?"],
  [["train", "-epochs", "3"], "error: -epochs: no such flag; flags begin with two dashes: --epochs"],
  [["nonsense"], "error: nonsense: no such command; see --help"],
  [["train", "--epoch", "3"], "error: --epoch: no such flag; did you mean --epochs?"],
  [["train", "--lr", "1"], "error: --lr: no such flag; did you mean --learning-rate?"],
  [["train", "--lerning-rate=1"], "error: --lerning-rate: no such flag; did you mean --learning-rate?"],
  [["sample", "g.onnx", "--lr", "1"], "error: --lr: no such flag; see --help"],
  [["train", "mnist"], 'error: arguments: "mnist" is one too many; see --help'],
  [["train", "--epochs"], "error: --epochs: needs a value; see --help"],
  [["export"], "error: export: needs 1 more than the 0 given; see --help"],
  [["check"], "error: check: needs <path>; see --help"],
  [
    ["export", "w.safetensors"],
    "error: w.safetensors: is no name for onnx, which is what would be written; " +
      "add --format safetensors, or end the name in .onnx",
  ],
  [["export", "g", "--format", "x"], 'error: --format: needs one of onnx, safetensors, not "x"; see --help'],
  [
    ["train", "--epochs", "abc"],
    'error: --epochs: needs a whole number from 1, not "abc"; correct it, or leave it out for the default',
  ],
  [
    ["train", "--learning-rate=-1"],
    "error: --learning-rate: needs a number above 0, not -1; correct it, or leave it out for the default",
  ],
  [
    ["train", "--critics", "3"],
    "error: --critics: is a setting of the recipe wgan-gp, not of vanilla; leave it out, or choose --recipe wgan-gp",
  ],
  [
    ["export", "g.onnx", "--run", "nowhere"],
    "error: nowhere: no such run; name the folder of a run; runs/ holds those that were started without an output folder",
  ],
])("%j is refused in plain words", async (args, message) => {
  const { code, stderr } = await runCli(args, { cwd, env: { LC_ALL: "de_DE.UTF-8", LANGUAGE: "de" } });
  expect(stderr).toBe(`${message}\n`);
  expect(code).toBe(2);
});

test("completion prints a script that offers commands and flags", async () => {
  const { code, stdout, stderr } = await runCli(["completion"], { cwd });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("--get-yargs-completions");
  const offered = async (...typed: string[]) =>
    (await runCli(["--get-yargs-completions", "gan-onnx", ...typed], { cwd })).stdout.split("\n");
  expect(await offered("tr")).toEqual(expect.arrayContaining(["train", "export"]));
  expect(await offered("train", "--learn")).toEqual(expect.arrayContaining(["--learning-rate"]));
});
