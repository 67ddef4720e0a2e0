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
 * A run's folder belongs to one process at a time, which says so by a file there, `run-<process>-<random>.lock`. Its
 * content tells whether that process still lives: by the system's table of processes where the reader has the same one,
 * and by a counter that goes up anywhere else: on other machines that share the folder, and in other containers.
 */

/** How often the counter goes up, and how long it may stand still, in milliseconds. */
const [BEAT, LEASE] = [2_000, 10_000];

const schema = z.object({
  pid: z.int(),
  host: z.string(),
  /** Whose table of processes the number belongs to. */
  space: z.string(),
  /** When the process began, as its system counts: numbers of processes are used again. */
  began: z.string(),
  beats: z.int(),
});

type Content = z.infer<typeof schema>;

/** A folder that is this process's alone. */
export interface Claim {
  /** @throws GanOnnxError when another process has taken the folder over, as this one stood still for too long. */
  check(): Promise<void>;
  giveBack(): Promise<void>;
}

/**
 * Have a run's folder for this process alone, until it is given back. What a process that was killed has left there does
 * not count, and what it was writing is removed.
 *
 * Whoever comes says so first, and looks for others then: of two that come at once, one at least sees the other.
 *
 * @throws GanOnnxError when another process is there.
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
  // Others may watch this one while it watches them.
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

/** The files by which processes say that they train in a folder. */
export async function claimsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^run-[1-9]\d{0,9}(-[0-9a-f]{8})?\.lock$/.test(name));
}

/** Whether a process trains in a folder now; what one that was killed has left there does not count. */
export async function isClaimed(folder: string): Promise<boolean> {
  const living = await Promise.all(
    (await claimsIn(folder)).map(async (name) => {
      const path = join(folder, name);
      const content = await readContent(path);
      if (content === undefined || content.space === space()) return localHolder(content, name) !== undefined;
      // Of another machine the counter tells, which changes the file.
      const changed = await stat(path).catch(() => undefined);
      return changed !== undefined && Date.now() - changed.mtimeMs < LEASE;
    }),
  );
  return living.includes(true);
}

/** Files of writers that were killed: no other process writes here now. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const place of [folder, join(folder, "img")]) {
    const names = await readdir(place).catch(() => []);
    for (const name of names) {
      if (/^\.[0-9a-f-]{36}\.tmp$/.test(name)) await rm(join(place, name), { force: true }).catch(() => {});
    }
  }
}

/** Let the counter go up; in place, and only if the claim is still there. */
async function beat(path: string, content: Content): Promise<void> {
  content.beats += 1;
  const file = await open(path, "r+").catch(() => undefined);
  // Nothing shorter follows something longer: the counter is last and grows.
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
  // Once more where it may just be written; an empty one stays so.
  for (const tries of [1, 2, 3]) {
    const text = await readFile(path, "utf8").catch(() => "");
    const parsed = schema.safeParse(jsonIn(text));
    if (parsed.success) return parsed.data;
    if (text === "" || tries === 3) break;
    await sleep(50);
  }
  return undefined;
}

/** Whom a claim belongs to, in words; undefined when nobody is behind it any more. */
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

/** The same where the table of processes tells. An empty claim is of a version before 0.2, on this machine. */
function localHolder(content: Content | undefined, name: string): string | undefined {
  const pid = content?.pid ?? Number(name.match(/\d+/)?.[0]);
  // This process's own number, in a claim that is not its own, is one that was used before.
  const same = pid !== process.pid && isRunning(pid) && (!content?.began || content.began === beganAt(pid));
  return same ? `process ${pid}` : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, but somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** What tells this table of processes from those of other machines, other containers and earlier boots. */
function space(): string {
  const parts = [
    () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    () => readlinkSync("/proc/self/ns/pid"),
  ];
  return [hostname(), ...parts.map((part) => quietly(part) ?? "")].join(" ");
}

/** When a process began: field 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, where there is one. */
function beganAt(pid: number): string | undefined {
  const text = quietly(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The name before may hold spaces and brackets.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
