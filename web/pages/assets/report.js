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
  let turn = 0, chosen = false;
  const option = (match) => {
    const item = document.createElement("li");
    const button = item.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = match.label + (/^(ex|in)/.test(match.precision) ? "" : ` · ${said.about}`);
    button.addEventListener("click", () => {
      [fields.lon.value, fields.lat.value] = match.location.coordinates;
      chosen = list.hidden = true;
      at("match").value = said.match.replace("{place}", match.label);
      fields.place.focus(); keep();
    });
    return item;
  };
  const suggest = async (mine) => {
    const words = fields.place.value.trim();
    const answer = words[2] && (await fetch(`/api/v1/places/search?limit=4&q=${encodeURIComponent(words)}`));
    if (mine !== turn) return;
    list.replaceChildren(...(answer?.ok ? (await answer.json()).matches.map(option) : []));
    list.hidden = !list.firstChild;
  };
  fields.place.addEventListener("input", () => {
    if (chosen) fields.lon.value = fields.lat.value = at("match").value = "";
    chosen = false;
    const mine = ++turn;
    if (!fields.lon.value) setTimeout(() => mine === turn && suggest(mine).catch(() => { list.hidden = true; }), 250);
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
