// The first script: says what keeps the page from starting, where its own program cannot. boot.js uses it too.
{
  // Milliseconds without a sign of the program before something is said.
  const PATIENCE = 10000;
  const root = document.documentElement;
  const say = (title, detail) => {
    document.getElementById("cover-title").textContent = title;
    document.getElementById("cover-detail").textContent = detail;
  };
  const why = (detail) => {
    if (location.protocol === "file:") {
      return "It was opened as a file, and browsers load no programs from files. Serve its folder, for example with “python3 -m http.server”.";
    }
    if (self.origin === "null") {
      return `It stands in a sandboxed frame, which keeps its programs out: the frame’s “sandbox” needs “allow-same-origin”. (${detail})`;
    }
    return `${detail} With a network, loading the page again fetches what is missing.`;
  };
  const show = (detail) => {
    const retry = document.getElementById("retry");
    // It failed before that part of the page was there.
    if (!retry) return setTimeout(show, 50, detail);
    say("This page did not load in full, or needs a newer browser", why(detail));
    document.getElementById("progress").hidden = true;
    retry.hidden = false;
    retry.addEventListener("click", () => location.reload());
  };
  self.cannotStart = (detail) => {
    if (root.dataset.state === "error") return;
    root.dataset.state = "error";
    show(detail);
  };
  // Only a capturing listener hears of files.
  addEventListener("error", ({ target }) => {
    const isPart = target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.rel === "stylesheet");
    if (!isPart) return;
    const name = new URL(target.src || target.href).pathname.split("/").pop();
    self.cannotStart(`${name} did not arrive, or its server gives it a wrong type.`);
  }, true);
  setTimeout(() => {
    if (root.dataset.state !== "loading" || root.dataset.program !== undefined) return;
    if (location.protocol === "file:") self.cannotStart("");
    else say("Still loading the page", "The line is slow, or the server does not answer.");
  }, PATIENCE);
}
