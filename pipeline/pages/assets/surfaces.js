// What versions have besides their command lines: methods of a server, events of hooks, features. See pipeline/pages/beside.py.
const NAMES = { method: "methods", event: "hook events", feature: "features" };
const COLUMNS = 6;
const besideDefaults = { q: "", kind: "all", show: "all" };
const besideAsked = { ...besideDefaults };
const lastRead = data.beside?.versions.at(-1);
const BESIDE_SHOW = { all: "all that were ever seen", there: `there in ${lastRead}`, gone: `gone by ${lastRead}`, differs: "what is not the same in all of them" };

// Versions that do not tell a kind say nothing of its names.
const besideMatches = {
  all: () => true,
  there: (told) => told.at(-1) > 0,
  gone: (told) => told.at(-1) === 0,
  differs: (told) => new Set(told.filter((one) => one >= 0)).size > 1,
};

function besideText(number) {
  if (number < 2) return ["not told", LABELS.none, "there"][number + 1];
  return `${number % 2 ? "on" : "off"}, ${data.beside.stages[(number - 2) >> 1]}`;
}

function besideCell(number) {
  if (number < 0) return make("span", { class: "quiet" }, besideText(number));
  return badge(number === 0 ? "none" : number === 1 || number % 2 ? "visible" : "hidden", besideText(number));
}

function listSurfaces() {
  const words = besideAsked.q.toLowerCase().split(/\s+/).filter(Boolean), matching = besideMatches[besideAsked.show];
  const items = data.beside.names.filter(([kind, name, told]) =>
    (besideAsked.kind === "all" || kind === besideAsked.kind) && words.every((word) => name.toLowerCase().includes(word)) && matching(told));
  const columns = data.beside.versions.slice(-COLUMNS).reverse();
  const count = `${plural(items.length, "name")}${items.length < data.beside.names.length ? ` of ${data.beside.names.length.toLocaleString("en")}` : ""}`;
  const row = ([kind, name, told]) => make("tr", {},
    make("th", { scope: "row" }, make("code", {}, name), make("span", { class: "quiet" }, ` ${kind}`)),
    told.slice(-COLUMNS).reverse().map((number) => make("td", {}, besideCell(number))));
  document.getElementById("surfaces-list").replaceChildren(
    make("p", { class: "count", id: "surfaces-count" }, count),
    items.length ? lazyTable({ label: "The names that fit", css: "units", columns: ["Name", ...columns], items, row }) : make("p", {}, "Nothing fits. ", make("a", { href: "#surfaces" }, "Show all names")));
  say(count);
}

function refilterSurfaces(change) {
  Object.assign(besideAsked, change);
  const query = new URLSearchParams(Object.entries(besideAsked).filter(([key, value]) => value !== besideDefaults[key]));
  history.replaceState(history.state, "", query.size ? `#surfaces?${query}` : "#surfaces");
  listSurfaces();
}

function showSurfaces(_rest, query) {
  Object.assign(besideAsked, besideDefaults);
  for (const key of Object.keys(besideAsked)) if (query.has(key)) besideAsked[key] = query.get(key);
  if (!(besideAsked.show in BESIDE_SHOW)) besideAsked.show = "all";
  if (!document.getElementById("surfaces-list")) buildSurfaces();
  for (const [key, value] of Object.entries(besideAsked)) document.getElementById(`surfaces-${key}`).value = value;
  listSurfaces();
}

function buildSurfaces() {
  const search = make("input", { type: "search", id: "surfaces-q", autocomplete: "off", spellcheck: "false", placeholder: "part of a name", oninput: () => refilterSurfaces({ q: search.value }) });
  const read = data.beside.versions;
  view("surfaces").replaceChildren(
    heading("surfaces", "Besides the command line"),
    make("p", {}, `What ${plural(read.length, "version")} told offline of their servers, hooks and features${read.length > COLUMNS ? `; the last ${COLUMNS} of them are shown` : ""}. Between two of them anything may have happened. A feature is on or off where nobody switches it.`),
    make("search", { class: "controls" },
      make("div", {}, make("label", { for: "surfaces-q" }, "Search"), search),
      select("Kind", "surfaces-kind", [["all", "all"], ...Object.entries(NAMES)], besideAsked.kind, (kind) => refilterSurfaces({ kind })),
      select("Show", "surfaces-show", Object.entries(BESIDE_SHOW), besideAsked.show, (show) => refilterSurfaces({ show }))),
    make("div", { id: "surfaces-list" }));
}
