import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "./data/files.js";
import { cli, succeed, tree } from "./helpers/cli.js";

/** Start the command line on a Node that says it is of another version. */
async function startedOn(version: string) {
  const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const preload = `data:text/javascript,${encodeURIComponent(versions)}`;
  const args = ["--import", preload, cli, "--version"];
  return promisify(execFile)(process.execPath, args).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}

test.each(["18.20.8", "20.18.1"])("Node %s is too old, which is said in one line", async (version) => {
  expect(await startedOn(version)).toEqual({
    code: 1,
    stdout: "",
    stderr: `error: gan-onnx: needs Node 20.19 or later, and this is ${version}; install a newer one\n`,
  });
});

test.each(["20.19.0", "22.3.0"])("Node %s is new enough", async (version) => {
  expect(await startedOn(version)).toMatchObject({ code: 0, stderr: "" });
});

test("no device identifier and no events of ONNX Runtime's telemetry are kept in the user's folder", async () => {
  const cwd = await temporaryFolder();
  const env = { HOME: cwd, XDG_CACHE_HOME: "", CI: "" };
  await succeed(["sample", resolve("models/generator.onnx")], { cwd, env });
  expect(tree(cwd)).toEqual(["samples.png"]);
});
