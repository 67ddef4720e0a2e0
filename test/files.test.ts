import { spawnSync } from "node:child_process";
import { chmod, mkdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readBytes, readJson, requireWritable, sha256, writeAtomically } from "../src/files.node.js";
import { temporaryFolder } from "./data/files.js";
import { tree } from "./helpers/cli.js";

describe("writeAtomically", () => {
  test("makes the folders it needs, and replaces what was there", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "a", "b", "file");
    await writeAtomically(path, "a longer text");
    expect(await readFile(path, "utf8")).toBe("a longer text");
    await writeAtomically(path, Uint8Array.of(104, 105));
    expect(await readFile(path, "utf8")).toBe("hi");
    expect(tree(folder)).toEqual(["a", join("a", "b"), join("a", "b", "file")]);
  });

  test("names a path below a file, and leaves nothing", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "content");
    const path = join(folder, "file", "below");
    await expect(writeAtomically(path, "text")).rejects.toMatchObject({
      kind: "failure",
      message: expect.stringContaining(`${path}: cannot be written (`),
    });
    expect(tree(folder)).toEqual(["file"]);
  });

  test("writes where a link leads", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "elsewhere"));
    await writeFile(join(folder, "elsewhere", "file"), "old");
    await symlink(join("elsewhere", "file"), join(folder, "link"));
    await writeAtomically(join(folder, "link"), "new");
    expect(await readFile(join(folder, "elsewhere", "file"), "utf8")).toBe("new");
    expect(await readlink(join(folder, "link"))).toBe(join("elsewhere", "file"));
    await symlink(join("elsewhere", "new"), join(folder, "ahead"));
    await writeAtomically(join(folder, "ahead"), "new");
    expect(tree(folder)).toEqual([
      "ahead",
      "elsewhere",
      join("elsewhere", "file"),
      join("elsewhere", "new"),
      "link",
    ]);
  });

  test("keeps the permissions of what it replaces", async () => {
    const path = join(await temporaryFolder(), "file");
    await writeFile(path, "old");
    await chmod(path, 0o600);
    await writeAtomically(path, "new");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test.skipIf(process.platform === "win32")(
    "leaves what is no plain file, such as a device, alone",
    async () => {
      const pipe = join(await temporaryFolder(), "pipe");
      expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
      await expect(writeAtomically(pipe, "text")).rejects.toThrow(
        `${pipe}: cannot be written (it is not a regular file`,
      );
      expect((await stat(pipe)).isFIFO()).toBe(true);
    },
  );

  test("leaves no temporary file when it cannot put the new one in place", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "taken", "full"), { recursive: true });
    await expect(writeAtomically(join(folder, "taken"), "text")).rejects.toThrow("taken: cannot be written");
    expect(tree(folder)).toEqual(["taken", join("taken", "full")]);
  });

  test.skipIf(process.getuid?.() === 0)(
    "names a folder without permission (skipped for root, who has it)",
    async () => {
      const folder = await temporaryFolder();
      await chmod(folder, 0o500);
      await expect(writeAtomically(join(folder, "f"), "text")).rejects.toThrow(
        "f: cannot be written (permission denied",
      );
      await chmod(folder, 0o700);
    },
  );
});

describe("readJson", () => {
  test("reads what was written", async () => {
    const path = join(await temporaryFolder(), "a.json");
    await writeAtomically(path, '{"a":[1,null]}');
    expect(await readJson(path)).toEqual({ a: [1, null] });
  });

  test("names a file that is broken, and the place in it", async () => {
    const path = join(await temporaryFolder(), "a.json");
    await writeAtomically(path, '{"a": 1,}');
    await expect(readJson(path)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/a\.json: is not JSON \(.*(position 8|property name).*\)/),
    });
  });

  test("names a file that is not there", async () => {
    await expect(readJson("nowhere.json")).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("nowhere.json: cannot be read (no such file or folder"),
    });
  });
});

test("readBytes names what it cannot read", async () => {
  const folder = await temporaryFolder();
  await expect(readBytes(folder)).rejects.toThrow(`${folder}: cannot be read (it is a folder`);
  await expect(readBytes(folder)).rejects.toMatchObject({ kind: "failure" });
  await expect(readBytes(join(folder, "x"))).rejects.toMatchObject({ kind: "usage" });
});

test("sha256 is the one of FIPS 180-4", () => {
  expect(sha256(new TextEncoder().encode("abc"))).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

test.runIf(process.platform === "linux")("a folder where none can be made is refused at once", async () => {
  await expect(writeAtomically("/proc/gan-onnx/deep/file", "")).rejects.toThrow(
    "/proc/gan-onnx/deep/file: cannot be written (no such file or folder)",
  );
});

test("folders that are missing can be made where the one above them can be written", async () => {
  const folder = await temporaryFolder();
  await requireWritable(join(folder, "a", "b"));
  await writeFile(join(folder, "file"), "");
  await expect(requireWritable(join(folder, "file", "b"))).rejects.toThrow(
    "a part of the path is not a folder",
  );
});
