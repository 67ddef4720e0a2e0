import { z } from "zod";

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
}

/** Describe what a schema accepts, for a message: "a whole number from 1", "one of cpu, cuda, webgpu". */
function wantedBy(schema: z.ZodType): string {
  return inWords(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema);
}

function inWords(schema: JsonSchema): string {
  const choices = schema.enum ?? schema.anyOf?.map((choice) => choice.const ?? inWords(choice));
  if (choices) return choices.length > 2 ? `one of ${choices.join(", ")}` : choices.join(" or ");
  if (schema.const !== undefined) return String(schema.const);
  switch (schema.type) {
    case "integer":
      return `a whole number${bounds(schema)}`;
    case "number":
      return `a number${bounds(schema)}`;
    case "boolean":
      return "true or false";
    case "string":
      return schema.minLength === 1 ? "a text that is not empty" : "a text";
    case "array":
      return schema.minItems ? "a list that is not empty" : "a list";
    case "object":
      return "an object";
    default:
      return "another value";
  }
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const safe = (bound: number | undefined) =>
    bound === undefined || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound;
  const [least, most] = [safe(minimum), safe(maximum)];
  const top = exclusiveMaximum === undefined ? "" : ` to ${exclusiveMaximum} (excluded)`;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}${top.replace(" to", ", up to")}`;
  if (least === undefined) return most === undefined ? top : ` up to ${most}`;
  return most === undefined ? ` from ${least}${top}` : ` from ${least} to ${most}`;
}

/** Describe why a schema refused a value: what it needs, and what it got. */
export function refusalOf({ issues: [issue] }: z.ZodError, schema: z.ZodType, value: unknown): string {
  let [inner, found]: [z.ZodType | undefined, unknown] = [schema, value];
  for (const key of issue.path) {
    found = (found as Record<PropertyKey, unknown> | undefined)?.[key];
    inner = inner && partOf(inner, key);
  }
  const own = ["custom", "invalid_format"].includes(issue.code) ? issue.message : undefined;
  const tooLarge = issue.code === "too_big" && issue.maximum === Number.MAX_SAFE_INTEGER;
  const needed = tooLarge
    ? `a whole number up to ${issue.maximum}`
    : (own ?? (inner ? wantedBy(inner) : "another value"));
  return found === undefined ? `is missing; it needs ${needed}` : `needs ${needed}, not ${shown(found)}`;
}

/** The schema of a part of a value. */
function partOf(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return partOf(schema.unwrap() as z.ZodType, key);
  if (schema instanceof z.ZodObject) return schema.shape[String(key)];
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  return undefined;
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}
