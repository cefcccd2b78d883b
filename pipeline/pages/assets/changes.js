// What changed between two versions: the committed diff where there is one, else what the timeline tells.
const SEVERITIES = {
  breaking: "Breaking: a call that worked is refused", risky: "Risky: a call may mean something else, or is about to break",
  compatible: "Compatible: what is new, and what more is taken", informative: "Informative: what help says",
};
const WITNESSED = { confirmed: "taken before and refused after by the real binaries", refuted: "the real binaries say otherwise", untried: "by the two surfaces, not tried on binaries" };

const diffAddress = (before, after) => `#changes/${encodeURIComponent(`${before}..${after}`)}`;
const diffLink = (diff) => make("a", { href: diffAddress(versions[diff.a], versions[diff.b]), class: "version" }, `${versions[diff.a]} → ${versions[diff.b]}`);

function finding(one, named = true) {
  const change = one.before !== undefined || one.after !== undefined ? ` ${one.before ?? "nothing"} → ${one.after ?? "nothing"}` : "";
  const [state, ...argv] = one.witness ?? [];
  return make("span", {},
    named ? [namedLink(one.p, one.n), " "] : make("span", { class: `severity ${one.severity}` }, `${one.severity} `),
    one.value ? [make("code", {}, one.value), " "] : null,
    data.rules[one.code] ?? one.code, " ", make("span", { class: "quiet" }, `(${one.code})`),
    one.with ? make("span", { class: "quiet" }, ` ${one.n ? "also on" : "with"} ${one.with}`) : null,
    one.on ? make("span", { class: "quiet" }, ` on ${one.on.map((target) => data.systems[target] ?? target).join(", ")}`) : null,
    change && one.severity !== "informative" ? make("span", { class: "quiet" }, change) : null,
    state ? make("div", { class: "quiet" }, make("code", {}, [data.program, ...argv].join(" ")), ` ${WITNESSED[state]}`) : null);
}

function showChanges([pair]) {
  if (versions.length < 2) return view("changes").replaceChildren(heading("changes", "Changes"), make("p", {}, "Fewer than two versions were read."));
  const last = data.diffs.at(-1);
  let [before, after] = (pair ?? "").split("..").map((version) => placeOf.get(version));
  if (before === undefined || after === undefined) [before, after] = last ? [last.a, last.b] : [newest - 1, newest];
  const go = () => { location.hash = diffAddress(document.getElementById("changes-before").value, document.getElementById("changes-after").value); };
  const committed = data.diffs.find((diff) => diff.a === before && diff.b === after);
  view("changes").replaceChildren(
    heading("changes", `From ${versions[before]} to ${versions[after]}`),
    make("div", { class: "controls" },
      select("From", "changes-before", versionOptions(), versions[before], go),
      select("To", "changes-after", versionOptions(), versions[after], go)),
    ...(data.diffs.length ? [make("p", { class: "quiet" }, "Pairs with a committed diff, which has severities and witnesses: ", data.diffs.map((diff, at) => [at ? ", " : "", diffLink(diff)]))] : []),
    ...(committed ? committedParts(committed) : computedParts(before, after)));
  return `${versions[before]} to ${versions[after]}`;
}

function committedParts(diff) {
  return [
    make("p", {}, `Compared on ${diff.on.map((target) => data.systems[target] ?? target).join(", ")}.`),
    ...(diff.told ?? []).map((text) => make("p", { class: "quiet" }, text)),
    ...Object.entries(SEVERITIES).flatMap(([severity, title]) => {
      const items = diff.findings.filter((one) => one.severity === severity);
      const others = (diff.beside ?? []).filter(([of]) => of === severity);
      const count = others.reduce((sum, [, , names]) => sum + names.length, items.length);
      const list = count ? make("ul", { class: "plain" }, items.map((one) => make("li", {}, finding(one))), others.map(besideItem)) : null;
      const folded = list && severity === "informative" ? make("details", {}, make("summary", {}, "Show them"), list) : list;
      return [make("h2", {}, make("span", { class: `severity ${severity}` }, ""), `${title} (${count})`), folded ?? make("p", { class: "quiet" }, "Nothing.")];
    }),
  ];
}

