import { describe, expect, it } from "vitest";
import { type Case, expressionCase, outcome } from "./harness/iot-sql/context";
import { numbers } from "./harness/iot-sql/numbers";
import { operators } from "./harness/iot-sql/operators";
import { statements } from "./harness/iot-sql/statements";
import { texts } from "./harness/iot-sql/texts";
import { values } from "./harness/iot-sql/values";

const groups: Record<string, readonly Case[]> = {
  "gives what AWS documents for a statement": statements,
  "applies operators and casts by AWS's tables of types": operators.map(expressionCase),
  "reads literals, fields and the message as AWS does": values.map(expressionCase),
  "computes numbers with AWS's types and digits": numbers.map(expressionCase),
  "works on strings with AWS's conversions": texts.map(expressionCase),
};

for (const [promise, cases] of Object.entries(groups)) {
  describe(promise, () => {
    it.each(cases)("$sql", (each) => {
      expect(outcome(each)).toEqual(each.gives);
    });
  });
}
