// Which view is shown is said by the address alone, so that links, reloads and the back button work by themselves.
const VIEWS = { units: showUnits, platforms: showPlatforms, ...(data.beside ? { surfaces: showSurfaces } : {}), changes: showChanges, queue: showQueue };
const OF_A_UNIT = ["command", "flag", "arg"];
const title = document.title;
let arrived = false;

function parsed() {
  const [where, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
  try {
    const [name, ...rest] = where.split("/").map(decodeURIComponent);
    return [name, rest, new URLSearchParams(query)];
  } catch {
    return ["overview", [], new URLSearchParams()];
  }
}

function route() {
  if (location.hash === "#main") return;
  const [name, rest, query] = parsed();
  const ofUnit = OF_A_UNIT.includes(name);
  const shown = ofUnit ? "unit" : name in VIEWS ? name : "overview";
  const told = ofUnit ? showUnit(rest, query, name) : VIEWS[shown]?.(rest, query);
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== `view-${shown}`;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.dataset.view === shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const here = document.querySelector(`.views a[data-view="${shown}"]`)?.textContent;
  document.title = shown === "overview" ? title : `${typeof told === "string" ? told : here} · ${title}`;
  if (arrived) document.getElementById(`${shown}-title`)?.focus({ preventScroll: true });
  scrollTo(0, history.state?.y ?? 0);
  arrived = true;
}

// A link is left by a click (also with the keyboard): where it was is kept with the entry that is left.
addEventListener("click", (event) => {
  if (event.target.closest?.("a[href^='#']")) history.replaceState({ y: scrollY }, "");
}, true);
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  event.preventDefault();
  if (view("units").hidden) location.hash = "#units";
  setTimeout(() => document.getElementById("units-q")?.focus());
});
history.scrollRestoration = "manual";
addEventListener("hashchange", route);
route();
