import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { open, readdir, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { makeFolder, unwritable, writeAtomically } from "../files.node.js";
import { jsonIn } from "../json.js";

/*
 * A run's folder belongs to one process at a time. The process creates a file there, `run-<process>-<random>.lock`. Its
 * content shows whether the process is still running: by the system's process table if the reader has the same one;
 * otherwise, on other machines that share the folder and in other containers, by a counter that increases.
 */

/** The interval of the counter, and how long it may be unchanged, in milliseconds. */
const [BEAT, LEASE] = [2_000, 10_000];

const schema = z.object({
  pid: z.int(),
  host: z.string(),
  /** Identifies the process table of the number. */
  space: z.string(),
  /** The start time of the process, as counted by its system: process numbers are reused. */
  began: z.string(),
  beats: z.int(),
});

type Content = z.infer<typeof schema>;

/** A folder that only this process uses. */
export interface Claim {
  /**
   * @throws {@link GanOnnxError} when this process was suspended for too long and another process has taken over the
   * folder.
   */
  check(): Promise<void>;
  giveBack(): Promise<void>;
}

/**
 * Claim a run's folder for this process until it is given back. Claims of killed processes are ignored, and their
 * unfinished files are removed.
 *
 * Each process first creates its claim and then looks for others. So if two start at once, at least one sees the other.
 *
 * @throws {@link GanOnnxError} when another process uses the folder.
 */
export async function claimFolder(folder: string): Promise<Claim> {
  const path = join(folder, `run-${process.pid}-${randomBytes(4).toString("hex")}.lock`);
  const content = {
    pid: process.pid,
    host: hostname(),
    space: space(),
    began: beganAt(process.pid) ?? "",
    beats: 0,
  };
  await makeFolder(folder).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  await writeAtomically(path, JSON.stringify(content));
  const giveBack = () => rm(path, { force: true });
  // Increase the counter while checking: another process may check this one at the same time.
  const beating = setInterval(() => void beat(path, content), BEAT).unref();
  const end = async () => {
    clearInterval(beating);
    await giveBack();
  };
  try {
    for (const other of await claimsIn(folder)) {
      const at = join(folder, other);
      if (at === path) continue;
      const holder = await livingHolder(at, other);
      if (holder === undefined) {
        await rm(at, { force: true });
        continue;
      }
      throw new GanOnnxError({
        what: `is being trained already, by ${holder}`,
        where: folder,
        fix: `wait for it, or stop it (if that process is something else, delete ${at})`,
      });
    }
    await removeUnfinished(folder);
  } catch (error) {
    await end();
    throw error;
  }
  return { giveBack: end, check: () => requireClaim(path, folder) };
}

/** The claim files in a folder. */
async function claimsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^run-[1-9]\d{0,9}(-[0-9a-f]{8})?\.lock$/.test(name));
}

/** Whether a process is training in a folder now. Claims of killed processes are ignored. */
export async function isClaimed(folder: string): Promise<boolean> {
  const living = await Promise.all(
    (await claimsIn(folder)).map(async (name) => {
      const path = join(folder, name);
      const content = await readContent(path);
      if (content === undefined || content.space === space()) return localHolder(content, name) !== undefined;
      // For another machine, the counter decides. It changes the file's time.
      const changed = await stat(path).catch(() => undefined);
      return changed !== undefined && Date.now() - changed.mtimeMs < LEASE;
    }),
  );
  return living.includes(true);
}

/** Remove unfinished files of killed processes: no other process writes here now. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const place of [folder, join(folder, "img")]) {
    const names = await readdir(place).catch(() => []);
    for (const name of names) {
      if (/^\.[0-9a-f-]{36}\.tmp$/.test(name)) await rm(join(place, name), { force: true }).catch(() => {});
    }
  }
}

/** Increase the counter in place, and only if the claim still exists. */
async function beat(path: string, content: Content): Promise<void> {
  content.beats += 1;
  const file = await open(path, "r+").catch(() => undefined);
  // A shorter text never replaces a longer one: the counter is last and increases.
  await file?.write(JSON.stringify(content), 0).catch(() => {});
  await file?.close().catch(() => {});
}

async function requireClaim(path: string, folder: string): Promise<void> {
  if ((await readContent(path)) !== undefined) return;
  throw new GanOnnxError({
    what: "is another process's by now: this one stood still, or the folder was removed",
    where: folder,
    fix: "see whether the other one still trains; if not, resume the run",
  });
}

async function readContent(path: string): Promise<Content | undefined> {
  // Try again, because it may be being written. An empty claim stays empty.
  for (const tries of [1, 2, 3]) {
    const text = await readFile(path, "utf8").catch(() => "");
    const parsed = schema.safeParse(jsonIn(text));
    if (parsed.success) return parsed.data;
    if (text === "" || tries === 3) break;
    await sleep(50);
  }
  return undefined;
}

/** Describe the owner of a claim; undefined when it is no longer running. */
async function livingHolder(path: string, name: string): Promise<string | undefined> {
  const content = await readContent(path);
  if (content === undefined || content.space === space()) return localHolder(content, name);
  const { pid } = content;
  const until = performance.now() + LEASE;
  while (performance.now() < until) {
    await sleep(BEAT / 4);
    const now = await readContent(path);
    if (now === undefined) return undefined;
    if (now.beats !== content.beats) return `process ${pid} on ${content.host}`;
  }
  return undefined;
}

/** The same by the process table. An empty claim is from a version before 0.2, on this machine. */
function localHolder(content: Content | undefined, name: string): string | undefined {
  const pid = content?.pid ?? Number(name.match(/\d+/)?.[0]);
  // A foreign claim with this process's number is from an earlier process.
  const same = pid !== process.pid && isRunning(pid) && (!content?.began || content.began === beganAt(pid));
  return same ? `process ${pid}` : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Identifies this process table among those of other machines, other containers and earlier boots. */
function space(): string {
  const parts = [
    () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    () => readlinkSync("/proc/self/ns/pid"),
  ];
  return [hostname(), ...parts.map((part) => quietly(part) ?? "")].join(" ");
}

/**
 * The start time of a process: field 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, if available.
 */
function beganAt(pid: number): string | undefined {
  const text = quietly(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The name before it may contain spaces and parentheses.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
