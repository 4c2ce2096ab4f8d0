/** One step of a document path: an attribute name, a placeholder for one (`#name`), or a list index. */
export type PathStep = string | number;

/** What an expression says before its placeholders are looked up; the same for every request with that text. */
export type OperandSyntax =
  | { readonly kind: "path"; readonly steps: readonly PathStep[] }
  | { readonly kind: "value"; readonly name: string }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly OperandSyntax[] };

export type Comparator = "=" | "<>" | "<" | "<=" | ">" | ">=";

export type ConditionSyntax =
  | { readonly kind: "and" | "or"; readonly left: ConditionSyntax; readonly right: ConditionSyntax }
  | { readonly kind: "not"; readonly operand: ConditionSyntax }
  | {
      readonly kind: "compare";
      readonly operator: Comparator;
      readonly left: OperandSyntax;
      readonly right: OperandSyntax;
    }
  | {
      readonly kind: "between";
      readonly operand: OperandSyntax;
      readonly low: OperandSyntax;
      readonly high: OperandSyntax;
    }
  | { readonly kind: "in"; readonly operand: OperandSyntax; readonly options: readonly OperandSyntax[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly OperandSyntax[] };

export type SetValueSyntax =
  | OperandSyntax
  | { readonly kind: "+" | "-"; readonly left: OperandSyntax; readonly right: OperandSyntax };

export type UpdateSyntax =
  | { readonly kind: "SET"; readonly path: readonly PathStep[]; readonly value: SetValueSyntax }
  | { readonly kind: "REMOVE"; readonly path: readonly PathStep[] }
  | { readonly kind: "ADD" | "DELETE"; readonly path: readonly PathStep[]; readonly value: string };
