// Runs before the first paint (a file of its own: our CSP allows no inline script).
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("vigia:tema");
  } catch {
    // Storage may be blocked; the system's theme will do.
  }
  var dark = chosen === "oscuro" || (chosen !== "claro" && matchMedia("(prefers-color-scheme: dark)").matches);
  if (location.pathname.startsWith("/pared")) dark = true;
  document.documentElement.dataset.tema = dark ? "oscuro" : "claro";
  document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";
})();
