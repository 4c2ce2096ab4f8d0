import type { Expression } from "../ast";
import type { SqlFunction } from "./definition";
import { documents } from "./documents";
import { external } from "./external";
import { hashing } from "./hashing";
import { mathematics } from "./mathematics";
import { message } from "./message";
import { regularExpressions } from "./regular-expressions";
import { strings } from "./strings";
import { time } from "./time";

const functions: ReadonlyMap<string, SqlFunction> = new Map(
  [documents, external, hashing, mathematics, message, regularExpressions, strings, time].flatMap(Object.entries),
);

/** Whether a function has a use for so many arguments. */
export const takes = ({ arity: [min, max = min] }: SqlFunction, { length }: readonly Expression[]): boolean =>
  length >= min && length <= max;

/** A function by its name in small letters. */
export const findFunction = (name: string): SqlFunction | undefined => functions.get(name);
