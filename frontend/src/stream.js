// One connection a page and address, however many listen: a browser allows six connections to a host, and
// three pages that each open three would leave none for anything else. The registry lives on the window
// because the map and the chart are bundles of their own.
export function stream(url) {
  const address = new URL(url, location.href).href;
  const open = (window.hanseStreams ??= {});
  const known = open[address];
  if (known && known.readyState !== EventSource.CLOSED) return known;
  const source = (open[address] = new EventSource(address));
  addEventListener("pagehide", () => source.close());
  return source;
}
