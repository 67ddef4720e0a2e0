import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCli, startCli } from "../helpers/cli.js";
import { freePort } from "../helpers/ports.js";

const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-serve-"));
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe("serve", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "prints its address, serves, and ends well by %s",
    async (signal) => {
      const port = await freePort();
      const serving = startCli(["serve", "--port", String(port)], { cwd });
      await serving.says("Ctrl-C ends it");
      const page = await fetch(`http://127.0.0.1:${port}/`);
      expect(await page.text()).toContain("gan-onnx");
      serving.kill(signal);
      expect(await serving.finished).toMatchObject({ code: 0, stdout: `http://127.0.0.1:${port}/\n` });
    },
  );

  test("refuses a file that is no generator, a file that is not there, and a port that is none", async () => {
    await writeFile(join(cwd, "text.onnx"), "hello, this is no model");
    const serve = (...args: string[]) => runCli(["serve", "--port", "0", ...args], { cwd });
    expect(await serve("--model", "text.onnx")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /^error: text.onnx: is no ONNX model .*; name a model that `gan-onnx export` wrote\n$/,
      ),
    });
    expect((await serve("--model", "nowhere.onnx")).stderr).toMatch(/^error: nowhere.onnx: cannot be read /);
    expect(await runCli(["serve", "--port", "65536"], { cwd })).toMatchObject({ code: 2, stdout: "" });
  });
});
