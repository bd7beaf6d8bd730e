// The theme that the reader chose; without a choice, the theme of the system.
const remembered = (() => {
  try {
    return localStorage.getItem("allometry-theme");
  } catch {
    return null;
  }
})();
const setTheme = (theme) => {
  if (theme) document.documentElement.dataset.theme = theme;
};
setTheme(remembered);
document.addEventListener("click", (event) => {
  if (!event.target.closest || !event.target.closest("#theme")) return;
  const dark = getComputedStyle(document.documentElement).colorScheme === "light dark"
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : document.documentElement.dataset.theme === "dark";
  setTheme(dark ? "light" : "dark");
  try {
    localStorage.setItem("allometry-theme", dark ? "light" : "dark");
  } catch {
    // Pages opened as files may have no storage; the choice then lasts until the page is closed.
  }
});
document.documentElement.classList.add("scripted");
drawTable();
