"use strict";
// Follows the store: when the server announces a change, fetches the parts of the page that show it. It begins
// when the page's own script, which stands below, has run.
document.addEventListener("DOMContentLoaded", () => {
  const home = document.getElementById("dashboard");
  const parts = home.dataset.parts.split(" ").filter(Boolean);
  const query = `?ladder=${encodeURIComponent(home.dataset.ladder)}`;
  const rest = { live: 400, charts: 500, page: 1000 };
  const wanted = {};
  const shown = {};
  const busy = {};

  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || "" : "");
  const sources = new WeakMap();

  // Replaces a drawing that has changed. A zoom stays at its values.
  const replaceDrawing = (old, fresh) => {
    const source = fresh.outerHTML;
    if (sources.get(old) === source) return;
    const isPanel = old.classList.contains("panel");
    const view = isPanel && panelOf(old).zoom ? windowOf(panelOf(old)) : null;
    old.replaceWith(fresh);
    sources.set(fresh, source);
    if (view) zoomToWindow(panelOf(fresh), view);
  };

  // Changes an element until it equals another one. Parts that stay keep their state: focus, scrolling, and
  // whether they are open.
  const morph = (old, fresh) => {
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of Array.from(old.attributes)) {
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    const keyed = new Map(Array.from(old.childNodes, (node) => [keyOf(node), node]));
    let place = old.firstChild;
    for (const next of Array.from(fresh.childNodes)) {
      const key = keyOf(next);
      const isAlike = place && place.nodeName === next.nodeName && keyOf(place) === key;
      const match = isAlike ? place : key && keyed.get(key);
      if (!match || match.nodeName !== next.nodeName) {
        if (next.nodeName === "svg") sources.set(next, next.outerHTML);
        old.insertBefore(next, place);
        if (next.nodeType === Node.ELEMENT_NODE) {
          next.querySelectorAll("svg").forEach((one) => sources.set(one, one.outerHTML));
        }
        continue;
      }
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      if (next.nodeType === Node.TEXT_NODE) {
        if (match.data !== next.data) match.data = next.data;
      } else if (next.nodeName === "svg") {
        replaceDrawing(match, next);
      } else if (next.nodeName === "SCRIPT") {
        if (match.textContent !== next.textContent) match.replaceWith(next);
      } else if (next.id === "explorer") {
        match.dataset.marginals = next.dataset.marginals;
      } else if (next.nodeType === Node.ELEMENT_NODE) {
        morph(match, next);
      }
    }
    while (place) {
      const following = place.nextSibling;
      place.remove();
      place = following;
    }
  };
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

  const put = (part, text) => {
    if (part === "page") {
      const page = parsed(text).getElementById("dashboard");
      // The page of the first ladder of an empty store has other parts, so it is loaded anew.
      if (page.dataset.parts !== home.dataset.parts && page.dataset.parts !== "") location.reload();
      morph(home, page);
      return wanted[part];
    }
    const element = document.getElementById(part);
    const fresh = element.cloneNode(false);
    fresh.append(...parsed(text).body.childNodes);
    morph(element, fresh);
    if (part !== "charts") return wanted[part];
    if (shown.charts === undefined) readAddress();
    else setFilter(selection.filter);
    drawExplorer();
    drawTable();
    changed("data");
    return Number(element.firstElementChild.dataset.version);
  };
  // A chart is not replaced under a pointer that draws in it.
  const isHeld = (part) => part === "charts" && Boolean(drag.panel || brushing.panel);
  const refresh = async (part) => {
    if (document.hidden || busy[part] || shown[part] === wanted[part] || isHeld(part)) return;
    busy[part] = true;
    const version = wanted[part];
    try {
      const have = part === "charts" && shown.charts !== undefined ? `&have=${shown.charts}` : "";
      const answer = await fetch(part === "page" ? location.href : `/${part}${query}${have}`);
      const text = await answer.text();
      // The server has nothing newer yet.
      const isNew = answer.ok && answer.status !== 204;
      if (isNew && !isHeld(part)) shown[part] = Math.min(version, put(part, text));
    } catch (error) {
      // The event stream reports when the server is back.
      if (!(error instanceof TypeError && error.message.includes("fetch"))) console.error(error);
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
  events.addEventListener("error", () => home.before(note));
  document.addEventListener("visibilitychange", refreshAll);
  setInterval(refreshAll, 5000);
});
