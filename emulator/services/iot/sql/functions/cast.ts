import type { CastType, SqlVersion } from "../ast";
import { fromDouble, isNumeric, toBoolean, toDouble, toInt, toNumeric, toText, type Value } from "../values";

/** The conversions of `cast(value AS type)`: the standard ones, and numbers to and from booleans. */
export function castTo(type: CastType, value: Value, version: SqlVersion): Value {
  switch (type) {
    case "String":
      return toText(value);
    case "Boolean":
      return isNumeric(value) ? toDouble(value) !== 0 : toBoolean(value);
    default: {
      const source = typeof value === "boolean" ? Number(value) : value;
      if (type === "Int") return toInt(source, version);
      const number = toNumeric(source, version);
      return type === "Decimal" || number === undefined ? number : fromDouble(toDouble(number), version);
    }
  }
}
