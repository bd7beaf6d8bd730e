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

// A link into a closed section opens it, with all sections around it.
const openTarget = () => {
  let target = null;
  try {
    target = document.getElementById(decodeURIComponent(addressParts().id));
  } catch {
    // The address has no valid name.
  }
  if (!target) return;
  for (let part = target; part; part = part.parentElement) {
    if (part.tagName === "DETAILS") part.open = true;
  }
  target.scrollIntoView();
};
addEventListener("hashchange", openTarget);
document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("a[href^='#']");
  // A second click on a link changes no address.
  if (link && link.getAttribute("href") === `#${addressParts().id}`) openTarget();
});

// The contents are open where they stand beside the text.
const wide = matchMedia("(min-width: 75rem)");
const showContents = () => {
  const contents = document.querySelector("nav.contents details");
  if (contents) contents.open = wide.matches;
};
wide.addEventListener("change", showContents);

// Print shows the advice on every finding, and says which sections it leaves out.
const opened = [];
addEventListener("beforeprint", () => {
  for (const finding of document.querySelectorAll("details.finding:not([open])")) {
    finding.open = true;
    opened.push(finding);
  }
  table.printing = true;
  drawTable();
  const note = document.querySelector(".printed");
  if (!note) return;
  const closed = Array.from(document.querySelectorAll("details.fold:not([open]) > summary"), (one) => one.textContent);
  const first = closed.includes("All trials") ? "" : ` Of the trials, the first ${PRINTED} of the table are printed.`;
  note.textContent = closed.length > 0 ? `Not printed, because they were closed: ${closed.join("; ")}.${first}` : first;
});
addEventListener("afterprint", () => {
  table.printing = false;
  drawTable();
  for (const finding of opened.splice(0)) finding.open = false;
});

document.documentElement.classList.add("scripted");
showContents();
drawExplorer();
drawTable();
if (document.getElementById("allometry-trials")) readAddress();
openTarget();
