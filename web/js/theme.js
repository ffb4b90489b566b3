// Runs before the first paint: the theme and the panel that the address asks for, `?theme=dark&embed=mix#panel=explore`.
{
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  if (query.has("embed")) root.dataset.embed = query.get("embed");
  if (query.has("fit")) root.dataset.fit = "";
  // No other panel is seen before it; the page keeps this up to date.
  root.dataset.panel = new URLSearchParams(location.hash.slice(1)).get("panel") ?? query.get("embed") ?? "sample";

  const show = (theme) => {
    const fixed = theme === "light" || theme === "dark";
    if (fixed) root.dataset.theme = theme;
    else delete root.dataset.theme;
    // The colour of the browser's own bars.
    for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
      const own = meta.dataset.theme;
      meta.media = fixed ? (own === theme ? "all" : "not all") : `(prefers-color-scheme: ${own})`;
    }
  };
  show(query.get("theme"));

  // The reader's choice is kept in the address and nowhere else.
  document.addEventListener("DOMContentLoaded", () => {
    const select = document.getElementById("theme");
    select.value = root.dataset.theme ?? "auto";
    select.addEventListener("change", () => {
      show(select.value);
      const here = new URL(location.href);
      if (select.value === "auto") here.searchParams.delete("theme");
      else here.searchParams.set("theme", select.value);
      history.replaceState(history.state, "", here);
    });
  });
}
