"use strict";
// Follows the store: when the server announces a change, fetches the parts of the page that show it.
(() => {
  const home = document.getElementById("dashboard");
  const parts = home.dataset.parts.split(" ").filter(Boolean);
  const query = `?ladder=${encodeURIComponent(home.dataset.ladder)}`;
  const rest = { live: 400, charts: 3000, page: 1000 };
  const wanted = {};
  const shown = {};
  const busy = {};

  // Charts are not updated while the user zooms or selects in them.
  const held = () => allPanels().some((panel) => panel.zoom) || brushes.size > 0;

  const put = (part, text) => {
    if (part === "page") {
      const page = new DOMParser().parseFromString(text, "text/html").getElementById("dashboard");
      // The page of the first ladder of an empty store has other parts, so it is loaded anew.
      if (page.dataset.parts !== home.dataset.parts && page.dataset.parts !== "") location.reload();
      home.replaceChildren(...page.childNodes);
      return wanted[part];
    }
    const element = document.getElementById(part);
    const open = Array.from(element.querySelectorAll("details"), (one) => one.open);
    element.innerHTML = text;
    element.querySelectorAll("details").forEach((one, place) => {
      one.open = Boolean(open[place]);
    });
    if (part !== "charts") return wanted[part];
    drawTable();
    changed("pinned");
    return Number(element.firstElementChild.dataset.version);
  };
  const refresh = async (part) => {
    if (document.hidden || busy[part] || shown[part] === wanted[part] || (part === "charts" && held())) return;
    busy[part] = true;
    const version = wanted[part];
    try {
      const answer = await fetch(part === "page" ? location.href : `/${part}${query}`);
      if (answer.ok) shown[part] = Math.min(version, put(part, await answer.text()));
    } catch {
      // The event stream reports when the server is back.
    }
    setTimeout(() => {
      busy[part] = false;
      refresh(part);
    }, rest[part]);
  };
  const refreshAll = () => parts.forEach(refresh);

  const note = document.createElement("p");
  note.className = "away";
  note.setAttribute("role", "status");
  note.textContent = "The connection to the server is lost; reconnecting.";
  const events = new EventSource("/events");
  events.addEventListener("changed", (event) => {
    note.remove();
    const versions = JSON.parse(event.data);
    Object.assign(wanted, { live: versions.live, page: versions.live, charts: versions.finished });
    refreshAll();
  });
  events.addEventListener("error", () => home.prepend(note));
  document.addEventListener("visibilitychange", refreshAll);
  setInterval(refreshAll, 5000);
})();
