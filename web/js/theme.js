// Runs before the first paint: the theme and the embedded panel that the address asks for.
const query = new URLSearchParams(location.search);
const root = document.documentElement;
if (query.has("embed")) root.dataset.embed = query.get("embed");
if (["light", "dark"].includes(query.get("theme"))) root.dataset.theme = query.get("theme");