// Of methods, events and features there may be hundreds: a few are shown, more than that unfold.
function namesItem(what, names) {
  const said = names.map(([name, text], at) => [at ? ", " : "", make("code", {}, name), text ? make("span", { class: "quiet" }, ` (${text})`) : null]);
  if (names.length <= 12) return make("li", {}, what, ": ", names.length ? said : "nothing");
  return make("li", {}, make("details", {}, make("summary", {}, what, ` ${names.length}`), make("p", {}, said)));
}

const besideItem = ([, code, names]) => namesItem([data.rules[code] ?? code, " ", make("span", { class: "quiet" }, `(${code})`)], names);

// Only what the timeline knows, on targets that were read of both: which units and values there are, shown or hidden.
function compared(before, after) {
  const on = lookedAt(before) & lookedAt(after);
  const lists = { gone: [], hidden: [], shown: [], new: [], "values gone": [], "values new": [] };
  for (const unit of units) {
    const then = stateAt(unit.spans, before, on), now = stateAt(unit.spans, after, on);
    const above = unit.name ? unitAt(unit.path, "") : unit.path.length ? unitAt(unit.path.slice(0, -1), "") : null;
    const moved = (at) => above && stateAt(above.spans, at, on).all === 0;
    if (then.all && !now.all) { if (!moved(after)) lists.gone.push([unit, then]); }
    else if (!then.all && now.all) { if (!moved(before)) lists.new.push([unit, now]); }
    else if (then.all && now.all) {
      if (then.word !== "hidden" && now.word === "hidden") lists.hidden.push([unit]);
      if (then.word === "hidden" && now.word !== "hidden") lists.shown.push([unit]);
      for (const [value, spans = unit.spans] of unit.values) {
        const was = stateAt(spans, before, on).all, is = stateAt(spans, after, on).all;
        if (was && !is) lists["values gone"].push([unit, null, value]);
        if (!was && is) lists["values new"].push([unit, null, value]);
      }
    }
  }
  return { on, lists };
}

const TITLES = { gone: "Gone", hidden: "Hidden now: accepted, not shown", shown: "Shown now, hidden before", new: "New", "values gone": "Values that are not listed any more", "values new": "New values" };

function computedParts(before, after) {
  const { on, lists } = compared(before, after), others = besideParts(before, after);
  if (!on) return [make("p", { class: "note" }, "No target was read of both versions, so no command line can be compared."), ...others];
  return [
    make("p", {}, `Compared on ${systemsIn(on)}, from the timeline alone: which units and values there are, shown or hidden. What stands on a command that came or went is not repeated. Whether it breaks a call is not judged here.`),
    ...Object.entries(lists).flatMap(([name, items]) => [
      make("h2", {}, `${TITLES[name]} (${items.length})`),
      items.length ? make("ul", { class: "plain" }, items.map(([unit, state, value]) => make("li", {}, unitLink(unit), value === undefined ? null : [" ", make("code", {}, value)], state?.word === "hidden" ? make("span", { class: "quiet" }, " (hidden)") : null))) : make("p", { class: "quiet" }, "Nothing."),
    ]),
    ...others,
  ];
}

// The same besides the command line, of versions that told it; of a kind that one does not tell nothing is said but that.
function besideParts(before, after) {
  if (!data.beside) return [];
  const pair = [versions[before], versions[after]], places = pair.map((version) => data.beside.versions.indexOf(version));
  const unread = pair.filter((_, side) => places[side] < 0);
  if (unread.length) return [make("p", { class: "note" }, `What ${unread.join(" and ")} had besides the command line was not read.`)];
  const lists = { Gone: [], New: [], "Switched or in another stage": [] }, untold = new Set();
  for (const [kind, name, told] of data.beside.names) {
    const [then, now] = places.map((place) => told[place]);
    if (then < 0 !== now < 0) untold.add(NAMES[kind]);
    if (then < 0 || now < 0 || then === now) continue;
    const list = now === 0 ? "Gone" : then === 0 ? "New" : "Switched or in another stage";
    lists[list].push([name, now === 0 || then === 0 ? kind : `${besideText(then)} → ${besideText(now)}`]);
  }
  return [
    make("h2", {}, "Besides the command line"),
    ...(untold.size ? [make("p", { class: "note" }, `Only one of the two tells of ${[...untold].join(" and ")}: whether they differ is not known.`)] : []),
    make("ul", { class: "plain" }, Object.entries(lists).map(([title, names]) => namesItem(title, names))),
  ];
}
