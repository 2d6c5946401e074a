// Applies the stored theme and density before the first paint. The same keys are written by `store/preferences.rs`.
(function () {
  var stored = {};
  try {
    stored = JSON.parse(localStorage.getItem("stella.preferences")) || {};
  } catch (error) {
    // A damaged entry counts as none; the page writes a sound one with the next choice.
  }
  var light = matchMedia("(prefers-color-scheme: light)").matches;
  var theme = stored.theme === "light" || stored.theme === "dark" ? stored.theme : light ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.density = stored.density === "compact" ? "compact" : "comfortable";
})();
