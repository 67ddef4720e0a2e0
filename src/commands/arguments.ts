import { parseArgs } from "node:util";
import { flagOf } from "../config.js";
import { GanOnnxError } from "../error.js";
import { repeatable, switches } from "./options.js";

/**
 * Refuse arguments that yargs accepts and that make no sense: repeated flags, empty values, switches with another
 * value, `--no-` before a flag that is not a switch, and everything after a lone `--`.
 *
 * @param args as they were typed.
 * @param argv as yargs parsed them.
 * @throws {@link GanOnnxError} (usage) when there is such an argument.
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

/**
 * Refuse `-epochs`: yargs would read it as the flags `-e -p -o -c -h -s`, of which `-h` prints the help.
 *
 * @throws {@link GanOnnxError} (usage) when there is such an argument.
 */
export function checkDashes(args: readonly string[]): void {
  const single = args.find((arg) => /^-[a-z][\w-]+/i.test(arg));
  if (single !== undefined) throw refused(single, "no such flag", `flags begin with two dashes: -${single}`);
}

/** Replace NaN by the text that was typed, so that a message can quote it: yargs returns NaN for invalid numbers. */
export function quoteNumbers(args: readonly string[], argv: Record<string, unknown>): void {
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, allowPositionals: true });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const key = token.name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (Number.isNaN(argv[key])) argv[key] = token.value ?? args[token.index + 1];
  }
}
