// What JavaScript adds to the report form: "it is here", a draft that survives, sending once there is a signal.
"use strict";
(() => {
  const KEY = "vigia-report";
  const KEPT = ["id", "type", "place", "lon", "lat", "accuracy", "words"]; // never who you are
  const store = {
    get() { try { return JSON.parse(localStorage.getItem(KEY)) || null; } catch { return null; } },
    set(value) { try { localStorage.setItem(KEY, JSON.stringify(value)); } catch { /* private mode: no draft */ } },
    drop() { try { localStorage.removeItem(KEY); } catch { /* nothing was kept */ } },
  };
  if (document.querySelector("[data-sent]")) return store.drop();
  const form = document.getElementById("report");
  if (!form) return;
  const at = (id) => document.getElementById(id);
  const fields = form.elements;
  const said = form.dataset;

  // ── It is here ──
  const show = () => {
    const located = fields.lon.value !== "";
    at("located").value = located ? said.here.replace("{metres}", fields.accuracy.value || "?") : "";
    at("forget").hidden = !located;
    if (at("kept-place")) at("kept-place").hidden = true;
  };
  const locate = (lon, lat, accuracy) => {
    fields.lon.value = lon; fields.lat.value = lat; fields.accuracy.value = accuracy;
    show(); keep();
  };
  const describe = async (lon, lat) => {
    try {
      const answer = await fetch(`/api/v1/places/describe?lon=${lon}&lat=${lat}`);
      const words = answer.ok ? await answer.json() : {};
      if (words.street && !fields.place.value) { fields.place.value = words.place; keep(); }
    } catch { /* the point alone will do */ }
  };
  if ("geolocation" in navigator && window.isSecureContext) at("here").hidden = false;
  at("locate").addEventListener("click", () => {
    at("located").value = said.looking;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const [lon, lat] = [coords.longitude.toFixed(6), coords.latitude.toFixed(6)];
        locate(lon, lat, String(Math.round(coords.accuracy)));
        describe(lon, lat);
      },
      () => { at("located").value = said.denied; fields.place.focus(); },
      { enableHighAccuracy: true, timeout: 10000, maximumAge: 30000 },
    );
  });
  at("forget").addEventListener("click", () => { locate("", "", ""); fields.place.focus(); });

  // ── What the words may mean: choosing sets the point, the words stay ──
  const list = at("matches");
  const LONG = ["exact", "interpolated"];
  let asked = 0, chosen = false;
  const shut = () => { list.hidden = true; list.replaceChildren(); };
  const choose = (match) => {
    const [lon, lat] = match.location.coordinates;
    chosen = true;
    fields.lon.value = lon; fields.lat.value = lat; fields.accuracy.value = "";
    at("match").value = said.match.replace("{place}", match.label);
    shut(); fields.place.focus(); keep();
  };
  const option = (match) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = match.label + (LONG.includes(match.precision) ? "" : ` · ${said.about}`);
    button.addEventListener("click", () => choose(match));
    const item = document.createElement("li");
    item.append(button);
    return item;
  };
  const suggest = async (turn) => {
    const words = fields.place.value.trim();
    if (turn !== asked || words.length < 3) return shut();
    try {
      const answer = await fetch(`/api/v1/places/search?limit=4&q=${encodeURIComponent(words)}`);
      const found = answer.ok ? (await answer.json()).matches : [];
      if (turn !== asked) return;
      list.replaceChildren(...found.map(option));
      list.hidden = !found.length;
    } catch { shut(); /* the words alone will do */ }
  };
  fields.place.addEventListener("input", () => {
    if (chosen) { chosen = false; fields.lon.value = fields.lat.value = ""; at("match").value = ""; }
    if (fields.lon.value) return;
    const turn = ++asked;
    setTimeout(() => suggest(turn), 250);
  });
  fields.place.parentElement.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "Escape") { fields.place.focus(); return shut(); }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [fields.place, ...list.querySelectorAll("button")];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });

  // ── The draft ──
  const keep = () => store.set(Object.fromEntries(KEPT.map((name) => [name, fields[name].value])));
  const draft = store.get();
  if (draft && !said.kept) {
    for (const name of KEPT) if (draft[name]) fields[name].value = draft[name];
    const open = form.querySelector(":checked")?.closest("details");
    if (open) open.open = true;
  }
  show();
  form.addEventListener("input", keep);

  // ── Sending ──
  const send = at("send");
  const label = send.querySelector("span");
  const words = label.textContent;
  const busy = (yes) => {
    if (yes) send.setAttribute("aria-disabled", "true"); else send.removeAttribute("aria-disabled");
    label.textContent = yes ? said.sending : words;
  };
  let waiting = false;
  form.addEventListener("submit", (event) => {
    if (send.hasAttribute("aria-disabled")) return event.preventDefault();
    keep();
    if (navigator.onLine) return busy(true);
    event.preventDefault();
    waiting = true;
    at("offline").textContent = said.offline;
    at("offline").hidden = false;
  });
  addEventListener("online", () => {
    if (!waiting) return;
    waiting = false;
    at("offline").hidden = true;
    form.requestSubmit(send);
  });
  addEventListener("pageshow", (event) => { if (event.persisted) busy(false); });
})();
