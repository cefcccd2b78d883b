// Where the targets of one version differ: units that only some have, shown here and hidden there, fields that differ.
const several = versions.map((_, at) => at).filter((at) => targetsIn(lookedAt(at)).length > 1);

function showPlatforms([version]) {
  if (!several.length) return view("platforms").replaceChildren(heading("platforms", "Platforms"), make("p", {}, "No version was read on more than one target."));
  const at = several.includes(placeOf.get(version)) ? placeOf.get(version) : several.at(-1);
  const read = targetsIn(lookedAt(at));
  const odd = oddUnits(at), conflicts = data.conflicts[at] ?? [];
  view("platforms").replaceChildren(
    heading("platforms", `Where the platforms of ${versions[at]} differ`),
    make("div", { class: "controls" }, select("Version", "platforms-at", versionOptions(several), versions[at], (chosen) => { location.hash = `#platforms/${encodeURIComponent(chosen)}`; })),
    make("p", {}, `Read on ${read.map((target) => systems[target]).join(", ")}. What is not listed is the same on all of them.`),
    make("h2", {}, `Units that only some have: ${odd.length || "none"}`),
    ...(odd.length ? [make("p", { class: "quiet" }, "What stands on a command that is on some targets only goes with it and is not repeated."), lazyTable({ label: "Units that differ", css: "units", columns: ["Unit", ...read.map((target) => systems[target])], items: odd, row: (unit) => platformRow(unit, at, read) })] : []),
    make("h2", {}, `Values and texts that differ: ${conflicts.length || "none"}`),
    ...(conflicts.length ? [lazyTable({ label: "Fields that differ", columns: ["Unit", "Field", ...read.map((target) => systems[target])], items: conflicts, row: (one) => conflictRow(one, read) })] : []));
  return versions[at];
}

function oddUnits(at) {
  const differs = (unit) => { const { some, masks, all } = stateAt(unit.spans, at); return some || (masks.h !== 0 && masks.h !== all); };
  return units.filter((unit) => {
    if (!differs(unit)) return false;
    const above = unit.name ? unitAt(unit.path, "") : unit.path.length ? unitAt(unit.path.slice(0, -1), "") : null;
    return !above || stateAt(above.spans, at).all !== stateAt(unit.spans, at).all || !differs(above);
  });
}

const platformRow = (unit, at, read) => make("tr", {},
  make("th", { scope: "row" }, unitLink(unit), unit.kind === "flag" ? null : make("span", { class: "quiet" }, ` ${unit.kind}${withIt(unit, at)}`)),
  read.map((target) => make("td", {}, badge(stateAt(unit.spans, at, 1 << target).word))));

function withIt(unit, at) {
  if (unit.kind !== "command") return "";
  const below = units.filter((other) => other !== unit && unit.path.every((token, place) => other.path[place] === token) && there(other, at));
  return below.length ? ` with ${plural(below.length, "unit")} below it` : "";
}

function conflictRow(one, read) {
  const values = new Map(one.values);
  return make("tr", {},
    make("th", { scope: "row" }, namedLink(one.p, one.n)),
    make("td", {}, one.field.replaceAll("_", " ")),
    read.map((target) => make("td", {}, values.has(target) ? make("code", {}, values.get(target)) : make("span", { class: "quiet" }, "–"))));
}
