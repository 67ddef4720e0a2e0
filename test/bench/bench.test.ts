import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { compare, type Entrant } from "../../bench/contestant.js";
import { parseOptions } from "../../bench/options.js";
import { formatTable } from "../../bench/table.js";

const tsx = createRequire(import.meta.url).resolve("tsx/cli");

describe("npm run bench", () => {
  test("without Python and in haste prints a table all the same", () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [tsx, "bench/main.ts", "--quick", "--only", "vanilla$"],
      { encoding: "utf8", timeout: 100_000 },
    );
    expect(status, stderr).toBe(0);
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(rows[0]).toEqual(["what", "against", "gan-onnx", "theirs", "ratio", "spread", "differ by"]);
    const byContestant = new Map(rows.slice(2).map((row) => [row[1], row]));
    expect(byContestant.get("PyTorch eager")?.[3]).toBe("not run: no --python");
    const [what, , ours, theirs, ratio] = byContestant.get("its multiply-adds at matrix peak") ?? [];
    expect([what, ours, theirs, ratio]).toEqual([
      "step vanilla",
      expect.stringMatching(/^\d+(\.\d+)? ms$/),
      expect.stringMatching(/^\d+(\.\d+)? ms$/),
      expect.stringMatching(/^\d+\.\d\d$/),
    ]);
  });

  test.each([
    [["--ep", "abacus"], "--ep: "],
    [["--rounds", "0"], "--rounds: "],
    [["--only", "("], "Invalid regular expression"],
    [["--fast"], "'--fast'"],
    [["vanilla"], "'vanilla'"],
  ])("%j is refused with the usage", (args, said) => {
    expect(() => parseOptions(args)).toThrow(said);
    expect(() => parseOptions(args)).toThrow("npm run bench -- [options]");
  });
});

/** Somebody whose rounds cost what is said, the first one first, and who computes a loss. */
function entrant(name: string, costs: readonly number[], loss: number): Entrant {
  let round = 0;
  return {
    name,
    open: async () => ({
      name,
      round: async () => ({ cost: costs[round++], metrics: { loss: [loss] } }),
      close: async () => {},
    }),
  };
}

describe("a comparison", () => {
  const ours = () => entrant("gan-onnx", [99, 2, 4, 2], 0.5);

  test("leaves the first round out and takes the median of the rounds' ratios", async () => {
    const others = [entrant("other", [99, 6, 8, 4], 0.5001)];
    const [row] = await compare({ what: "work", unit: "ms", ours: ours(), others }, 3);
    expect(row).toEqual({
      what: "work",
      against: "other",
      unit: "ms",
      ours: 2,
      theirs: 6,
      ratio: 2,
      spread: [2, 3],
      difference: expect.closeTo(1e-4, 8),
    });
    expect(formatTable([row]).split("\n")[2]).toBe(
      "| work | other   | 2.00 ms  | 6.00 ms | 2.00  | 2.00 to 3.00 | 1e-4      |",
    );
  });

  test("says who computes something else, who is not there and who fails on the way", async () => {
    const absent: Entrant = { name: "absent", open: () => Promise.reject(new Error("not installed\nat …")) };
    const failing: Entrant = {
      name: "failing",
      open: async () => ({
        name: "failing",
        round: () => Promise.reject(new Error("out of memory")),
        close: async () => {},
      }),
    };
    const others = [entrant("wrong", [1, 1, 1, 1], 0.6), entrant("broken", [1, 1, 1, 1], Number.NaN)];
    const rows = await compare(
      { what: "work", unit: "ms", ours: ours(), others: [...others, absent, failing] },
      3,
    );
    expect(rows.map(({ against, notRun, ours }) => [against, notRun, ours])).toEqual([
      ["wrong", "computes something else: the first numbers differ by 0.10", 2],
      ["broken", "computes something else: the first numbers differ by Infinity", 2],
      ["absent", "not installed", 2],
      ["failing", "out of memory", 2],
    ]);
  });

  test("cuts a long reason to the width of a column", () => {
    const row = { what: "work", against: "other", unit: "ms", notRun: "long ".repeat(100) } as const;
    const [, , line] = formatTable([row]).split("\n");
    expect(line.split("|")[4].trim()).toMatch(/^not run: long .{80,90}…$/);
  });

  test("without gan-onnx itself says so in every row", async () => {
    const us: Entrant = { name: "gan-onnx", open: () => Promise.reject(new Error("no provider")) };
    const rows = await compare({ what: "work", unit: "ms", ours: us, others: [ours()] }, 1);
    expect(rows).toEqual([
      { what: "work", against: "gan-onnx", unit: "ms", notRun: "gan-onnx: no provider" },
    ]);
  });
});
