import { execFile, spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { claimFolder } from "../../src/runs/claim.js";
import { temporaryFolder } from "../data/files.js";
import { tree } from "../helpers/cli.js";

describe("a claimed folder", () => {
  const nameOf = (pid: number | undefined) => `run-${pid}.lock`;
  const own = expect.stringMatching(new RegExp(`^run-${process.pid}-[0-9a-f]{8}\\.lock$`));
  const elsewhere = { pid: 7, host: "node7", space: "node7 boot pid:[1]", began: "1", beats: 3 };

  test("names this process until it is given back", async () => {
    const folder = join(await temporaryFolder(), "run");
    const { giveBack } = await claimFolder(folder);
    expect(tree(folder)).toEqual([own]);
    await giveBack();
    expect(tree(folder)).toEqual([]);
  });

  test("is refused to another process", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, nameOf(process.ppid)), "");
    await expect(claimFolder(folder)).rejects.toThrow(
      `${folder}: is being trained already, by process ${process.ppid}; `,
    );
    expect(tree(folder)).toEqual([nameOf(process.ppid)]);
  });

  test("is free of processes that are gone, of one with this one's number, too", async () => {
    const folder = await temporaryFolder();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    for (const gone of [pid, process.pid]) await writeFile(join(folder, nameOf(gone)), "");
    const { giveBack } = await claimFolder(folder);
    expect(tree(folder)).toEqual([own]);
    await giveBack();
    expect(tree(folder)).toEqual([]);
  });

  test("is no two processes', however many come at once", async () => {
    const folder = await temporaryFolder();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    await writeFile(join(folder, nameOf(pid)), "");
    const claim = `
      import { claimFolder } from ${JSON.stringify(pathToFileURL(resolve("dist/runs/claim.js")).href)};
      await new Promise((resolve) => setTimeout(resolve, ${Date.now() + 1500} - Date.now()));
      const claim = await claimFolder(${JSON.stringify(folder)}).catch(() => undefined);
      console.log(claim ? "mine" : "another's");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await claim?.giveBack();
    `;
    const all = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", claim]);
        return stdout.trim();
      }),
    );
    expect(all.filter((said) => said === "mine").length).toBeLessThanOrEqual(1);
    expect(tree(folder)).toEqual([]);
  });

  test("is free of a process whose number is another's now", async () => {
    const folder = await temporaryFolder();
    const first = await claimFolder(folder);
    const [name] = tree(folder);
    const content = JSON.parse(await readFile(join(folder, name), "utf8"));
    await first.giveBack();
    const reused = { ...content, pid: process.ppid, began: "1" };
    await writeFile(join(folder, `run-${process.ppid}-00000000.lock`), JSON.stringify(reused));
    const { giveBack } = await claimFolder(folder);
    expect(tree(folder)).toEqual([own]);
    await giveBack();
  });

  test("is refused to others while the counter of a process on another machine goes up", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "run-7-0000abcd.lock");
    let beats = 0;
    const write = () => writeFile(path, JSON.stringify({ ...elsewhere, beats: beats++ }));
    await write();
    const beating = setInterval(write, 200);
    await expect(claimFolder(folder)).rejects.toThrow(`is being trained already, by process 7 on node7; `);
    clearInterval(beating);
    expect(tree(folder)).toEqual(["run-7-0000abcd.lock"]);
  });

  test("is free of one there whose counter stands still; what it was writing is removed", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "run-7-0000abcd.lock"), JSON.stringify(elsewhere));
    await mkdir(join(folder, "img"));
    for (const place of [folder, join(folder, "img")]) {
      await writeFile(join(place, ".0f3c7a52-96c4-4a3d-9d0f-6a52b9a5b0aa.tmp"), "half");
      await writeFile(join(place, "notes.tmp"), "the user's");
    }
    const { giveBack, check } = await claimFolder(folder);
    expect(tree(folder)).toEqual(["img", join("img", "notes.tmp"), "notes.tmp", own]);
    await check();
    await giveBack();
    await expect(check()).rejects.toThrow("is another process's by now");
  });
});
