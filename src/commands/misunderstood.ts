import type { Argv } from "yargs";
import { GanOnnxError } from "../error.js";
import { suggestion } from "../suggest.js";

/** The flags of a command. yargs has them, but its types do not expose them. */
function flagsOf(parser: Argv): string[] {
  const { key = {} } = (
    parser as unknown as { getOptions(): { key?: Record<string, unknown> } }
  ).getOptions();
  return Object.keys(key).filter((name) => name.length > 1 && !/[A-Z]/.test(name));
}

/**
 * Convert an error of yargs to an error of this program.
 *
 * @param message the message of yargs, in English.
 * @param args as they were typed.
 * @param usages of the commands: their names, with their arguments.
 */
export function misunderstood(
  message: string,
  args: readonly string[],
  parser: Argv,
  usages: readonly string[],
): GanOnnxError {
  const commands = usages.map((usage) => usage.split(" ", 1)[0]);
  const refused = (where: string, what: string, fix = "see --help") =>
    new GanOnnxError({ where, what, fix, kind: "usage" });
  const line = message.replace(/\s+/g, " ").trim();
  const found = (pattern: RegExp) => pattern.exec(line)?.slice(1);

  const [command] = args;
  if (/^Unknown/.test(line) && !command.startsWith("-") && !commands.includes(command)) {
    const similar = suggestion(command, commands);
    return refused(command, "no such command", similar && `did you mean ${similar}?`);
  }
  const [unknown] = found(/^Unknown (?:argument|command)s?: ([^,]+)/) ?? [];
  if (unknown !== undefined) {
    const flag = args
      .map((arg) => arg.split("=", 1)[0])
      .find((arg) => /^--?/.test(arg) && nameOf(arg) === nameOf(unknown));
    if (flag) {
      const similar = suggestion(nameOf(flag), flagsOf(parser));
      return refused(flag, "no such flag", similar && `did you mean --${similar}?`);
    }
    return refused("arguments", `"${unknown}" is one too many`);
  }
  const [got, needed] = found(/^Not enough non-option arguments: got (\d+), need at least (\d+)/) ?? [];
  if (needed !== undefined) {
    const usage = usages.find((one) => args.includes(one.split(" ", 1)[0])) ?? "arguments";
    const [name, wanted] = usage.split(/ (.+)/);
    return refused(name, wanted ? `needs ${wanted}` : `needs ${needed} more than the ${got} given`);
  }
  const [missing] = found(/^Missing required arguments?: (.+)/) ?? [];
  if (missing !== undefined) return refused(`--${missing}`, "is missing");
  const [valueless] = found(/^Not enough arguments following: (.+)/) ?? [];
  if (valueless !== undefined) return refused(`--${nameOf(valueless)}`, "needs a value");
  const [option, given, choices] =
    found(/^Invalid values: Argument: (.+), Given: (.+), Choices: (.+)$/) ?? [];
  if (option !== undefined) {
    return refused(`--${option}`, `needs one of ${choices.replaceAll('"', "")}, not ${given}`);
  }
  return refused("arguments", line);
}

/** Convert `--stepsPerCall` to `steps-per-call`. */
function nameOf(flag: string): string {
  return flag.replace(/^--?(no-)?/, "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
