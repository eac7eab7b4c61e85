// A map of the district: streets from one GeoJSON of ours, places as links that a keyboard reaches.
// <div class="map" data-worker="…" data-base="/…geojson" data-points='[{id, lon, lat, label, href, tone, text}]'
//      data-zoom="14" data-stream="/events/…" data-event="points">
// Base features carry `kind`: water, green, building, road, street, path, rail. Tones: open, closed, me, order, courier, pulse.
import { AttributionControl, LngLatBounds, Map, Marker, NavigationControl, setWorkerUrl } from "maplibre-gl";
import { colour } from "./colour.js";
import { stream } from "./stream.js";

const ICON = { open: "store", closed: "store", me: "user", order: "package", courier: "bike", pulse: "circle" };
// Kinds from the ground up: [kind, layer type, token, paint].
const LAYERS = [
  ["green", "fill", "--map-green"],
  ["water", "fill", "--map-water"],
  ["building", "fill", "--map-building"],
  ["rail", "line", "--map-rail", [12, 0.6, 17, 2]],
  ["path", "line", "--map-path", [13, 0.4, 18, 3]],
  ["street", "line", "--map-street", [12, 0.7, 18, 12]],
  ["road", "line", "--map-road", [11, 1, 18, 20]],
];
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

for (const element of document.querySelectorAll(".map")) open(element);

function open(element) {
  setWorkerUrl(new URL(element.dataset.worker, location.href).href);
  const canvas = element.querySelector(".map-canvas");
  const points = JSON.parse(element.dataset.points || "[]");
  const map = new Map({
    container: canvas,
    style: style(element),
    bounds: around(points),
    maxBounds: limits(element),
    fitBoundsOptions: { padding: 56, maxZoom: Number(element.dataset.zoom || 15) },
    attributionControl: false,
    cooperativeGestures: element.dataset.cooperative === "on",
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: calm ? 0 : 200,
    locale: JSON.parse(element.dataset.words || "{}"),
  });
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  if (element.dataset.attribution) {
    map.addControl(new AttributionControl({ customAttribution: element.dataset.attribution, compact: false }));
  }
  map.touchZoomRotate.disableRotation();
  const markers = {};
  const show = (list, whole) => place(map, element, markers, list, whole);
  show(points, true);
  element.addEventListener("hanse:points", (event) => show(event.detail, false));
  document.addEventListener("hanse:theme", () => map.setStyle(style(element)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => map.setStyle(style(element)));
  follow(element, show);
  link(markers);
}

function style(element) {
  const token = (name) => colour(element, name);
  const layers = LAYERS.map(([kind, type, name, width]) => ({
    id: kind,
    type,
    source: "base",
    filter: ["==", ["get", "kind"], kind],
    ...(type === "line" ? { layout: { "line-cap": "round", "line-join": "round" } } : {}),
    paint: type === "fill" ? { "fill-color": token(name) } : { "line-color": token(name), "line-width": grow(width) },
  }));
  const base = element.dataset.base || { type: "FeatureCollection", features: [] };
  return {
    version: 8,
    sources: { base: { type: "geojson", data: typeof base === "string" ? new URL(base, location.href).href : base, tolerance: 0.3 } },
    layers: [{ id: "ground", type: "background", paint: { "background-color": token("--map-ground") } }, ...layers],
  };
}

function grow([low, thin, high, thick]) {
  return ["interpolate", ["exponential", 1.6], ["zoom"], low, thin, high, thick];
}

function around(points) {
  const bounds = new LngLatBounds();
  for (const { lon, lat } of points) bounds.extend([lon, lat]);
  return bounds.isEmpty() ? undefined : bounds;
}

// Nobody is led to where nothing is drawn.
function limits(element) {
  if (!element.dataset.box) return undefined;
  const [west, south, east, north] = JSON.parse(element.dataset.box);
  const [wide, high] = [(east - west) * 0.04, (north - south) * 0.04];
  return [west - wide, south - high, east + wide, north + high];
}

function place(map, element, markers, points, whole) {
  for (const point of points) {
    const known = markers[point.id];
    if (point.gone) {
      known?.remove();
      delete markers[point.id];
    } else if (known) known.setLngLat([point.lon, point.lat]);
    else {
      markers[point.id] = new Marker({ element: pin(element, point), anchor: point.small || ["courier", "me", "pulse"].includes(point.tone) ? "center" : "bottom" })
        .setLngLat([point.lon, point.lat])
        .addTo(map);
    }
    if (point.tone === "pulse" && !whole) {
      setTimeout(() => {
        markers[point.id]?.remove();
        delete markers[point.id];
      }, 2500);
    }
  }
}

function pin(element, { id, label, href, tone = "open", text, small }) {
  const link = document.createElement(href ? "a" : "div");
  if (href) link.href = href;
  link.className = "pin";
  link.dataset.tone = tone;
  if (small) link.dataset.small = "";
  link.dataset.pin = id;
  if (label) link.ariaLabel = label;
  else link.ariaHidden = "true";
  if (!href && label) link.role = "img";
  if (tone !== "pulse") {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.classList.add("icon");
    svg.ariaHidden = "true";
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${element.dataset.icons}#${ICON[tone] || "map-pin"}`);
    svg.append(use);
    const head = document.createElement("span");
    head.className = "pin-head";
    head.append(svg);
    link.append(head);
    if (label || text) {
      const caption = document.createElement("span");
      caption.className = "pin-label";
      caption.textContent = text || label;
      link.append(caption);
    }
  }
  return link;
}

function follow(element, show) {
  if (!element.dataset.stream) return;
  const source = stream(element.dataset.stream);
  source.addEventListener(element.dataset.event || "points", (event) => show(JSON.parse(event.data), false));
}

// A row of the list beside the map (data-place="id") raises its pin while pointed at or focused.
function link(markers) {
  const raise = (event, on) => {
    const row = event.target.closest?.("[data-place]");
    if (row) markers[row.dataset.place]?.getElement().classList.toggle("raised", on);
  };
  for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => raise(event, on));
  }
}
