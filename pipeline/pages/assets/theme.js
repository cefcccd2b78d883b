// Runs before anything is drawn: the theme that was chosen, if one was. A browser may refuse to keep it.
(() => {
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem("parity-theme") ?? ""; } catch { return ""; } };
  const apply = (theme) => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  apply(kept());
  addEventListener("DOMContentLoaded", () => {
    const select = document.getElementById("theme");
    select.value = kept();
    select.addEventListener("change", () => {
      try { localStorage.setItem("parity-theme", select.value); } catch { /* kept for this page only */ }
      apply(select.value);
    });
  });
})();
