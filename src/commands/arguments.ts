import { parseArgs } from "node:util";
import { flagOf } from "../config.js";
import { GanOnnxError } from "../error.js";
import { repeatable, switches } from "./options.js";

/**
 * Refuse what yargs lets pass although it cannot mean what it says: flags given twice, empty values, switches with a
 * value that is none, `--no-` before what is no switch, and whatever follows a lone `--`.
 *
 * @param args as they were typed.
 * @param argv as yargs understood them.
 * @throws GanOnnxError (usage) naming the flag.
 */
export function checkArguments(args: readonly string[], argv: Readonly<Record<string, unknown>>): void {
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, allowPositionals: true });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind === "option-terminator") throw refused("--", "is not supported", "leave it out");
    if (token.kind !== "option" || !token.rawName.startsWith("--")) continue;
    const flag = flagOf(token.name);
    const negated = flag.replace(/^--no-/, "--");
    if (seen.has(negated) && !repeatable().includes(negated))
      throw refused(flag, "is given more than once", "give it once");
    seen.add(negated);
    const value = token.value ?? args[token.index + 1];
    if (value === "") throw refused(flag, "has an empty value", "give it one, or leave it out");
    if (negated !== flag && !switches().includes(negated))
      throw refused(flag, "is not a switch, so it has no --no- form", "leave it out");
    const key = token.name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const isSwitch = typeof argv[key] === "boolean";
    if (isSwitch && token.inlineValue && token.value !== "true" && token.value !== "false") {
      throw refused(flag, `takes no value, so not ${token.value}`, "give it without one, or leave it out");
    }
  }
  const empty = args.indexOf("");
  if (empty >= 0) throw refused("arguments", `number ${empty + 1} is empty`, "leave it out");
}

function refused(where: string, what: string, fix: string): GanOnnxError {
  return new GanOnnxError({ what, where, fix, kind: "usage" });
}

/** What was typed for a number that is none, so that a message can quote it: yargs leaves NaN in its place. */
export function quoteNumbers(args: readonly string[], argv: Record<string, unknown>): void {
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, allowPositionals: true });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const key = token.name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (Number.isNaN(argv[key])) argv[key] = token.value ?? args[token.index + 1];
  }
}
