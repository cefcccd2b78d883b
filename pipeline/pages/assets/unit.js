// One unit: its life, what help says, its values, every version and target, what wrappers do with it, and what is near.
const FACTS = {
  takes_value: "takes a value", optional_value: "the value may be left out", repeatable: "may be given several times",
  required: "must be given", variadic: "takes several words",
};

function factText(fact) {
  const [key, value] = fact.split(/=(.*)/s);
  if (key === "short") return `short name ${value}`;
  if (key === "alias") return `also called ${value}`;
  if (key === "position") return `word ${Number(value) + 1} of the positionals`;
  return FACTS[fact] ?? fact;
}

const apart = (spans) => (spans ? make("span", { class: "quiet" }, ` (${lives(spans).map((one) => short(one).replace(/^there /, "")).join("; ")})`) : null);

function showUnit(rest, _query, kind) {
  const unit = byAddress.get(`#${[kind, ...rest].map(encodeURIComponent).join("/")}`);
  if (!unit) {
    const name = rest.join(" ");
    view("unit").replaceChildren(heading("unit", `No version has ${name}`), make("p", {}, make("a", { href: `#units?q=${encodeURIComponent(name)}` }, `Search for ${name}`)));
    return `No version has ${name}`;
  }
  view("unit").replaceChildren(...unitParts(unit).flat().filter(Boolean));
  return unit.title;
}

function unitParts(unit) {
  const crumbs = [[], ...unit.path.map((_, at) => unit.path.slice(0, at + 1))].slice(0, unit.name ? undefined : -1);
  return [
    make("nav", { class: "crumbs", "aria-label": "Above it" }, make("a", { href: "#units" }, "Units"), crumbs.map((path) => [" › ", namedLink(path, "")])),
    make("h1", { id: "unit-title", tabindex: -1, class: "unit" }, unitName(unit)),
    make("p", { class: "lead" }, stateBadge(stateIn(unit, newest)), ` in ${versions[newest]}; ${fate(unit)}.`),
    make("h2", {}, "Its life"),
    strip(unit.spans, 640, 24),
    make("ul", { class: "plain", id: "unit-life" }, lives(unit.spans).map((one) => make("li", {}, life(one)))),
    helpPart(unit), valuePart(unit), wrapperPart(unit), changePart(unit), nearPart(unit), gridPart(unit),
  ];
}

function helpPart(unit) {
  const help = unit.help;
  const facts = unit.facts.map(([fact, spans]) => make("li", {}, factText(fact), apart(spans)));
  if (!help) {
    return [make("h2", {}, "What help says"), make("p", { class: "quiet" }, "No snapshot that is kept has it, so its text is not known here."), facts.length ? make("ul", { class: "plain" }, facts) : null];
  }
  const shown = (help.by ?? "").includes("help");
  const page = [data.program, ...(unit.name ? unit.path : unit.path.slice(0, -1)), "--help"].join(" ");
  const lines = [help.l ?? unit.title, help.t === undefined ? "" : data.texts[help.t].replace(/^/gm, "    ")].filter(Boolean).join("\n");
  const rows = [["default", help.d], ["environment", help.e], ["said by", help.by], ["read from", help.b && `bytes ${help.b} of ${page}`]];
  return [
    make("h2", {}, `What help says in ${versions[help.v]}`),
    shown || !help.by ? null : make("p", { class: "note" }, `Help does not show it; ${help.by} says that it is accepted.`),
    make("pre", { id: "unit-help" }, lines),
    make("p", { class: "quiet" }, `On ${systems[help.on]}, the newest snapshot that has it.`),
    facts.length ? make("ul", { class: "plain" }, facts) : null,
    make("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [make("dt", {}, name), make("dd", {}, make("code", {}, value))])),
  ];
}

function valuePart(unit) {
  if (!unit.values.length) return [];
  const abouts = new Map((unit.help?.vs ?? []).map(([name, text]) => [name, data.texts[text]]));
  return [
    make("h2", {}, "Possible values"),
    make("dl", { class: "facts" }, unit.values.map(([name, spans]) => [make("dt", {}, make("code", {}, name), apart(spans)), make("dd", {}, abouts.get(name) ?? "")])),
  ];
}

const claimText = ({ level, note, only }) => make("div", {}, [level, note, only && `only on ${only.join(", ")}`].filter(Boolean).join("; "));

function wrapperPart(unit) {
  if (!data.wrappers.length) return [];
  const above = unit.kind === "flag" && unit.path.length ? unitAt([], unit.name) : null;
  const rows = data.wrappers.map((wrapper, which) => {
    const wrap = unit.wraps[which] || null, root = above?.wraps[which] || null;
    const claims = wrap?.c ?? root?.c ?? [];
    return make("tr", {},
      make("th", { scope: "row" }, wrapper.label),
      make("td", {}, standingBadge(wrap)),
      make("td", {}, claims.length ? claims.map(claimText) : "claims nothing", claims.length && !wrap?.c ? " (for the root’s flag)" : ""),
      make("td", {}, claims.map(({ at = [], by }) => make("div", {}, at.map((place) => [make("code", {}, place), " "]), by ? make("span", { class: "quiet" }, `calls: ${by.join(", ")}`) : null))));
  });
  const head = ["Wrapper", `In ${versions[current]}`, "Level", "Places in its source"].map((title) => make("th", { scope: "col" }, title));
  return [make("h2", {}, "What wrappers do with it"), make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Wrappers" }, make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows)))];
}

function changePart(unit) {
  const same = (one) => one.n === unit.name && one.p.join("\0") === unit.path.join("\0");
  const told = data.diffs.flatMap((diff) => diff.findings.filter(same).map((one) => [diff, one]));
  if (!told.length) return [];
  return [make("h2", {}, "In the committed diffs"), make("ul", { class: "plain" }, told.map(([diff, one]) => make("li", {}, diffLink(diff), " ", finding(one, false))))];
}

function nearPart(unit) {
  if (unit.kind !== "command") return [];
  const depth = unit.path.length, same = (other) => unit.path.every((token, at) => other.path[at] === token);
  const near = units.filter((other) => other !== unit && same(other) && (other.kind === "command" ? other.path.length === depth + 1 : other.path.length === depth));
  const order = { command: 0, flag: 1, arg: 2 };
  near.sort((one, other) => order[one.kind] - order[other.kind]);
  return near.length ? [make("h2", {}, "Its commands, flags and args"), lazyTable({ label: "What belongs to it", css: "units", columns: ["Unit", `In ${versions[newest]}`, "Over versions"], items: near, row: nearRow })] : [];
}

const nearRow = (unit) => make("tr", {}, make("th", { scope: "row" }, unitLink(unit), unit.kind === "flag" ? null : make("span", { class: "quiet" }, ` ${unit.kind}`)), make("td", {}, stateBadge(stateIn(unit, newest))), make("td", {}, lifeCell(unit)));

function gridPart(unit) {
  const rows = versions.map((_, at) => at).reverse().map((at) => make("tr", {},
    make("th", { scope: "row", class: "version" }, versions[at]),
    systems.map((_, target) => make("td", {}, (lookedAt(at) >> target) & 1 ? badge(stateAt(unit.spans, at, 1 << target).word) : make("span", { class: "quiet" }, "not read")))));
  const head = ["Version", ...systems].map((title) => make("th", { scope: "col" }, title));
  return make("details", {}, make("summary", {}, "Every version and target"), make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Every version and target" }, make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows))));
}
