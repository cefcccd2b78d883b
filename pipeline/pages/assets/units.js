// All units: found by words, by state in a version, by kind, by what a wrapper does with them.
const SHOW = {
  all: (at) => "all that were ever seen",
  there: (at) => `there in ${at}`,
  visible: (at) => `visible in ${at}`,
  hidden: (at) => `hidden in ${at}`,
  gone: (at) => `gone by ${at}`,
  later: (at) => `not there yet in ${at}`,
  some: (at) => `on some targets of ${at} only`,
};
const asked = { q: "", at: versions[current], show: "all", kind: "all", wrapper: "any" };
let listed = null;

const matches = {
  all: () => true,
  there: (state) => state.all !== 0,
  visible: (state) => state.word === "visible",
  hidden: (state) => state.word === "hidden",
  gone: (_state, unit, at) => isGone(unit, at),
  later: (state, unit, at) => state.all === 0 && ends(unit.spans).first > at,
  some: (state) => state.some,
};

function wrapperFilter(text) {
  const [does, name] = text.split(/:(.*)/s);
  const which = data.wrappers.findIndex((wrapper) => wrapper.name === name);
  if (which < 0) return () => true;
  const lacked = (unit) => ["missing", "unsupported"].includes(unit.wraps[which]?.is);
  return does === "lacks" ? lacked : (unit) => unit.wraps[which]?.is === "covered";
}

function found({ q, at: version, show, kind, wrapper }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const at = placeOf.get(version), matching = matches[show], wrapped = wrapperFilter(wrapper);
  return units.filter((unit) =>
    (kind === "all" || unit.kind === kind) &&
    words.every((word) => unit.words.includes(word)) &&
    wrapped(unit) &&
    (show === "all" || matching(stateAt(unit.spans, at), unit, at)));
}

function unitRow(at) {
  const read = targetsIn(lookedAt(at));
  return (unit) => {
    const state = stateIn(unit, at);
    const onTarget = (target) => badge(stateAt(unit.spans, at, 1 << target).word);
    return make("tr", {},
      make("th", { scope: "row" }, unitLink(unit), unit.kind === "flag" ? null : make("span", { class: "quiet" }, ` ${unit.kind}`)),
      read.length > 1 ? read.map((target) => make("td", {}, onTarget(target))) : make("td", {}, stateBadge(state)),
      make("td", {}, lifeCell(unit)),
      data.wrappers.map((_, which) => make("td", {}, standingBadge(unit.wraps[which]))));
  };
}

function unitQuery() {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(asked)) if (value !== defaults[key]) query.set(key, value);
  return query.size ? `#units?${query}` : "#units";
}
const defaults = { ...asked };

function listUnits() {
  const key = JSON.stringify(asked);
  if (key === listed) return;
  listed = key;
  const at = placeOf.get(asked.at), items = found(asked), read = targetsIn(lookedAt(at));
  const columns = [
    "Unit",
    ...(read.length > 1 ? read.map((target) => ({ title: `${asked.at} on ${systems[target]}` })) : [asked.at]),
    `Over versions, ${versions[0]} to ${versions[newest]}`,
    ...data.wrappers.map((wrapper) => `${wrapper.label}, ${versions[current]}`),
  ];
  const count = `${plural(items.length, "unit")}${items.length < units.length ? ` of ${units.length.toLocaleString("en")}` : ""}`;
  const none = make("p", {}, "Nothing fits. ", make("a", { href: "#units" }, "Show all units"));
  document.getElementById("units-list").replaceChildren(
    make("p", { class: "count", id: "units-count" }, count),
    items.length ? lazyTable({ label: "The units that fit", css: "units", columns, items, row: unitRow(at) }) : none);
  say(count);
}

function refilter(change) {
  Object.assign(asked, change);
  history.replaceState(history.state, "", unitQuery());
  fillShow();
  listUnits();
}

function fillShow() {
  for (const option of document.getElementById("units-show").options) option.textContent = SHOW[option.value](asked.at);
}

function showUnits(_rest, query) {
  if (versions.length === 0) return view("units").replaceChildren(heading("units", "Units"), make("p", {}, "No version was read yet."));
  Object.assign(asked, defaults);
  for (const key of Object.keys(asked)) if (query.has(key)) asked[key] = query.get(key);
  if (!placeOf.has(asked.at)) asked.at = defaults.at;
  if (!(asked.show in SHOW)) asked.show = defaults.show;
  if (!document.getElementById("units-list")) buildUnits();
  for (const [key, value] of Object.entries(asked)) {
    const control = document.getElementById(`units-${key}`);
    if (control && control.value !== value) control.value = value;
  }
  fillShow();
  listUnits();
}

function buildUnits() {
  const search = make("input", { type: "search", id: "units-q", autocomplete: "off", spellcheck: "false", placeholder: "name, value or words of its help", oninput: () => refilter({ q: search.value }) });
  const wrapperOptions = [["any", "any"], ...data.wrappers.flatMap(({ name, label }) => [[`lacks:${name}`, `${label} lacks it`], [`covers:${name}`, `${label} covers it`]])];
  view("units").replaceChildren(
    heading("units", "Units"),
    make("search", { class: "controls" },
      make("div", {}, make("label", { for: "units-q" }, "Search (press / to come here)"), search),
      select("Version", "units-at", versionOptions(), asked.at, (at) => refilter({ at })),
      select("Show", "units-show", Object.keys(SHOW).map((show) => [show, SHOW[show](asked.at)]), asked.show, (show) => refilter({ show })),
      select("Kind", "units-kind", [["all", "all"], ["command", "commands"], ["flag", "flags"], ["arg", "args"]], asked.kind, (kind) => refilter({ kind })),
      data.wrappers.length ? select("Wrapper", "units-wrapper", wrapperOptions, asked.wrapper, (wrapper) => refilter({ wrapper })) : null),
    make("div", { id: "units-list" }));
}
