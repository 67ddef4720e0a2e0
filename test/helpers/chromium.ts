import { spawnSync } from "node:child_process";

/** The browser for tests of the page; undefined if there is none. */
export const executablePath =
  spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim() || undefined;
