const roles = { table: "table", "thead, tbody": "rowgroup", tr: "row", td: "cell" };

/** Says what the elements mean anyway: some browsers forget it where a narrow screen shows rows as blocks. */
export function keepRoles(part: HTMLElement): void {
  for (const [selector, role] of Object.entries(roles)) {
    for (const element of [part, ...part.querySelectorAll(selector)]) {
      if (element.matches(selector)) element.setAttribute("role", role);
    }
  }
  for (const header of part.querySelectorAll("th")) {
    header.setAttribute("role", header.scope === "row" ? "rowheader" : "columnheader");
  }
}
