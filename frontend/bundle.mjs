// Bundles scripts and styles, draws the two sprites, and writes hanse/app/static/built/ with manifest.json.
// Every name carries a hash of its content, so that each file can be cached for a year.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, parse } from "node:path";

const TARGET = "../hanse/app/static/built";
const STAGING = `${TARGET}.new`;
const manifest = {};

rmSync(STAGING, { recursive: true, force: true });
mkdirSync(STAGING, { recursive: true });
await bundle();
writeHashed("icons.svg", sprite(icons(), 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'));
writeHashed("pictures.svg", sprite(drawings("src/pictures"), 'fill="none" stroke-linecap="round" stroke-linejoin="round"'));
for (const name of readdirSync("src/brand")) writeHashed(name, readFileSync(`src/brand/${name}`));
writeFileSync(join(STAGING, "manifest.json"), JSON.stringify(manifest, Object.keys(manifest).sort(), 1));
rmSync(TARGET, { recursive: true, force: true });
renameSync(STAGING, TARGET);

async function bundle() {
  const result = await build({
    // maplibre's worker is its own file because a strict policy allows no blob: worker.
    entryPoints: {
      app: "src/app.js",
      map: "src/map.js",
      "map-worker": "maplibre-gl/dist/maplibre-gl-worker.mjs",
      chart: "src/chart.js",
      style: "src/styles/style.css",
      "map-style": "src/styles/map.css",
    },
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome123", "firefox121", "safari17.5"],
    supported: { nesting: true },
    loader: { ".woff2": "file" },
    entryNames: "[name].[hash]",
    assetNames: "[name].[hash]",
    legalComments: "linked",
    outdir: STAGING,
    metafile: true,
    logLevel: "warning",
  });
  for (const path of Object.keys(result.metafile.outputs)) {
    const file = basename(path);
    if (!file.endsWith(".LEGAL.txt")) manifest[file.replace(/\.[A-Z0-9]{8}(\.\w+)$/, "$1")] = file;
  }
}

function icons() {
  const names = JSON.parse(readFileSync("src/icons.json", "utf8"));
  return names.map((name) => [name, readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8")]);
}

function drawings(folder) {
  return readdirSync(folder).sort().map((file) => [parse(file).name, readFileSync(join(folder, file), "utf8")]);
}

function sprite(sources, attributes) {
  const symbols = sources.map(([name, svg]) => {
    const box = /viewBox="([^"]+)"/.exec(svg)[1];
    const body = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(svg)[1].replace(/>\s+</g, "><").trim();
    return `<symbol id="${name}" viewBox="${box}" ${attributes}>${body}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
}

function writeHashed(name, content) {
  const { name: stem, ext } = parse(name);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  manifest[name] = `${stem}.${hash}${ext}`;
  writeFileSync(join(STAGING, manifest[name]), content);
}
